import { ArnFormat, Duration, Lazy, Names, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import * as backup from 'aws-cdk-lib/aws-backup';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { aws_backup, aws_kms, ResourceEnvironment } from 'aws-cdk-lib/interfaces';
import { Construct } from 'constructs';
import { addProblem } from '../problems';
import { PrivacyRegime } from '../regime';
import { checkAccounts, namedAccounts } from '../regime/account-check';
import { reviewException } from '../regime/exception-check';
import { covers, homeRegionProblem } from '../regime/move-check';
import { isUnresolved, regionProblem } from '../regime/region-check';
import { Cargo, type TransferException } from '../regime/transfer-exception';
import { lockProblems } from './lock-check';
import type { IRegimeVault, RegimeVaultAttributes, RegimeVaultProps } from './regime-vault-props';
import { regionKey } from './vault-key';
import { VaultLock } from './vault-lock';
import { nameProblems } from './vault-name';
import { allowCopyIn, denyCopyOut, denyDeletion } from './vault-policy';

/** @internal Its own account first, and the regions of copies. */
export interface VaultPartners {
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
}

/**
 * A backup vault whose recovery points cannot leave their privacy regime: with a key of its own region, a lock, and an
 * access policy that denies deletion, and denies copying to anywhere but vaults of the regime's regions.
 */
export class RegimeVault extends Construct implements IRegimeVault {
  /**
   * A vault made elsewhere. Its ARN is written out, so that no export ties the stacks together.
   *
   * @throws when its region is in no regime of the catalogue and none is given
   */
  public static fromAttributes(
    scope: Construct,
    id: string,
    attributes: RegimeVaultAttributes,
  ): IRegimeVault {
    return new ImportedVault(scope, id, attributes);
  }

  /** The underlying vault, as CDK knows it. */
  public readonly vault: backup.BackupVault;

  public readonly regime: PrivacyRegime;

  public readonly vaultName: string;

  public readonly vaultLock?: VaultLock;

  public readonly airGapped?: boolean = false;

  /** The key that encrypts the recovery points. */
  public readonly encryptionKey: aws_kms.IKeyRef;

  public readonly env: ResourceEnvironment;

  private readonly partners: VaultPartners;

  constructor(scope: Construct, id: string, props: RegimeVaultProps = {}) {
    super(scope, id);
    const stack = Stack.of(this);
    const { region, account } = stack;
    this.env = { region, account };
    this.regime = props.regime ?? regimeOrReport(this, region);
    const homeProblem = homeRegionProblem(region, this.regime);
    if (homeProblem && props.regime) addProblem(this, `a vault of '${this.regime.id}': ${homeProblem}`);

    const ownName = Names.uniqueResourceName(this, { maxLength: 50, separator: '-' });
    const wrongName = nameProblems(props.vaultName ?? ownName);
    this.vaultName = wrongName.length > 0 ? ownName : (props.vaultName ?? ownName);
    for (const problem of wrongName) addProblem(this, problem);
    const copyAccounts = namedAccounts(this, 'copyAccounts', props.copyAccounts);
    for (const exception of props.exceptions ?? []) {
      for (const error of reviewException(exception, new Date()).errors) addProblem(this, error);
    }
    this.vaultLock = props.vaultLock ?? VaultLock.governance();
    const wrongLock = lockProblems(this.vaultLock);
    for (const problem of wrongLock) addProblem(this, problem);

    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    this.encryptionKey =
      props.encryptionKey ??
      regionKey(this, 'Key', {
        description: `Recovery points of ${this.regime.id} in vault ${this.vaultName}`,
        backupAccounts: copyAccounts,
        removalPolicy,
      });
    checkKeyRegion(this, this.encryptionKey, region);

    this.vault = new backup.BackupVault(this, 'Vault', {
      backupVaultName: this.vaultName,
      encryptionKey: this.encryptionKey,
      lockConfiguration: wrongLock.length > 0 ? undefined : lockConfiguration(this.vaultLock),
      removalPolicy,
    });
    this.partners = this.partnersOf(props.exceptions ?? [], copyAccounts);
    for (const statement of this.policy(props)) this.vault.addToAccessPolicy(statement);
  }

  /**
   * Name and ARN for plans. Within the stack they are references, elsewhere they are written out: the vault's name is
   * known at synthesis, and neither an export nor a custom resource has to carry it to another region.
   */
  public get backupVaultRef(): aws_backup.BackupVaultReference {
    const stack = Stack.of(this);
    const arn = stack.formatArn({
      service: 'backup',
      resource: 'backup-vault',
      resourceName: this.vaultName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    const either = (near: string, far: string) =>
      Lazy.uncachedString({ produce: ({ scope }) => (Stack.of(scope) === stack ? near : far) });
    return {
      backupVaultName: either(this.vault.backupVaultName, this.vaultName),
      backupVaultArn: either(this.vault.backupVaultArn, arn),
    };
  }

  /** @internal Where its policy lets copies go, and whence it lets them come. */
  public get _partners(): VaultPartners {
    return this.partners;
  }

  private policy(props: RegimeVaultProps): PolicyStatement[] {
    const stack = Stack.of(this);
    const { accounts, regions } = this.partners;
    const vaults = regions.flatMap((region) =>
      accounts.map((account) => `arn:${stack.partition}:backup:${region}:${account}:backup-vault:*`),
    );
    const removable = props.removalPolicy === RemovalPolicy.DESTROY;
    const statements = [denyDeletion(removable), ...denyCopyOut(vaults)];
    if (accounts.length > 1) {
      statements.push(
        allowCopyIn(accounts.slice(1).map((account) => `arn:${stack.partition}:iam::${account}:root`)),
      );
    }
    return statements;
  }

  private partnersOf(
    exceptions: readonly TransferException[],
    copyAccounts: readonly string[],
  ): VaultPartners {
    const stack = Stack.of(this);
    const excepted = exceptions.flatMap((exception) =>
      exception.to.regions.filter((to) =>
        covers(exception, {
          what: Cargo.BACKUP,
          from: stack.region,
          to,
          regime: this.regime,
          now: new Date(),
        }),
      ),
    );
    return {
      accounts: [stack.account, ...copyAccounts],
      regions: [...new Set([...this.regime.regions, ...excepted])],
    };
  }
}

class ImportedVault extends Construct implements IRegimeVault {
  public readonly regime: PrivacyRegime;
  public readonly vaultName: string;
  public readonly vaultLock?: VaultLock;
  public readonly airGapped?: boolean;
  public readonly env: ResourceEnvironment;
  public readonly backupVaultRef: aws_backup.BackupVaultReference;

  constructor(scope: Construct, id: string, attributes: RegimeVaultAttributes) {
    super(scope, id);
    const { vaultName, region } = attributes;
    const stack = Stack.of(this);
    if (!Token.isUnresolved(vaultName)) {
      for (const problem of nameProblems(vaultName)) addProblem(this, problem);
    }
    checkAccounts(this, 'account', attributes.account === undefined ? [] : [attributes.account]);
    const account = attributes.account ?? stack.account;
    this.env = { region, account };
    this.vaultName = vaultName;
    this.vaultLock = attributes.vaultLock;
    this.airGapped = attributes.airGapped ?? false;
    this.regime = attributes.regime ?? PrivacyRegime.forRegion(region);
    this.backupVaultRef = {
      backupVaultName: vaultName,
      backupVaultArn: `arn:${stack.partition}:backup:${region}:${account}:backup-vault:${vaultName}`,
    };
  }
}

function regimeOrReport(vault: RegimeVault, region: string): PrivacyRegime {
  const problem = regionProblem(region);
  if (!problem) return PrivacyRegime.forRegion(region);
  addProblem(vault, `a vault's region ${region.includes('${') ? '' : `'${region}' `}${problem}`);
  // Any regime lets synthesis go on to the other problems; it fails in the end.
  return PrivacyRegime.EU;
}

/** A key elsewhere is a mistake that AWS refuses at deployment; one that is known only then is left to it. */
function checkKeyRegion(vault: RegimeVault, key: aws_kms.IKeyRef, region: string): void {
  const keyRegion = key.env.region;
  if (keyRegion === region || isUnresolved(keyRegion)) return;
  addProblem(
    vault,
    `encryptionKey is in ${keyRegion} and the vault in ${region}: a vault takes a key of its own region, ` +
      'leave it out to have one made',
  );
}

function lockConfiguration(lock: VaultLock): backup.LockConfiguration | undefined {
  if (lock.minRetentionDays === undefined) return undefined;
  return {
    minRetention: Duration.days(lock.minRetentionDays),
    maxRetention: days(lock.maxRetentionDays),
    changeableFor: days(lock.coolingOffDays),
  };
}

const days = (count?: number) => (count === undefined ? undefined : Duration.days(count));
