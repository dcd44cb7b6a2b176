import { Stack } from 'aws-cdk-lib';
import * as backup from 'aws-cdk-lib/aws-backup';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type { aws_backup, ResourceEnvironment } from 'aws-cdk-lib/interfaces';
import { Construct } from 'constructs';
import { objectiveProblems } from '../objective/assessment';
import type { Home, Store } from '../objective/store';
import type { Layer } from '../objective/worst-case';
import { addProblem, addWarning } from '../problems';
import type { PrivacyRegime } from '../regime';
import { isUnresolved } from '../regime/region-check';
import type { IRegimeVault } from '../vault';
import { retentionAgainstLock } from '../vault/lock-check';
import { storeOf } from '../vault/vault-store';
import { backupRole } from './backup-role';
import { BackupRule } from './backup-rule';
import { checkCapabilities } from './capability-check';
import { objectiveOf } from './objective-of';
import { checkAirGap, checkCopy, checkPlace, type PlanPlace } from './place-check';
import { coldAge, copiedTwice, copiesOf, type PlannedCopy } from './planned-copy';
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
  private readonly vault: IRegimeVault;
  private readonly copies: aws_backup.IBackupVaultRef[];
  private selections = 0;
  private readonly listeners: ((selection: DeclaredSelection) => void)[] = [];

  constructor(scope: Construct, id: string, props: RegimeBackupPlanProps) {
    super(scope, id);
    const stack = Stack.of(this);
    this.env = { region: stack.region, account: stack.account };
    this.regime = props.vault.regime;
    this.vault = props.vault;
    this.copies = props.copies ?? [];
    this.rules = props.rules ?? [BackupRule.hourly(), BackupRule.daily()];
    const copies = this.rules.flatMap((rule) => copiesOf(rule, this.copies).map(({ vault }) => vault));
    this._declared = { vault: props.vault, rules: this.rules, copies, selections: [] };
    const where = { plan: this, env: this.env, vault: props.vault, exceptions: props.exceptions };
    checkPlace(where);
    this.checkRules(where, props);
    this.role = props.role ?? backupRole(this, 'Role', this.rules);

    this.plan = new backup.CfnBackupPlan(this, 'Resource', {
      backupPlan: {
        backupPlanName: props.planName ?? defaultPlanName(this),
        backupPlanRule: this.rules.map((rule) => this.renderRule(rule)),
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
    const { rules, env, _declared } = this;
    const request = { plan: this, env, rules, copies: _declared.copies };
    checkCapabilities(request, id, options.types ?? [], found);
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
      ...copiesOf(rule, this.copies).map(({ vault, days }) => storeOf(vault, days)),
    ];
  }

  private checkRules(where: PlanPlace, props: RegimeBackupPlanProps): void {
    const { vault } = props;
    const { rules } = this;
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
      const copies = copiesOf(rule, this.copies);
      for (const name of copiedTwice(copies)) {
        addProblem(this, `rule '${rule.ruleName}' copies twice into ${name}: name it once`);
      }
      for (const copy of copies) checkCopy(where, rule, copy);
      for (const problem of ruleProblems(rule)) addProblem(this, `rule '${rule.ruleName}': ${problem}`);
      const lockProblem = vault.vaultLock && retentionAgainstLock(rule.retentionDays, vault.vaultLock);
      if (lockProblem) addProblem(this, `rule '${rule.ruleName}' ${lockProblem}`);
      checkAirGap(where, rule);
      this.checkExtras(rule, props);
    }
    for (const text of swallowedRules(rules)) addWarning(this, 'rule-swallowed', text);
  }

  private checkExtras(rule: BackupRule, props: RegimeBackupPlanProps): void {
    for (const problem of indexProblems(rule)) addProblem(this, `rule '${rule.ruleName}' ${problem}`);
    if (rule.props.malwareScan && !props.malwareScanRole) {
      addProblem(this, `rule '${rule.ruleName}' scans for malware: give the plan a malwareScanRole`);
    }
  }

  private renderRule(rule: BackupRule): backup.CfnBackupPlan.BackupRuleResourceTypeProperty {
    const { props: declared } = rule;
    const copies = copiesOf(rule, this.copies);
    return {
      ruleName: rule.ruleName,
      targetBackupVault: this.vault.backupVaultRef.backupVaultName,
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
      copyActions: copies.length > 0 ? copies.map(renderCopy) : undefined,
    };
  }
}

function renderCopy({
  vault,
  days,
  cold,
  archive,
}: PlannedCopy): backup.CfnBackupPlan.CopyActionResourceTypeProperty {
  return {
    destinationBackupVaultArn: vault.backupVaultRef.backupVaultArn,
    lifecycle: lifecycle(days, cold, archive),
  };
}

function lifecycle(
  deleteAfterDays: number,
  moveToColdStorageAfterDays?: number,
  optInToArchiveForSupportedResources?: boolean,
): backup.CfnBackupPlan.LifecycleResourceTypeProperty {
  return { deleteAfterDays, moveToColdStorageAfterDays, optInToArchiveForSupportedResources };
}

const defaultPlanName = (plan: Construct) => plan.node.path.replace(/[^A-Za-z0-9-_.]+/g, '-').slice(-50);
