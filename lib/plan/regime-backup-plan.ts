import { type Duration, Stack } from 'aws-cdk-lib';
import * as backup from 'aws-cdk-lib/aws-backup';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type { aws_backup, ResourceEnvironment } from 'aws-cdk-lib/interfaces';
import { Construct } from 'constructs';
import { objectiveProblems } from '../objective/assessment';
import type { Home, Store } from '../objective/store';
import { type TypeRecord, typeNamed } from '../objective/type-table';
import type { Layer } from '../objective/worst-case';
import { addProblem, addWarning } from '../problems';
import { Cargo, type PrivacyRegime } from '../regime';
import { reviewException } from '../regime/exception-check';
import { homeRegionProblem, moveProblem, separationProblem } from '../regime/move-check';
import { isUnresolved } from '../regime/region-check';
import { type IRegimeVault, RegimeVault } from '../vault';
import { retentionAgainstLock } from '../vault/lock-check';
import { placeOfVault, type VaultPlace } from '../vault/vault-place';
import { isRegimeVault, storeOf } from '../vault/vault-store';
import { backupRole } from './backup-role';
import { BackupRule } from './backup-rule';
import { copyable, type FoundResource } from './construct-arns';
import { withoutOwnKey } from './foreign-keys';
import { objectiveOf } from './objective-of';
import type { RecoveryObjective } from './recovery-objective';
import type { RegimeBackupPlanProps, SelectionOptions } from './regime-backup-plan-props';
import type { ResourceType } from './resource-type';
import { indexProblems, layerOf, ruleProblems, swallowedRules } from './rule-check';
import { type RenderedSelection, renderSelection } from './selection';

const MOST_SELECTIONS = 10;

/** @internal A selection, and how CloudFormation has it. */
export interface DeclaredSelection {
  readonly options: SelectionOptions;
  readonly selection: RenderedSelection['selection'];
}

/** @internal */
export interface DeclaredPlan {
  readonly vault: IRegimeVault;
  readonly rules: readonly BackupRule[];
  /** Of all rules; one may be there several times. */
  readonly copies: readonly aws_backup.IBackupVaultRef[];
  readonly selections: DeclaredSelection[];
}

/**
 * An AWS Backup plan whose copies stay in the regime of its vault.
 *
 * Every rule and copy is checked when it is declared; synthesis fails with all that is wrong, after the construct's path.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/about-backup-plans.html
 */
export class RegimeBackupPlan extends Construct implements aws_backup.IBackupPlanRef {
  /** The regime that copies stay in. */
  public readonly regime: PrivacyRegime;

  /** The role with which AWS Backup works. */
  public readonly role: iam.IRole;

  public readonly env: ResourceEnvironment;

  /** @internal What the watch and the audit have to know of the declaration. */
  public readonly _declared: DeclaredPlan;

  private readonly plan: backup.CfnBackupPlan;
  private readonly rules: BackupRule[];
  private readonly home: string;
  private readonly vault: IRegimeVault;
  private readonly copies: aws_backup.IBackupVaultRef[];
  private selections = 0;
  private readonly listeners: ((selection: DeclaredSelection) => void)[] = [];

  constructor(scope: Construct, id: string, props: RegimeBackupPlanProps) {
    super(scope, id);
    const stack = Stack.of(this);
    this.env = { region: stack.region, account: stack.account };
    this.home = stack.region;
    this.regime = props.vault.regime;
    this.vault = props.vault;
    this.copies = props.copies ?? [];
    this.rules = props.rules ?? [BackupRule.hourly(), BackupRule.daily()];
    const copies = this.rules.flatMap((rule) => this.copiesOf(rule).map(({ vault }) => vault));
    this._declared = { vault: props.vault, rules: this.rules, copies, selections: [] };
    this.checkPlace(props);
    this.checkRules(this.rules, props);
    this.role = props.role ?? backupRole(this, 'Role', this.rules);

    this.plan = new backup.CfnBackupPlan(this, 'Resource', {
      backupPlan: {
        backupPlanName: props.planName ?? defaultPlanName(this),
        backupPlanRule: this.rules.map((rule) => this.renderRule(rule, props)),
        advancedBackupSettings: props.windowsVss
          ? [{ resourceType: 'EC2', backupOptions: { WindowsVSS: 'enabled' } }]
          : undefined,
        scanSettings: props.malwareScanRole
          ? [
              {
                malwareScanner: 'GUARDDUTY',
                resourceTypes: ['ALL'],
                scannerRoleArn: props.malwareScanRole.roleArn,
              },
            ]
          : undefined,
      },
    });
  }

