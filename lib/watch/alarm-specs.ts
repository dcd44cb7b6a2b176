import { Duration } from 'aws-cdk-lib';
import { type IMetric, type Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { RegimeBackupPlan } from '../plan';
import type { InstanceSnapshots } from '../snapshot';
import type { BackupWatchProps } from './backup-watch-props';
import { type SurveyParts, tellsLag } from './survey';
import {
  type AlarmSpec,
  attackAlarms,
  copyAlarms,
  drillAlarms,
  jobAlarms,
  LONGEST_HOURS,
  lagAlarm,
  missingAlarm,
  resourceAlarms,
  snapshotAlarms,
  surveyAlarm,
} from './watch-alarms';
import { backupMetric, snapshotMetric, sumOf, sumOfVaults } from './watch-metrics';
import { newestWithinMinutes, snapshotWithinMinutes } from './windows';

/** What there is to ring an alarm about. */
export interface AlarmSubject {
  readonly props: BackupWatchProps;
  readonly parts: SurveyParts;
  readonly every: Duration;
  /** What the survey has found. */
  readonly found: (name: string, options?: MetricOptions) => Metric;
  /** Of those of the rules that there are. */
  readonly ruleMetrics: (ids: string[]) => Metric[];
}

/** Events that are attempts to destroy backups. */
export const DESTRUCTION = ['Destruction', 'VaultDeleted', 'PlanDeleted'];

/** The alarms of a watch: only those that have something to look at. */
export function alarmSpecs(subject: AlarmSubject): AlarmSpec[] {
  const { props, parts, every, found, ruleMetrics } = subject;
  const { vaults, plans = [], snapshots = [], drills = [] } = props;
  const sum = (name: string, label: string) => sumOfVaults(vaults, name, label);
  const ages = plans.flatMap((plan) => newestWithinMinutes(plan) ?? []);
  const patience = Math.min(LONGEST_HOURS, Math.ceil(Math.max(60, ...ages) / 60) + 1);
  const keys = ruleMetrics(['KeyDeletion', 'KeyDeleted']);
  return [
    ...jobAlarms({
      failed: sum('NumberOfBackupJobsFailed', 'backup jobs failed'),
      expired: sum('NumberOfBackupJobsExpired', 'backup jobs expired'),
      aborted: sum('NumberOfBackupJobsAborted', 'backup jobs aborted'),
      partial: sum('NumberOfRecoveryPointsPartial', 'partial recovery points'),
      overdue: sum('NumberOfRecoveryPointsExpired', 'recovery points not deleted'),
      restoresFailed: sum('NumberOfRestoreJobsFailed', 'restore jobs failed'),
    }),
    ...(parts.resources ? resourceAlarms(found, patience) : []),
    ...(parts.copies ? copyAlarms(found, copiesFailed(subject)) : []),
    ...(parts.drills
      ? drillAlarms(
          found,
          sumOf(
            [...drills.map((drill) => drill.metricFailed()), ...ruleMetrics(['DrillFailed'])],
            'drills failed',
          ),
        )
      : []),
    ...snapshots.flatMap((policy, index) => snapshotSpecs(policy, index, found)),
    ...(Object.values(parts).some(Boolean)
      ? [surveyAlarm(sumOf([found('Surveys', { statistic: Stats.SUM })], 'surveys done', every), every)]
      : []),
    ...attackAlarms({
      deletion: sumOf(ruleMetrics(DESTRUCTION), 'deletion attempts'),
      keys: keys.length > 0 ? sumOf(keys, 'attempts on keys') : undefined,
    }),
  ];
}

/**
 * What rings about selections, those that there are and those to come: one for each type that is named, since the jobs
 * of one type hide that another has none.
 */
export function onSelections(
  { props: { vaults, plans = [] }, found }: Pick<AlarmSubject, 'props' | 'found'>,
  add: (spec: AlarmSpec) => void,
): void {
  const hours = (plan: RegimeBackupPlan) => {
    const minutes = newestWithinMinutes(plan);
    return minutes === undefined ? undefined : Math.ceil(minutes / 60);
  };
  const seen = new Set<string | undefined>();
  let lag = false;
  // The most frequent first: of several plans that select a type it is the one that counts.
  const byHours = [...plans].sort((a, b) => (hours(a) ?? LONGEST_HOURS) - (hours(b) ?? LONGEST_HOURS));
  for (const plan of byHours) {
    plan._onSelection((selection) => {
      if (!lag && tellsLag(plan, selection)) {
        lag = true;
        add(lagAlarm(found));
      }
      const limit = hours(plan);
      // Rarer than CloudWatch can look back: of those the survey tells.
      if (limit === undefined || limit > LONGEST_HOURS) return;
      for (const type of selection.options.types?.map(({ name }) => name) ?? [undefined]) {
        if (seen.has(type)) continue;
        seen.add(type);
        const label = `${type ?? ''} backups completed`.trim();
        const completed = sumOfVaults(vaults, 'NumberOfBackupJobsCompleted', label, type, Duration.hours(1));
        add(missingAlarm(type, completed, limit));
      }
    });
  }
}

function snapshotSpecs(policy: InstanceSnapshots, index: number, found: AlarmSubject['found']): AlarmSpec[] {
  const id = policy.policyId;
  const count = (name: string, label: string, period?: Duration): IMetric =>
    sumOf([snapshotMetric(name, id)], label, period);
  const specs = snapshotAlarms(
    found,
    {
      succeeded: count('SnapshotsCreateCompleted', 'snapshots made', Duration.hours(1)),
      failed: count('SnapshotsCreateFailed', 'snapshots failed'),
      copiesFailed: policy._declared.copies?.length
        ? count('SnapshotsCopiedRegionFailed', 'snapshot copies failed')
        : undefined,
    },
    Math.ceil(snapshotWithinMinutes(policy) / 60),
  );
  if (index === 0) return specs;
  // The survey counts the volumes of all policies together.
  return specs
    .filter(({ id: name }) => name !== 'SnapshotStale')
    .map((spec) => ({ ...spec, id: `${spec.id}-${index + 1}` }));
}

/** AWS counts a copy under the vault that it goes to, and does not say in which region: the rule counts as well. */
function copiesFailed({ props: { vaults, plans = [] }, ruleMetrics }: AlarmSubject): IMetric {
  const names = new Set(vaults.map(({ vaultName }) => vaultName));
  for (const vault of plans.flatMap(({ _declared }) => _declared.copies)) {
    names.add('vaultName' in vault ? (vault.vaultName as string) : vault.backupVaultRef.backupVaultName);
  }
  const counts = [...names].map((name) => backupMetric('NumberOfCopyJobsFailed', name));
  return sumOf([...counts, ...ruleMetrics(['CopyFailed'])], 'copies failed');
}
