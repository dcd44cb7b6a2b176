import { Stack } from 'aws-cdk-lib';
import * as backup from 'aws-cdk-lib/aws-backup';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { aws_backup, ResourceEnvironment } from 'aws-cdk-lib/interfaces';
import { Construct } from 'constructs';
import { acknowledgeManagedPolicies } from '../acknowledge';
import { type Layer, objectiveProblems } from '../objective/worst-case';
import { addProblem, addWarning } from '../problems';
import { Cargo, type PrivacyRegime } from '../regime';
import { reviewException } from '../regime/exception-check';
import { homeRegionProblem, moveProblem, separationProblem } from '../regime/move-check';
import { isUnresolved } from '../regime/region-check';
import type { IRegimeVault } from '../vault';
import { retentionAgainstLock } from '../vault/lock-check';
import { placeOfVault } from '../vault/vault-place';
import { BackupRule } from './backup-rule';
import type { RecoveryObjective } from './recovery-objective';
import type { RegimeBackupPlanProps, SelectionOptions } from './regime-backup-plan-props';
import type { ResourceType } from './resource-type';
import { layerOf, ruleProblems, swallowedRules } from './rule-check';

const MOST_SELECTIONS = 10;
const MOST_PATTERNS = 30;
const MOST_ARNS = 500;

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

  private readonly plan: backup.CfnBackupPlan;
  private readonly rules: BackupRule[];
  private readonly home: string;
  private selections = 0;

  constructor(scope: Construct, id: string, props: RegimeBackupPlanProps) {
    super(scope, id);
    const stack = Stack.of(this);
    this.env = { region: stack.region, account: stack.account };
    this.home = stack.region;
    this.regime = props.vault.regime;
    this.rules = props.rules ?? [BackupRule.hourly(), BackupRule.daily()];
    this.checkPlace(props);
    this.checkRules(this.rules, props);
    this.role = props.role ?? this.makeRole();

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
    const { partition } = Stack.of(this);
    this.selections++;
    if (this.selections > MOST_SELECTIONS) {
      addProblem(
        this,
        `has ${this.selections} selections, AWS Backup allows ${MOST_SELECTIONS} per plan: put more into one selection, ` +
          'or make a second plan',
      );
    }
    const tags = Object.entries(options.tags ?? {});
    const patterns = (options.types ?? []).map((type) => type.arnIn(partition));
    const resources = [...patterns, ...(options.arns ?? [])];
    const exclude = options.exclude ?? [];
    if (resources.length === 0 && tags.length === 0) {
      addProblem(this, `selection '${id}' names no tags, types or arns: name what to protect`);
    }
    for (const list of [resources, exclude]) {
      const wild = list.filter((arn) => arn.includes('*')).length;
      if (wild > MOST_PATTERNS || list.length > MOST_ARNS) {
        addProblem(
          this,
          `selection '${id}' lists ${list.length} resources, ${wild} of them patterns: AWS Backup allows ` +
            `${MOST_ARNS}, and ${MOST_PATTERNS} with a pattern; select by tag instead`,
        );
      }
    }
    new backup.CfnBackupSelection(this, id, {
      backupPlanId: this.plan.attrBackupPlanId,
      backupSelection: {
        selectionName: selectionName(id),
        iamRoleArn: this.role.roleArn,
        resources: resources.length > 0 ? resources : ['*'],
        notResources: exclude.length > 0 ? exclude : undefined,
        // Written as CloudFormation has it: the property is free-form JSON to CDK.
        conditions:
          tags.length > 0
            ? {
                StringEquals: tags.map(([key, value]) => ({
                  ConditionKey: `aws:ResourceTag/${key}`,
                  ConditionValue: value,
                })),
              }
            : undefined,
      },
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
    const problems = objectiveProblems(resourceType.name, layers, {
      maxLossMinutes: objective.maxDataLoss?.toMinutes(),
      retentionDays: objective.retention?.toDays(),
    });
    for (const problem of problems) addProblem(this, problem);
  }

  /** @internal The rules as the objective arithmetic sees them. */
  public _layers(type: ResourceType): Layer[] {
    return this.rules.flatMap((rule) => layerOf(rule, type.continuousLagMinutes) ?? []);
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
    for (const rule of rules) {
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
    const { region } = placeOfVault(vault);
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
    for (const type of rule.props.index ?? []) {
      if (type.name !== 'S3' && type.name !== 'EBS') {
        addProblem(this, `rule '${rule.ruleName}' indexes ${type.name}: AWS Backup indexes S3 and EBS only`);
      }
    }
    if (rule.props.malwareScan && !props.malwareScanRole) {
      addProblem(this, `rule '${rule.ruleName}' scans for malware: give the plan a malwareScanRole`);
    }
  }

  private renderRule(
    rule: BackupRule,
    props: RegimeBackupPlanProps,
  ): backup.CfnBackupPlan.BackupRuleResourceTypeProperty {
    const { props: declared } = rule;
    const copies = declared.copies ?? props.copies ?? [];
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
      indexActions: declared.index && [{ resourceTypes: declared.index.map((type) => type.name) }],
      scanActions: declared.malwareScan && [{ malwareScanner: 'GUARDDUTY', scanMode: declared.malwareScan }],
      lifecycle: lifecycle(rule, rule.retentionDays),
      copyActions: copies.length > 0 ? copies.map((vault) => this.renderCopy(rule, vault, props)) : undefined,
    };
  }

  private renderCopy(
    rule: BackupRule,
    vault: aws_backup.IBackupVaultRef,
    props: RegimeBackupPlanProps,
  ): backup.CfnBackupPlan.CopyActionResourceTypeProperty {
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
    const lock = isRegimeVault(vault) ? vault.vaultLock : undefined;
    const lockProblem = lock && retentionAgainstLock(rule.copyRetentionDays, lock);
    if (lockProblem) addProblem(this, `rule '${rule.ruleName}': its copy in ${region} ${lockProblem}`);
    return {
      destinationBackupVaultArn: vault.backupVaultRef.backupVaultArn,
      lifecycle: lifecycle(rule, rule.copyRetentionDays),
    };
  }

  private checkSeparation(region: string): void {
    const separation = separationProblem(this.home, region);
    if (separation?.tooNear) addProblem(this, separation.text);
    else if (separation) addWarning(this, 'copies-near', separation.text);
  }

  private makeRole(): iam.Role {
    const managed = ['AWSBackupServiceRolePolicyForBackup', 'AWSBackupServiceRolePolicyForS3Backup'];
    const role = new iam.Role(this, 'Role', {
      description: 'AWS Backup reads the protected resources and writes recovery points',
      assumedBy: new iam.ServicePrincipal('backup.amazonaws.com'),
      managedPolicies: managed.map((name) =>
        iam.ManagedPolicy.fromAwsManagedPolicyName(name.endsWith('S3Backup') ? name : `service-role/${name}`),
      ),
    });
    acknowledgeManagedPolicies(
      role,
      'AWS Backup adds resource types and their actions; its own managed policies follow, a copy of them would not',
    );
    return role;
  }
}

function lifecycle(rule: BackupRule, days: number): backup.CfnBackupPlan.LifecycleResourceTypeProperty {
  return {
    deleteAfterDays: days,
    moveToColdStorageAfterDays: rule.props.moveToColdStorageAfter?.toDays(),
    optInToArchiveForSupportedResources: rule.props.archiveSnapshots,
  };
}

function isRegimeVault(vault: aws_backup.IBackupVaultRef): vault is IRegimeVault {
  return 'regime' in vault;
}

const defaultPlanName = (plan: Construct) => plan.node.path.replace(/[^A-Za-z0-9-_.]+/g, '-').slice(-50);
const selectionName = (id: string) => id.replace(/[^A-Za-z0-9-_.]+/g, '-').slice(0, 50);
