import type { Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { objectiveProblems } from '../objective/assessment';
import { type BackupRule, type RecoveryObjective, RegimeBackupPlan, ResourceType } from '../plan';
import { objectiveOf } from '../plan/objective-of';
import { addProblem, addWarning } from '../problems';
import type { PrivacyRegime, TransferException } from '../regime';
import { CATALOGUE_VERSION } from '../regime/regime-table';
import { isUnresolved } from '../regime/region-check';
import { CacheSnapshots, InstanceSnapshots } from '../snapshot';
import { type IRegimeVault, RegimeVault, type VaultLock } from '../vault';
import type { BackupWatch } from '../watch';
import { EstateStack } from './estate-stack';
import {
  auditEstate,
  type EstateAudit,
  type EstateWatch,
  type WatchedVault,
  watchEstate,
} from './estate-watch';
import { drillOf, type EstateRestoreTests, estateRestoreTests, testedTypes } from './restore-tests';
import type { EstateTerritory, Territory } from './territory';
import { reviewTerritory } from './territory-check';

/** The whole declaration: where data lives, under which law, and what was promised about it. */
export interface BackupEstateProps {
  /** The account of all home and copy regions: 12 digits, written out. */
  readonly account: string;

  /** Where data lives, and where copies of it go. */
  readonly territories: Territory[];

  /**
   * The tags of protected resources. With several, AWS Backup takes resources that have all of them, and Data Lifecycle
   * Manager instances that have any: use one.
   *
   * @default { 'sovereign-backup': 'protected' }
   */
  readonly tags?: { [key: string]: string };

  /**
   * The types of protected resources. Each must keep the objective.
   *
   * @default - EC2 instances
   */
  readonly types?: ResourceType[];

  /**
   * What was promised for each type. Synthesis fails with the arithmetic when the schedules cannot keep it.
   *
   * @default - not checked
   */
  readonly objective?: RecoveryObjective;

  /**
   * Restores that are tested on a schedule in each home region. They cost what the restored resources cost while they
   * run, and restored instances boot: see docs/objectives.md.
   *
   * @default - none is tested, and synthesis says so
   */
  readonly restoreTests?: EstateRestoreTests;

  /**
   * When recovery points are made in each home region.
   *
   * @default - hourly for 7 days, and daily for 35 days
   */
  readonly rules?: BackupRule[];

  /**
   * Lock of all vaults.
   *
   * @default VaultLock.governance()
   */
  readonly vaultLock?: VaultLock;

  /**
   * Dated leave to copy to regions of another regime.
   *
   * @default - no copy leaves its regime
   */
  readonly exceptions?: TransferException[];

  /**
   * How the backups are watched, in each region: what rings, what it means and what to do is in docs/watch.md.
   *
   * @default - with the defaults of `BackupWatch`; somebody has to subscribe to the topics of `watches`
   */
  readonly watch?: EstateWatch;

  /**
   * Has AWS Backup Audit Manager check each home region daily.
   *
   * @default - not audited
   */
  readonly audit?: EstateAudit;
}

/**
 * Backups of a whole company from one declaration: one stack per region, each with its own key.
 *
 * In each home region: a vault, an AWS Backup plan and hourly instance snapshots. In each copy region: the vault that
 * copies arrive in, by a name that all stacks know without exports. In each of both: a watch.
 */
export class BackupEstate extends Construct {
  /** What was made of each territory, in the order of the declaration. */
  public readonly territories: EstateTerritory[] = [];

  /** The watches, one for each vault; subscribe to their topics. */
  public readonly watches: BackupWatch[];

  private readonly stacks = new Map<string, Stack>();
  private readonly vaults = new Map<string, WatchedVault>();
  private readonly props: BackupEstateProps;

  constructor(scope: Construct, id: string, props: BackupEstateProps) {
    super(scope, id);
    this.props = props;
    if (!/^\d{12}$/.test(props.account)) {
      addProblem(
        this,
        `account is ${isUnresolved(props.account) ? 'known only at deployment' : `'${props.account}'`}: write 12 digits, ` +
          'so that stacks of several regions can name each other',
      );
    }
    if (props.territories.length === 0)
      addProblem(this, 'has no territories: name at least one regime and home region');
    const seen = new Set<string>();
    for (const territory of props.territories) {
      const { errors, warnings } = reviewTerritory(territory, new Date());
      for (const error of errors) addProblem(this, error);
      for (const warning of warnings) addWarning(this, 'sole-region-review', warning);
      const key = `${territory.regime.id} ${territory.home}`;
      if (seen.has(key))
        addProblem(this, `has two territories of regime '${territory.regime.id}' at ${territory.home}`);
      const regions = [territory.home, ...(territory.copies ?? [])];
      if (!seen.has(key) && !regions.some(isUnresolved)) this.territories.push(this.settle(territory));
      seen.add(key);
    }
    this.checkObjective();
    this.watches = watchEstate(
      [...this.vaults.values()],
      this.territories,
      props.watch ?? {},
      props.exceptions,
    );
    if (props.audit) auditEstate(this.territories, props.audit);
  }

  /**
   * The stack of a region, to put more into it.
   *
   * @param region one of the estate's regions
   */
  public stackOf(region: string): Stack {
    return this.stackIn(region, this.props.account);
  }

  private settle(territory: Territory): EstateTerritory {
    const { regime, home, soleRegion } = territory;
    const bunker = soleRegion?.bunkerAccount;
    const vault = this.vaultIn(regime, home, this.props.account, bunker);
    const copies: IRegimeVault[] = (territory.copies ?? [])
      .filter((region) => region !== home)
      .map((region) => this.vaultIn(regime, region, this.props.account));
    if (bunker) copies.push(this.vaultIn(regime, home, bunker, this.props.account));

    const stack = this.stackOf(home);
    const { types } = this;
    const tags = this.props.tags ?? { 'sovereign-backup': 'protected' };
    const exceptions = this.props.exceptions?.filter((exception) => exception.from.id === regime.id);
    const plan = new RegimeBackupPlan(stack, `Plan-${regime.id}`, {
      vault,
      copies,
      exceptions,
      rules: this.props.rules,
      planName: `${this.estateName()}-${regime.id}`,
    });
    plan.protect('Protected', { tags, types });
    const snapshots = types.includes(ResourceType.EC2)
      ? new InstanceSnapshots(stack, `Snapshots-${regime.id}`, {
          regime,
          exceptions,
          targetTags: tags,
          copies: (territory.copies ?? []).filter((region) => region !== home),
        })
      : undefined;
    const restoreTests = this.props.restoreTests
      ? estateRestoreTests(stack, `RestoreTests-${regime.id}`, {
          ...this.props.restoreTests,
          vault,
          protectedTypes: types,
          protectedTags: tags,
        })
      : undefined;
    const caches = territory.caches && new CacheSnapshots(stack, `Caches-${regime.id}`, territory.caches);
    const objective = this.props.objective && objectiveOf(this.props.objective);
    stack.addMetadata(`SovereignBackup-${regime.id}`, {
      catalogue: CATALOGUE_VERSION,
      regime: regime.id,
      regions: regime.regions,
      home,
      copies: territory.copies ?? [],
      ...(soleRegion ? { soleRegion } : {}),
      ...(objective ? { objective } : {}),
    });
    return { regime, home, stack, vault, plan, snapshots, caches, restoreTests };
  }

  /** One vault for each regime, region and account, whoever copies into it. */
  private vaultIn(regime: PrivacyRegime, region: string, account: string, partner?: string): RegimeVault {
    const key = `${regime.id} ${region} ${account}`;
    const existing = this.vaults.get(key);
    if (existing) return existing.vault;
    const vault = new RegimeVault(this.stackIn(region, account), `Vault-${regime.id}`, {
      regime: regime.contains(region) ? regime : undefined,
      vaultName: `${this.estateName()}-${regime.id}`,
      vaultLock: this.props.vaultLock,
      exceptions: this.props.exceptions,
      copyAccounts: partner ? [partner] : undefined,
    });
    this.vaults.set(key, { regime, vault });
    return vault;
  }

  private stackIn(region: string, account: string): Stack {
    const own = account === this.props.account;
    const id = own ? region : `${region}-bunker`;
    const existing = this.stacks.get(id);
    if (existing) return existing;
    const stack = new EstateStack(this, id, {
      stackName: `${this.estateName()}-${id}`,
      env: { account, region },
      description: `Backups that stay in their privacy regime: ${region}${own ? '' : ', second account'}`,
    });
    this.stacks.set(id, stack);
    return stack;
  }

  /** Short enough to leave room for a regime's id in a vault's name. */
  private estateName(): string {
    return (
      this.node.id
        .replace(/[^A-Za-z0-9]+/g, '-')
        .replace(/^[^A-Za-z]+/, '')
        .slice(0, 16) || 'estate'
    );
  }

  private checkObjective(): void {
    const { objective, restoreTests } = this.props;
    // On the first of the stacks: what is said of a construct outside of all of them is shown to nobody.
    const shown = this.territories[0]?.stack;
    if (!restoreTests && shown) {
      addWarning(
        shown,
        'restores-not-tested',
        'no restore is tested: give it restoreTests, for a backup that was never restored may be none',
      );
    }
    if (!objective) return;
    const tested = restoreTests && testedTypes(restoreTests, this.types);
    for (const type of this.types) {
      for (const { plan, snapshots, regime, home } of this.territories) {
        const layers = plan._layers(type);
        if (snapshots && type === ResourceType.EC2) layers.push(snapshots._layer());
        const drill = tested?.includes(type) ? drillOf(restoreTests!, type) : null;
        const problems = objectiveProblems(
          `${type.name} of '${regime.id}' in ${home}`,
          layers,
          objectiveOf(objective),
          plan._place,
          drill,
        );
        for (const problem of problems) addProblem(this, problem);
      }
    }
  }

  private get types(): ResourceType[] {
    return this.props.types ?? [ResourceType.EC2];
  }
}