  /** Id and ARN of the plan. */
  public get backupPlanRef(): aws_backup.BackupPlanReference {
    return this.plan.backupPlanRef;
  }

  /**
   * Puts resources under the plan.
   *
   * @param id unique within the plan
   */
  public protect(id: string, options: SelectionOptions): void {
    this.selections++;
    if (this.selections > MOST_SELECTIONS) {
      addProblem(
        this,
        `has ${this.selections} selections, AWS Backup allows ${MOST_SELECTIONS} per plan: put more into one selection, ` +
          'or make a second plan',
      );
    }
    const { selection, problems, found } = renderSelection(this, id, options);
    this._declared.selections.push({ options, selection });
    for (const listener of this.listeners) listener({ options, selection });
    for (const problem of problems) addProblem(this, problem);
    this.checkCapabilities(id, options.types ?? [], found);
    new backup.CfnBackupSelection(this, id, {
      backupPlanId: this.plan.attrBackupPlanId,
      backupSelection: { ...selection, iamRoleArn: this.role.roleArn },
    });
  }

  /**
   * Fails synthesis when the rules alone cannot keep the objective for a type of resource, with the arithmetic.
   *
   * @param resourceType the type, since some can be backed up continuously
   * @param objective what was promised
   */
  public requireObjective(resourceType: ResourceType, objective: RecoveryObjective): void {
    const layers = this._layers(resourceType);
    const problems = objectiveProblems(resourceType.name, layers, objectiveOf(objective), this._place);
    for (const problem of problems) addProblem(this, problem);
  }

  /** @internal Tells of every selection: those that there are, and those to come. */
  public _onSelection(listener: (selection: DeclaredSelection) => void): void {
    this._declared.selections.forEach(listener);
    this.listeners.push(listener);
  }

  /** @internal The rules as the objective arithmetic sees them. */
  public _layers(type: ResourceType): Layer[] {
    const abilities = { lagMinutes: type.continuousLagMinutes, copies: type.copyable };
    return this.rules.flatMap((rule) => {
      const ordinary = storeOf(this.vault, rule.retentionDays);
      return layerOf(rule, this.storesOf(rule), abilities, ordinary) ?? [];
    });
  }

  /** @internal Region and account as far as they are known. */
  public get _place(): Home {
    const { region, account } = this.env;
    return { region: isUnresolved(region) ? null : region, account: isUnresolved(account) ? null : account };
  }

  private storesOf(rule: BackupRule): Store[] {
    const made = rule.props.airGappedVault ?? this.vault;
    return [
      storeOf(made, rule.retentionDays),
      ...this.copiesOf(rule).map(({ vault, days }) => storeOf(vault, days)),
    ];
  }

  /** Each copy of a rule with its lifecycle. */
  private copiesOf(rule: BackupRule): PlannedCopy[] {
    const { props: declared } = rule;
    const plain = (declared.copies ?? this.copies).map((vault) => ({
      vault,
      days: rule.copyRetentionDays,
      cold: coldAge(declared),
      archive: declared.archiveSnapshots,
    }));
    const own = (declared.copiesWithLifecycle ?? []).map((copy) => ({
      vault: copy.vault,
      days: copy.retention?.toDays({ integral: false }) ?? rule.copyRetentionDays,
      cold: coldAge(copy),
      archive: copy.archiveSnapshots,
    }));
    return [...plain, ...own];
  }

