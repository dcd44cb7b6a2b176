import { longestGapMinutes } from '../objective/cron';
import { type Abilities, ruleLayer, scheduleGap } from '../objective/rule-layer';
import type { Store } from '../objective/store';
import { type Layer, span } from '../objective/worst-case';
import type { BackupRule } from './backup-rule';

const LONGEST_DAYS = 36_500;
const COLD_DAYS = 90;
const CONTINUOUS_DAYS = 35;
const ARCHIVE_DAYS = 28;

const isRetention = (days: number) => Number.isInteger(days) && days >= 1 && days <= LONGEST_DAYS;
const isColdAge = (days: number) => Number.isInteger(days) && days >= 1;

/** What AWS Backup would refuse of a rule, or do other than meant. */
export function ruleProblems(rule: BackupRule): string[] {
  const { props, retentionDays, copyRetentionDays, startWindowMinutes, completionWindowMinutes } = rule;
  const problems: string[] = [];
  if (!/^[A-Za-z0-9\-_.]{1,50}$/.test(rule.ruleName)) {
    problems.push('its name must be 1 to 50 letters, digits, dashes, dots and underscores');
  }
  try {
    const gap = longestGapMinutes(props.schedule.expressionString);
    if (props.schedule.expressionString.startsWith('rate')) {
      problems.push(
        `its schedule is ${props.schedule.expressionString}, AWS Backup takes cron schedules only`,
      );
    } else if (gap < 60) problems.push('its schedule runs more often than hourly, which AWS Backup refuses');
  } catch (error) {
    problems.push(`its schedule cannot be read: ${(error as Error).message}`);
  }
  if (!Number.isInteger(startWindowMinutes) || startWindowMinutes < 60) {
    problems.push(
      `startWindow is ${span(startWindowMinutes)}, AWS Backup wants at least 60 min, in whole minutes`,
    );
  }
  if (!Number.isInteger(completionWindowMinutes)) {
    problems.push(`completionWindow is ${span(completionWindowMinutes)}, write whole minutes`);
  }
  if (completionWindowMinutes <= startWindowMinutes) {
    problems.push(
      `completionWindow (${span(completionWindowMinutes)}) must be longer than startWindow (${span(startWindowMinutes)})`,
    );
  }
  for (const [what, days] of [
    ['retention', retentionDays],
    ['copyRetention', copyRetentionDays],
  ] as const) {
    if (!isRetention(days))
      problems.push(`${what} is ${days} days, it must be 1 to ${LONGEST_DAYS} whole days`);
  }
  const cold = props.moveToColdStorageAfter?.toDays({ integral: false });
  if (cold !== undefined) {
    if (!isColdAge(cold)) problems.push(`moveToColdStorageAfter is ${cold} days, write whole days from 1`);
    for (const [what, days] of [
      ['retention', retentionDays],
      ['copyRetention', copyRetentionDays],
    ] as const) {
      if (days < cold + COLD_DAYS) {
        problems.push(
          `${what} is ${days} days and moveToColdStorageAfter ${cold}: what is cold stays so for ${COLD_DAYS} days, ` +
            `keep for at least ${cold + COLD_DAYS} days or leave moveToColdStorageAfter out`,
        );
        break;
      }
    }
  }
  for (const [i, copy] of (props.copiesWithLifecycle ?? []).entries()) {
    const days = copy.retention?.toDays({ integral: false }) ?? copyRetentionDays;
    const coldCopy = copy.moveToColdStorageAfter?.toDays({ integral: false });
    const name = `copiesWithLifecycle[${i}]`;
    if (coldCopy !== undefined && !isColdAge(coldCopy))
      problems.push(`${name}: moveToColdStorageAfter is ${coldCopy} days, write whole days from 1`);
    if (!isRetention(days))
      problems.push(`${name}: retention is ${days} days, it must be 1 to ${LONGEST_DAYS} whole days`);
    if (coldCopy !== undefined && days < coldCopy + COLD_DAYS) {
      problems.push(
        `${name}: retention is ${days} days and moveToColdStorageAfter ${coldCopy}: what is cold stays so for ` +
          `${COLD_DAYS} days, keep for at least ${coldCopy + COLD_DAYS} days or leave moveToColdStorageAfter out`,
      );
    }
    if (copy.archiveSnapshots && coldCopy === undefined) {
      problems.push(
        `${name}: archiveSnapshots does nothing without moveToColdStorageAfter: say when, or leave it out`,
      );
    }
  }
  if (props.archiveSnapshots && cold === undefined) {
    problems.push('archiveSnapshots does nothing without moveToColdStorageAfter: say when, or leave it out');
  }
  const everyDays = (gapOf(rule) ?? ARCHIVE_DAYS * 1440) / 1440;
  const archives = props.archiveSnapshots || props.copiesWithLifecycle?.some((copy) => copy.archiveSnapshots);
  if (archives && everyDays < ARCHIVE_DAYS) {
    problems.push(
      `archiveSnapshots with a run every ${span(everyDays * 1440)}: EBS snapshots are archived only of rules that run every ` +
        `${ARCHIVE_DAYS} days or more rarely, put it into a monthly rule`,
    );
  }
  if (props.continuous) {
    if (retentionDays > CONTINUOUS_DAYS) {
      problems.push(
        `continuous backup is kept ${CONTINUOUS_DAYS} days at most, retention is ${retentionDays}: ` +
          'add a daily rule for what is to be kept longer',
      );
    }
    if (cold !== undefined)
      problems.push('continuous backup has no cold storage: leave moveToColdStorageAfter out');
  }
  return problems;
}

/** Types that have no index. */
export function indexProblems({ props }: BackupRule): string[] {
  return (props.index ?? [])
    .filter(({ name }) => name !== 'S3' && name !== 'EBS')
    .map(({ name }) => `indexes ${name}: AWS Backup indexes S3 and EBS only`);
}

/** The rule as the objective arithmetic sees it; undefined when its schedule cannot be read. */
export function layerOf(
  rule: BackupRule,
  stores: readonly Store[],
  type?: Abilities,
  ordinary?: Store,
): Layer | undefined {
  if (gapOf(rule) === undefined) return undefined;
  const { props, ruleName, retentionDays, startWindowMinutes, completionWindowMinutes } = rule;
  const plain = {
    name: ruleName,
    schedule: props.schedule.expressionString,
    timeZone: props.timeZone?.timezoneName,
    startWindowMinutes,
    completionWindowMinutes,
    continuous: props.continuous === true,
    retentionDays,
    stores,
    ordinary,
  };
  return ruleLayer(plain, type);
}

function gapOf(rule: BackupRule): number | undefined {
  try {
    return scheduleGap(rule.props.schedule.expressionString, rule.props.timeZone?.timezoneName);
  } catch {
    return undefined;
  }
}

/**
 * Rules of one plan whose start windows overlap run as one, the one with the longer retention. A long start window thus
 * swallows the runs of a frequent rule.
 */
export function swallowedRules(rules: readonly BackupRule[]): string[] {
  return rules.flatMap((frequent) => {
    const gap = gapOf(frequent);
    if (gap === undefined || gap >= 1440) return [];
    return rules
      .filter((other) => other !== frequent && other.retentionDays > frequent.retentionDays)
      .filter((other) => other.startWindowMinutes > gap)
      .map(
        (other) =>
          `rule '${other.ruleName}' may start within ${span(other.startWindowMinutes)}, in which '${frequent.ruleName}' ` +
          `(every ${span(gap)}) does not run for the same resource: shorten its startWindow to ${span(gap)}`,
      );
  });
}
