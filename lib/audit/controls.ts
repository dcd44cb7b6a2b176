import type { CfnFramework } from 'aws-cdk-lib/aws-backup';
import { longestGapMinutes } from '../objective/cron';
import type { BackupRule, RegimeBackupPlan } from '../plan';
import { isUnresolved } from '../regime/region-check';
import { placeOfVault } from '../vault/vault-place';
import { newestWithinMinutes } from '../watch/windows';

export interface ControlOptions {
  readonly plans: readonly RegimeBackupPlan[];
  readonly region: string;
  readonly account: string;
  readonly restoreMinutes?: number;
  readonly exemptRoleArns: readonly string[];
}

type Control = CfnFramework.FrameworkControlProperty;

/** Free-form JSON to CDK, and so written as CloudFormation has it. */
interface Scope {
  readonly Tags?: { readonly Key: string; readonly Value: string }[];
  readonly ComplianceResourceTypes?: string[];
}

const MOST_HOURS = 744;
const MOST_FREQUENCY_HOURS = 24;
const MOST_FREQUENCY_DAYS = 31;
const DAY_MINUTES = 24 * 60;

/**
 * The controls of AWS Backup Audit Manager, with what the plans declare as parameters: what is not declared is not asked.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/controls-and-remediation.html
 */
export function controlsOf(options: ControlOptions): Control[] {
  const { plans, restoreMinutes, exemptRoleArns } = options;
  const rules = plans.flatMap(({ _declared }) => _declared.rules);
  const scope = scopeOf(plans);
  const copies = plans.flatMap(({ _declared }) => _declared.copies.map(placeOfVault));
  const known = copies.filter(({ region, account }) => !isUnresolved(region) && !isUnresolved(account));
  const regions = unique(known.map(({ region }) => region).filter((region) => region !== options.region));
  const accounts = unique(
    known.map(({ account }) => account).filter((account) => account !== options.account),
  );
  const locks = plans.flatMap(({ _declared }) => _declared.vault.vaultLock ?? []);
  const least = (values: readonly (number | undefined)[]) =>
    Math.min(...values.filter((one) => one !== undefined));
  const most = (values: readonly (number | undefined)[]) =>
    Math.max(...values.filter((one) => one !== undefined));
  const locked = locks.filter(({ minRetentionDays }) => minRetentionDays !== undefined);
  const age = ageOf(plans);
  return [
    control('BACKUP_RESOURCES_PROTECTED_BY_BACKUP_PLAN', {}, scope),
    ...frequency(plans),
    control('BACKUP_RECOVERY_POINT_MINIMUM_RETENTION_CHECK', {
      requiredRetentionDays: least(rules.map(({ retentionDays }) => retentionDays)),
    }),
    control('BACKUP_RECOVERY_POINT_ENCRYPTED'),
    control(
      'BACKUP_RECOVERY_POINT_MANUAL_DELETION_DISABLED',
      exemptRoleArns.length > 0 ? { principalArnList: exemptRoleArns.join() } : {},
    ),
    ...(locked.length > 0
      ? [
          control(
            'BACKUP_RESOURCES_PROTECTED_BY_BACKUP_VAULT_LOCK',
            {
              minRetentionDays: least(locked.map(({ minRetentionDays }) => minRetentionDays)),
              ...(locked.every(({ maxRetentionDays }) => maxRetentionDays !== undefined)
                ? { maxRetentionDays: most(locked.map(({ maxRetentionDays }) => maxRetentionDays)) }
                : {}),
            },
            scope,
          ),
        ]
      : []),
    ...(regions.length > 0
      ? [control('BACKUP_RESOURCES_PROTECTED_BY_CROSS_REGION', { crossRegionList: regions.join() }, scope)]
      : []),
    ...(accounts.length > 0
      ? [control('BACKUP_RESOURCES_PROTECTED_BY_CROSS_ACCOUNT', { crossAccountList: accounts.join() }, scope)]
      : []),
    ...(age ? [control('BACKUP_LAST_RECOVERY_POINT_CREATED', age, scope)] : []),
    ...(age && rules.some(({ props }) => props.airGappedVault)
      ? [control('RESOURCES_IN_LOGICALLY_AIR_GAPPED_VAULT', age, scope)]
      : []),
    ...(restoreMinutes === undefined
      ? []
      : [control('RESTORE_TIME_FOR_RESOURCES_MEET_TARGET', { maxRestoreTime: restoreMinutes }, scope)]),
  ];
}