  private checkPlace(props: RegimeBackupPlanProps): void {
    const place = placeOfVault(props.vault);
    const homeProblem = homeRegionProblem(this.home, this.regime);
    if (homeProblem) addProblem(this, `a plan of '${this.regime.id}': ${homeProblem}`);
    else if (place.region !== this.home) {
      addProblem(
        this,
        `its vault is in ${place.region} and the plan in ${this.home}: recovery points are made in the plan's own ` +
          'region, give a vault of it, and the other one as copies',
      );
    } else if (place.account !== this.env.account && ![place.account, this.env.account].some(isUnresolved)) {
      addProblem(
        this,
        `its vault is in account ${place.account} and the plan in ${this.env.account}: recovery points are made in the plan's ` +
          'own account, give a vault of it, and the other one as copies',
      );
    }
    if (props.vault.airGapped) {
      addProblem(
        this,
        'its vault is air-gapped: give an ordinary one, for types that cannot go straight into an air-gapped vault, and name ' +
          'this one in airGappedVault of the rules',
      );
    }
    for (const exception of props.exceptions ?? []) {
      const { errors, warnings } = reviewException(exception, new Date());
      for (const error of errors) addProblem(this, error);
      for (const warning of warnings) addWarning(this, 'exception-expires', warning);
    }
  }

  private checkRules(rules: BackupRule[], props: RegimeBackupPlanProps): void {
    const { vault } = props;
    if (rules.length === 0)
      addProblem(this, 'has no rules, so nothing is ever backed up: add BackupRule.daily()');
    const names = rules.map((rule) => rule.ruleName);
    for (const name of new Set(names.filter((name, index) => names.indexOf(name) !== index))) {
      addProblem(this, `has several rules of the name '${name}': give each a ruleName of its own`);
    }
    const { planName } = props;
    if (planName !== undefined && !isUnresolved(planName) && !/^[A-Za-z0-9-_.]{1,50}$/.test(planName)) {
      addProblem(
        this,
        `planName is '${planName}': use 1 to 50 letters, digits, dashes, dots and underscores`,
      );
    }
    for (const rule of rules) {
      const arns = this.copiesOf(rule).map(({ vault }) => this.nameOf(vault));
      for (const arn of new Set(arns.filter((each, i) => arns.indexOf(each) < i))) {
        addProblem(this, `rule '${rule.ruleName}' copies twice into ${arn}: name it once`);
      }
      for (const problem of ruleProblems(rule)) addProblem(this, `rule '${rule.ruleName}': ${problem}`);
      const lockProblem = vault.vaultLock && retentionAgainstLock(rule.retentionDays, vault.vaultLock);
      if (lockProblem) addProblem(this, `rule '${rule.ruleName}' ${lockProblem}`);
      this.checkAirGap(rule);
      this.checkExtras(rule, props);
    }
    for (const text of swallowedRules(rules)) addWarning(this, 'rule-swallowed', text);
  }

  private checkAirGap(rule: BackupRule): void {
    const vault = rule.props.airGappedVault;
    if (!vault) return;
    const { region, account } = placeOfVault(vault);
    if (vault.airGapped === false) {
      addProblem(
        this,
        `rule '${rule.ruleName}': its airGappedVault ${vault.vaultName} is an ordinary vault: make an AirGappedVault, or name ` +
          'this one in copies',
      );
    }
    if (account !== this.env.account && !isUnresolved(account) && !isUnresolved(this.env.account)) {
      addProblem(
        this,
        `rule '${rule.ruleName}': its air-gapped vault is in account ${account} and the plan in ${this.env.account}: recovery ` +
          "points are made in the plan's own account, copy to other accounts instead",
      );
    }
    if (region !== this.home) {
      addProblem(
        this,
        `rule '${rule.ruleName}': its air-gapped vault is in ${isUnresolved(region) ? 'an unresolved region' : region} and ` +
          `the plan in ${this.home}: recovery points are made in the plan's own region, copy to other regions instead`,
      );
    }
    const lockProblem = vault.vaultLock && retentionAgainstLock(rule.retentionDays, vault.vaultLock);
    if (lockProblem) addProblem(this, `rule '${rule.ruleName}', into its air-gapped vault, ${lockProblem}`);
  }

  private checkExtras(rule: BackupRule, props: RegimeBackupPlanProps): void {
    for (const problem of indexProblems(rule)) addProblem(this, `rule '${rule.ruleName}' ${problem}`);
    if (rule.props.malwareScan && !props.malwareScanRole) {
      addProblem(this, `rule '${rule.ruleName}' scans for malware: give the plan a malwareScanRole`);
    }
  }

