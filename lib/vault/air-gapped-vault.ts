import { ArnFormat, Duration, Lazy, Names, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as backup from 'aws-cdk-lib/aws-backup';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as ram from 'aws-cdk-lib/aws-ram';
import type { aws_backup, aws_kms, ResourceEnvironment } from 'aws-cdk-lib/interfaces';
import { Construct } from 'constructs';
import { addProblem } from '../problems';
import { PrivacyRegime } from '../regime';
import { checkAccounts, namedAccounts } from '../regime/account-check';
import { homeRegionProblem } from '../regime/move-check';
import { isUnresolved, regionProblem } from '../regime/region-check';
import { settled } from '../settled';
import { LONGEST_DAYS } from './lock-check';
import type { IRegimeVault } from './regime-vault-props';
import { VaultLock } from './vault-lock';
import { nameProblems } from './vault-name';
import { allowCopyIn, denyCopyOut } from './vault-policy';

/** How long recovery points are kept for certain, and who may restore from them. */
export interface AirGappedVaultProps {
  /**
   * Nobody can delete a recovery point earlier, neither the account's root user nor AWS. At least 7 days. Another value
   * replaces the vault.
   */
  readonly irreversibleMinRetention: Duration;

  /** The longest retention that a job may ask for. Another value replaces the vault. */
  readonly irreversibleMaxRetention: Duration;

  /**
   * The regime of the recovery points.
   *
   * @default - the widest regime of the catalogue that holds the stack's region
   */
  readonly regime?: PrivacyRegime;

  /**
   * 2 to 50 letters, digits, dashes and underscores. No personal data.
   *
   * @default - a name made of the construct's path
   */
  readonly vaultName?: string;

  /**
   * A key of the vault's own region.
   *
   * @default - a key that AWS owns, and nobody in the account can delete
   */
  readonly encryptionKey?: aws_kms.IKeyRef;

  /**
   * Accounts of the organization that may restore from the vault, in its region.
   *
   * @default - this account only
   */
  readonly restoreAccounts?: string[];

  /**
   * Accounts of the organization that may copy into the vault.
   *
   * @default - this account only
   */
  readonly copyAccounts?: string[];

  /**
   * The multi-party approval team that opens the vault when its account is lost.
   *
   * @default - none
   */
  readonly approvalTeamArn?: string;
}

/**
 * A logically air-gapped vault: its recovery points are in an account of the AWS Backup service, under a lock that
 * nobody can remove. The second copy of a regime that has one region.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/logicallyairgappedvault.html
 */
export class AirGappedVault extends Construct implements IRegimeVault {
  public readonly regime: PrivacyRegime;

  public readonly vaultName: string;

  public readonly vaultLock?: VaultLock;

  public readonly airGapped?: boolean = true;

  public readonly env: ResourceEnvironment;

  private readonly resource: backup.CfnLogicallyAirGappedBackupVault;

  constructor(scope: Construct, id: string, props: AirGappedVaultProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const { region, account } = stack;
    this.env = { region, account };
    this.regime =
      props.regime ?? (regionProblem(region) ? PrivacyRegime.EU : PrivacyRegime.forRegion(region));
    const homeProblem = homeRegionProblem(region, this.regime);
    if (homeProblem) addProblem(this, `an air-gapped vault of '${this.regime.id}': ${homeProblem}`);
    this.vaultName = props.vaultName ?? Names.uniqueResourceName(this, { maxLength: 50, separator: '-' });
    for (const problem of nameProblems(this.vaultName)) addProblem(this, problem);
    const minRetention = settled(
      this,
      'irreversibleMinRetention',
      props.irreversibleMinRetention,
      Duration.days(7),
    );
    const maxRetention = settled(
      this,
      'irreversibleMaxRetention',
      props.irreversibleMaxRetention,
      Duration.days(LONGEST_DAYS),
    );
    const [min, max] = [minRetention, maxRetention].map((each) => each.toDays({ integral: false })) as [
      number,
      number,
    ];
    if (min < 7)
      addProblem(this, `irreversibleMinRetention is ${min} days, an air-gapped vault wants at least 7`);
    if (max < min)
      addProblem(this, `irreversibleMaxRetention (${max} days) is shorter than the minimum (${min} days)`);
    if (!Number.isInteger(min) || !Number.isInteger(max) || max > LONGEST_DAYS)
      addProblem(this, `keeps for ${min} to ${max} days: write whole days, and at most ${LONGEST_DAYS}`);
    const copyAccounts = namedAccounts(this, 'copyAccounts', props.copyAccounts);
    checkAccounts(this, 'restoreAccounts', props.restoreAccounts);
    const keyRegion = props.encryptionKey?.env.region;
    // A region that is known only at deployment is looked at there, by AWS.
    if (keyRegion !== undefined && !isUnresolved(keyRegion) && keyRegion !== region) {
      addProblem(
        this,
        `encryptionKey is in ${keyRegion} and the vault in ${region}: give a key of this region`,
      );
    }
    this.vaultLock = VaultLock.irreversibleComplianceNobodyCanRemove({
      minRetention,
      maxRetention,
    });

    const accounts = [account, ...copyAccounts];
    const inRegime = this.regime.regions.flatMap((place) =>
      accounts.map((owner) => `arn:${stack.partition}:backup:${place}:${owner}:backup-vault:*`),
    );
    const statements = denyCopyOut(inRegime);
    if (copyAccounts.length > 0) {
      statements.push(allowCopyIn(copyAccounts.map((other) => `arn:${stack.partition}:iam::${other}:root`)));
    }
    this.resource = new backup.CfnLogicallyAirGappedBackupVault(this, 'Resource', {
      backupVaultName: this.vaultName,
      minRetentionDays: min,
      maxRetentionDays: max,
      encryptionKeyArn: props.encryptionKey?.keyRef.keyArn,
      mpaApprovalTeamArn: props.approvalTeamArn,
      accessPolicy: new iam.PolicyDocument({ statements }),
    });
    this.resource.applyRemovalPolicy(RemovalPolicy.RETAIN);
    if (props.restoreAccounts?.length) {
      new ram.CfnResourceShare(this, 'Share', {
        name: this.vaultName,
        resourceArns: [this.resource.attrBackupVaultArn],
        principals: props.restoreAccounts,
        allowExternalPrincipals: false,
      });
    }
  }

  /** Name and ARN for plans: references within the stack, written out elsewhere. */
  public get backupVaultRef(): aws_backup.BackupVaultReference {
    const stack = Stack.of(this);
    const arn = stack.formatArn({
      service: 'backup',
      resource: 'backup-vault',
      resourceName: this.vaultName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    return {
      backupVaultName: this.vaultName,
      backupVaultArn: Lazy.uncachedString({
        produce: ({ scope }) => (Stack.of(scope) === stack ? this.resource.attrBackupVaultArn : arn),
      }),
    };
  }
}
