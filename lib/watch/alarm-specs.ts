import { Duration } from 'aws-cdk-lib';
import { type IMetric, type Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { InstanceSnapshots } from '../snapshot';
import type { BackupWatchProps } from './backup-watch-props';
import type { SurveyParts } from './survey';
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
    ...missingSpecs(props),
    ...(parts.resources ? resourceAlarms(found, patience) : []),
    ...(parts.copies ? copyAlarms(found, copiesFailed(subject)) : []),
    ...(parts.lag ? [lagAlarm(found)] : []),
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

/** One for each type that plans name, since the jobs of one type hide that another has none. */
function missingSpecs({ vaults, plans = [] }: BackupWatchProps): AlarmSpec[] {
  const hoursOf = new Map<string | undefined, number>();
  for (const plan of plans) {
    const minutes = newestWithinMinutes(plan);
    if (minutes === undefined) continue;
    const hours = Math.ceil(minutes / 60);
    for (const { options } of plan._declared.selections) {
      for (const type of options.types?.map(({ name }) => name) ?? [undefined]) {
        hoursOf.set(type, Math.min(hours, hoursOf.get(type) ?? hours));
      }
    }
  }
  // Rarer than CloudWatch can look back: of those the survey tells.
  return [...hoursOf]
    .filter(([, hours]) => hours <= LONGEST_HOURS)
    .map(([type, hours]) => {
      const label = `${type ?? ''} backups completed`.trim();
      const completed = sumOfVaults(vaults, 'NumberOfBackupJobsCompleted', label, type, Duration.hours(1));
      return missingAlarm(type, completed, hours);
    });
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