function control(
  controlName: string,
  parameters: Readonly<Record<string, string | number>> = {},
  controlScope?: Scope,
): Control {
  const controlInputParameters = Object.entries(parameters).map(([parameterName, value]) => ({
    parameterName,
    parameterValue: String(value),
  }));
  return {
    controlName,
    ...(controlInputParameters.length > 0 ? { controlInputParameters } : {}),
    ...(controlScope ? { controlScope } : {}),
  };
}

/** One rule has to keep both: of each plan the longest kept is asked, and of several plans the least. */
function frequency(plans: readonly RegimeBackupPlan[]): Control[] {
  const asked = plans.flatMap(({ _declared }) => {
    const rated = _declared.rules
      .map((rule) => ({ rule, gap: gapOf(rule) }))
      .filter(({ gap }) => gap !== undefined && gap <= MOST_FREQUENCY_DAYS * DAY_MINUTES)
      .sort((a, b) => b.rule.retentionDays - a.rule.retentionDays);
    return rated[0] ? [{ days: rated[0].rule.retentionDays, gap: rated[0].gap as number }] : [];
  });
  if (asked.length === 0) return [];
  const hours = Math.ceil(Math.max(...asked.map(({ gap }) => gap)) / 60);
  const daily = hours > MOST_FREQUENCY_HOURS;
  return [
    control('BACKUP_PLAN_MIN_FREQUENCY_AND_MIN_RETENTION_CHECK', {
      requiredFrequencyUnit: daily ? 'days' : 'hours',
      requiredFrequencyValue: daily ? Math.ceil(hours / 24) : hours,
      requiredRetentionDays: Math.min(...asked.map(({ days }) => days)),
    }),
  ];
}

function gapOf(rule: BackupRule): number | undefined {
  try {
    return longestGapMinutes(rule.props.schedule.expressionString);
  } catch {
    // The plan has already said so.
    return undefined;
  }
}

/** How old the newest recovery point may be; undefined where that is more than the control can ask. */
function ageOf(plans: readonly RegimeBackupPlan[]) {
  const ages = plans.flatMap((plan) => newestWithinMinutes(plan) ?? []);
  const hours = Math.ceil(Math.max(0, ...ages) / 60);
  if (ages.length === 0 || hours > MOST_HOURS) return undefined;
  return { recoveryPointAgeUnit: 'hours', recoveryPointAgeValue: hours };
}

/** The one tag that all selections share, or their types: a scope takes one tag, and not both. */
function scopeOf(plans: readonly RegimeBackupPlan[]): Scope | undefined {
  const selections = plans.flatMap(({ _declared }) => _declared.selections.map(({ options }) => options));
  // What a scope cannot say is left to the whole region: to ask too much is better than not to ask.
  if (selections.some(({ conditions, anyTags, exclude }) => conditions || anyTags || exclude))
    return undefined;
  const tags = unique(selections.map(({ tags: each = {} }) => JSON.stringify(Object.entries(each))));
  const [shared = [], ...others] = tags.map((text) => JSON.parse(text) as [string, string][]);
  const [only, ...more] = shared;
  if (only && more.length === 0 && others.length === 0) return { Tags: [{ Key: only[0], Value: only[1] }] };
  const types = unique(selections.flatMap(({ types: each = [] }) => each.map(({ name }) => name)));
  const typed = selections.every(({ types: each, arns, constructs }) => each?.length && !arns && !constructs);
  return typed && types.length > 0 ? { ComplianceResourceTypes: types } : undefined;
}

const unique = (values: readonly string[]) => [...new Set(values)].sort();