  private renderRule(
    rule: BackupRule,
    props: RegimeBackupPlanProps,
  ): backup.CfnBackupPlan.BackupRuleResourceTypeProperty {
    const { props: declared } = rule;
    const copies = this.copiesOf(rule);
    return {
      ruleName: rule.ruleName,
      targetBackupVault: props.vault.backupVaultRef.backupVaultName,
      scheduleExpression: declared.schedule.expressionString,
      scheduleExpressionTimezone: declared.timeZone?.timezoneName,
      startWindowMinutes: rule.startWindowMinutes,
      completionWindowMinutes: rule.completionWindowMinutes,
      enableContinuousBackup: declared.continuous,
      recoveryPointTags: declared.recoveryPointTags,
      targetLogicallyAirGappedBackupVaultArn: declared.airGappedVault?.backupVaultRef.backupVaultArn,
      indexActions: declared.index?.length
        ? [{ resourceTypes: declared.index.map((type) => type.name) }]
        : undefined,
      scanActions: declared.malwareScan && [{ malwareScanner: 'GUARDDUTY', scanMode: declared.malwareScan }],
      lifecycle: lifecycle(rule.retentionDays, coldAge(declared), declared.archiveSnapshots),
      copyActions: copies.length > 0 ? copies.map((copy) => this.renderCopy(rule, copy, props)) : undefined,
    };
  }

  private renderCopy(
    rule: BackupRule,
    copy: PlannedCopy,
    props: RegimeBackupPlanProps,
  ): backup.CfnBackupPlan.CopyActionResourceTypeProperty {
    const { vault, days, cold, archive } = copy;
    const { region, account } = placeOfVault(vault);
    const problem = moveProblem({
      what: Cargo.BACKUP,
      from: this.home,
      to: region,
      regime: this.regime,
      exceptions: props.exceptions,
      now: new Date(),
    });
    if (problem) addProblem(this, `rule '${rule.ruleName}': ${problem}`);
    else if (region === this.home && account === this.env.account) {
      if (isRegimeVault(vault) && vault.vaultName === props.vault.vaultName) {
        addProblem(this, `rule '${rule.ruleName}' copies into its own vault: name another vault, or no copy`);
      }
    } else this.checkSeparation(region);
    if (!problem) this.checkPolicies(rule, copy, props.vault);
    const lock = isRegimeVault(vault) ? vault.vaultLock : undefined;
    const lockProblem = lock && retentionAgainstLock(days, lock);
    if (lockProblem) addProblem(this, `rule '${rule.ruleName}': its copy in ${region} ${lockProblem}`);
    return {
      destinationBackupVaultArn: vault.backupVaultRef.backupVaultArn,
      lifecycle: lifecycle(days, cold, archive),
    };
  }

  /** A copy that a vault's policy denies would fail every night. */
  private checkPolicies(rule: BackupRule, { vault: target }: PlannedCopy, source: IRegimeVault): void {
    const { region, account } = placeOfVault(target);
    if (isUnresolved(account) || isUnresolved(this.env.account)) return;
    if (source instanceof RegimeVault) {
      const { accounts, regions } = source._partners;
      if (!accounts.includes(account)) {
        addProblem(
          this,
          `rule '${rule.ruleName}' copies to account ${account}, which the policy of its vault ${source.vaultName} denies: give ` +
            `that vault copyAccounts: ['${account}']`,
        );
      }
      if (!regions.includes(region)) {
        addProblem(
          this,
          `rule '${rule.ruleName}' copies to ${region} by an exception that the policy of its vault ${source.vaultName} does not ` +
            'know: give that vault the same exceptions',
        );
      }
    }
    if (target instanceof RegimeVault && !target._partners.accounts.includes(this.env.account)) {
      addProblem(
        this,
        `rule '${rule.ruleName}' copies into vault ${target.vaultName} of account ${account}, whose policy does not let it: give ` +
          `that vault copyAccounts: ['${this.env.account}']`,
      );
    }
  }

  /** For comparison, and for people. */
  private nameOf(vault: aws_backup.IBackupVaultRef): string {
    const { region, account } = placeOfVault(vault);
    return isRegimeVault(vault)
      ? `vault ${vault.vaultName} of ${region}, account ${account}`
      : vault.backupVaultRef.backupVaultArn;
  }

  /** What the types of a selection cannot do of what the rules ask for. */
  private checkCapabilities(
    id: string,
    types: readonly ResourceType[],
    found: readonly FoundResource[],
  ): void {
    const unable = (wanted: (type: Pick<TypeRecord, 'cold' | 'copies'>) => boolean) => {
      const byType = types.filter(({ name, copyable }) =>
        wanted({ cold: typeNamed(name)?.cold ?? true, copies: copyable }),
      );
      const byResource = found.filter((each) => wanted({ ...each.type, copies: copyable(each) }));
      return [
        ...new Set([
          ...byType.map(({ name }) => name),
          ...byResource.map(({ resource, type }) => `${resource.node.path} (${type.name})`),
        ]),
      ].join(', ');
    };
    const cold = this.rules.find(({ props }) => props.moveToColdStorageAfter);
    const warm = cold && unable((type) => !type.cold);
    if (warm) {
      addWarning(
        this,
        'cold-storage-ignored',
        `selection '${id}': ${warm} have no cold storage, moveToColdStorageAfter of rule '${cold.ruleName}' does ` +
          'nothing for them',
      );
    }
    const copied = this.rules.flatMap((rule) => this.copiesOf(rule).map(({ vault }) => placeOfVault(vault)));
    const away = copied.find(({ region, account }) => region !== this.home || account !== this.env.account);
    const stuck = away && unable(({ copies }) => copies === false);
    if (stuck) {
      addProblem(
        this,
        `selection '${id}': the rules copy to ${placed(away)}, and AWS Backup does not copy recovery points of ${stuck} to ` +
          'another region or account: protect these by a plan without copies. Where AWS has come to copy a type, select it as ' +
          "new ResourceType('Name', 'service:*:*:thing/*', undefined, true)",
      );
    }
    const unclear = away && unable(({ copies }) => copies === undefined);
    if (unclear) {
      addWarning(
        this,
        'copies-not-clear',
        `selection '${id}': AWS does not say whether AWS Backup copies recovery points of ${unclear} to another region or ` +
          'account: try it, and look for copies that fail',
      );
    }
    const foreign = copied.filter(({ account }) => account !== this.env.account && !isUnresolved(account));
    if (foreign.length === 0) return;
    for (const { resource, type } of withoutOwnKey(found)) {
      addProblem(
        this,
        `selection '${id}': ${resource.node.path} (${type.name}) is encrypted under a key that AWS manages, and its backups ` +
          `cannot be copied to account ${foreign[0].account}: give it a customer managed key`,
      );
    }
  }

  private checkSeparation(region: string): void {
    const separation = separationProblem(this.home, region);
    if (separation?.tooNear) addProblem(this, separation.text);
    else if (separation) addWarning(this, 'copies-near', separation.text);
  }
}

const placed = ({ region, account }: VaultPlace) =>
  [region, account]
    .map((each) => (isUnresolved(each) ? 'a place known only at deployment' : each))
    .join(', account ');

/** A copy as a rule asks for it. */
interface PlannedCopy {
  readonly vault: aws_backup.IBackupVaultRef;
  readonly days: number;
  readonly cold?: number;
  readonly archive?: boolean;
}

/** Parts of days are reported as a problem of the rule. */
const coldAge = ({ moveToColdStorageAfter: age }: { readonly moveToColdStorageAfter?: Duration }) =>
  age?.toDays({ integral: false });

function lifecycle(
  deleteAfterDays: number,
  moveToColdStorageAfterDays?: number,
  optInToArchiveForSupportedResources?: boolean,
): backup.CfnBackupPlan.LifecycleResourceTypeProperty {
  return { deleteAfterDays, moveToColdStorageAfterDays, optInToArchiveForSupportedResources };
}

const defaultPlanName = (plan: Construct) => plan.node.path.replace(/[^A-Za-z0-9-_.]+/g, '-').slice(-50);
