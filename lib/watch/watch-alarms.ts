import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  type MetricOptions,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { WatchSeverity } from './severity';
import { CRITICAL, WARNING } from './watched-event';

/** An alarm before it is made. */
export interface AlarmSpec {
  readonly id: string;
  readonly severity: WatchSeverity;
  /** What has happened. */
  readonly means: string;
  /** What to do at night. */
  readonly remedy: string;
  readonly metric: IMetric;
  /** Rings below this. */
  readonly below?: number;
  /** Rings above this. @default 0 */
  readonly above?: number;
  readonly periods?: number;
  readonly missing: TreatMissingData;
}

const { BREACHING, IGNORE, NOT_BREACHING } = TreatMissingData;

/** AWS sends nothing where nothing happened. */
export const counted = { missing: NOT_BREACHING };
/** A gauge of the survey; that the survey itself is missing has an alarm of its own. */
export const surveyed = { missing: IGNORE };
/** A dead man's switch. */
export const expected = { missing: BREACHING, below: 1 };

export function makeAlarm(scope: Construct, spec: AlarmSpec, regime: string, runbookUrl: string): Alarm {
  const { id, severity, means, remedy, metric, below, above = 0, periods = 1, missing } = spec;
  return new Alarm(scope, `${id}Alarm`, {
    alarmDescription: `${severity}, backups of ${regime}: ${means} ${remedy} ${runbookUrl}#${anchor(id)}`,
    metric,
    threshold: below ?? above,
    comparisonOperator:
      below === undefined
        ? ComparisonOperator.GREATER_THAN_THRESHOLD
        : ComparisonOperator.LESS_THAN_THRESHOLD,
    evaluationPeriods: periods,
    treatMissingData: missing,
  });
}

/** `MissingEC2` is in the section of `missing`. */
function anchor(id: string): string {
  const [first] = id.split('-');
  return first.replace(/[A-Z]/g, (letter, at) => (at === 0 ? letter : `-${letter}`)).toLowerCase();
}

/** CloudWatch looks back a week at most. */
export const LONGEST_HOURS = 7 * 24;

/** What makes the metrics of the alarms on jobs. */
export interface JobMetrics {
  readonly failed: IMetric;
  readonly expired: IMetric;
  readonly aborted: IMetric;
  readonly partial: IMetric;
  readonly overdue: IMetric;
  readonly restoresFailed: IMetric;
}

export function jobAlarms(metrics: JobMetrics): AlarmSpec[] {
  return [
    {
      id: 'Failed',
      severity: WARNING,
      means: 'backup jobs failed.',
      remedy:
        'The next run tries again; if the alarm stays, read the status message of the job in AWS Backup.',
      metric: metrics.failed,
      ...counted,
    },
    {
      id: 'Expired',
      severity: WARNING,
      means: 'backup jobs did not start within their start window.',
      remedy:
        'Another job of the same resource was still running, or the resource is in its maintenance window: look for jobs that hang.',
      metric: metrics.expired,
      ...counted,
    },
    {
      id: 'Aborted',
      severity: WARNING,
      means: 'backup jobs were stopped by somebody, or cancelled at the end of their completion window.',
      remedy:
        'Find StopBackupJob in CloudTrail; if nobody stopped them, give the rule a longer completionWindow.',
      metric: metrics.aborted,
      ...counted,
    },
    {
      id: 'Partial',
      severity: WARNING,
      means: 'recovery points are partial: they cannot be restored whole.',
      remedy: 'Do not count on them; see why in their status message, and that the next run is complete.',
      metric: metrics.partial,
      ...counted,
    },
    {
      id: 'Overdue',
      severity: WARNING,
      means:
        'recovery points could not be deleted at the end of their retention: data is kept for longer than was promised.',
      remedy: 'See in AWS Backup which are EXPIRED: a legal hold, a lost role or a deleted key keeps them.',
      metric: metrics.overdue,
      ...counted,
    },
    {
      id: 'RestoreFailed',
      severity: WARNING,
      means: 'restore jobs failed.',
      remedy: 'If somebody is restoring right now, help; read the status message of the restore job.',
      metric: metrics.restoresFailed,
      ...counted,
    },
  ];
}

/** Rings when a whole vault has had no success for longer than its plan allows. */
export function missingAlarm(type: string | undefined, succeeded: IMetric, hours: number): AlarmSpec {
  return {
    id: type === undefined ? 'Missing' : `Missing-${type.replace(/[^A-Za-z0-9]/g, '')}`,
    severity: CRITICAL,
    means: `no ${type === undefined ? '' : `${type} `}backup was completed for ${hours} hours.`,
    remedy:
      'Does the plan exist, does it select anything (are resources tagged), may its role still work? Start a backup by hand now.',
    metric: succeeded,
    periods: hours,
    ...expected,
  };
}

/** What the survey measures, by name. */
export type SurveyMetric = (name: string, options?: MetricOptions) => IMetric;

export function resourceAlarms(metric: SurveyMetric, patience: number): AlarmSpec[] {
  return [
    {
      id: 'Stale',
      severity: CRITICAL,
      means: 'the newest recovery point of a resource is older than its plan allows.',
      remedy:
        'The log of the survey (on the dashboard) names the resources. Back them up by hand now, then find out why the plan did not.',
      metric: metric('StaleResources'),
      ...surveyed,
    },
    {
      id: 'Unprotected',
      severity: CRITICAL,
      means: 'a selected resource has no recovery point at all.',
      remedy:
        'The log of the survey names the resources. Is their type switched on in the settings of AWS Backup? Back them up by hand now.',
      metric: metric('UnprotectedResources', { period: Duration.hours(1) }),
      // A new resource waits for the next run.
      periods: patience,
      ...surveyed,
    },
    {
      id: 'Late',
      severity: WARNING,
      means: 'backup jobs are not done although their window is over.',
      remedy:
        'The log of the survey names the jobs. As long as one runs, no other of its resource starts: stop it, or wait and watch.',
      metric: metric('LateJobs'),
      ...surveyed,
    },
  ];
}

export function copyAlarms(metric: SurveyMetric, failed: IMetric): AlarmSpec[] {
  return [
    {
      id: 'CopyFailed',
      severity: WARNING,
      means: 'copies to another vault failed.',
      remedy:
        'Read the status message of the copy job: mostly the key or the access policy of the destination does not let it in.',
      metric: failed,
      ...counted,
    },
    {
      id: 'CopyMissing',
      severity: CRITICAL,
      means:
        'no copy has arrived in a vault for longer than its plan allows: the loss of the region would be the loss of the data.',
      remedy:
        'The log of the survey names the vault. Do copy jobs exist? Are they denied? Start a copy by hand.',
      metric: metric('StaleCopies'),
      ...surveyed,
    },
    {
      id: 'CopyLate',
      severity: WARNING,
      means: 'copies wait or run for too long; AWS Backup sets them no limit.',
      remedy:
        'The log of the survey names them. Too many at a time wait for each other: fewer copies, or a rule of their own.',
      metric: metric('LateCopies'),
      ...surveyed,
    },
  ];
}

export function lagAlarm(metric: SurveyMetric): AlarmSpec {
  return {
    id: 'ContinuousLag',
    severity: CRITICAL,
    means: 'continuous backup of a database is behind, or has stopped.',
    remedy:
      'The log of the survey names the database. Until it has caught up, what was written since cannot be restored.',
    metric: metric('LaggingDatabases'),
    ...surveyed,
  };
}

export function drillAlarms(metric: SurveyMetric, failed: IMetric): AlarmSpec[] {
  return [
    {
      id: 'DrillFailed',
      severity: CRITICAL,
      means: 'a restore test failed: what was backed up may not be restorable.',
      remedy:
        'Read the verdict in the restore job. Restore an older recovery point by hand to see since when.',
      metric: failed,
      ...counted,
    },
    {
      id: 'DrillOverdue',
      severity: CRITICAL,
      means: 'no restore test was good for longer than its schedule allows.',
      remedy:
        'Did jobs start at all? Did the validating function give a verdict? Nothing is wrong yet, but nothing is proven either.',
      metric: metric('OverdueDrills'),
      ...surveyed,
    },
  ];
}

export function snapshotAlarms(
  metric: SurveyMetric,
  counts: { readonly succeeded: IMetric; readonly failed: IMetric; readonly copiesFailed?: IMetric },
  hours: number,
): AlarmSpec[] {
  return [
    {
      id: 'SnapshotMissing',
      severity: CRITICAL,
      means: `the lifecycle policy has made no snapshot for ${hours} hours.`,
      remedy: 'Is the policy enabled and without error, are instances tagged? Make a snapshot by hand now.',
      metric: counts.succeeded,
      periods: hours,
      ...expected,
    },
    {
      id: 'SnapshotFailed',
      severity: WARNING,
      means: 'snapshots of volumes could not be made.',
      remedy:
        'The next run tries again; if the alarm stays, see the error of the policy in EC2, Lifecycle Manager.',
      metric: counts.failed,
      ...counted,
    },
    {
      id: 'SnapshotStale',
      severity: CRITICAL,
      means: 'a volume of a tagged instance has no recent snapshot.',
      remedy: 'The log of the survey names the volume. Make a snapshot of it by hand now.',
      metric: metric('StaleVolumes'),
      ...surveyed,
    },
    ...(counts.copiesFailed
      ? [
          {
            id: 'SnapshotCopyFailed',
            severity: WARNING,
            means: 'snapshots could not be copied to the other region within a day.',
            remedy:
              'Mostly the key there does not exist or does not let the policy in: see the error of the policy.',
            metric: counts.copiesFailed,
            ...counted,
          },
        ]
      : []),
  ];
}

export function cacheAlarms(failed: IMetric, succeeded: IMetric, hours: number): AlarmSpec[] {
  return [
    {
      id: 'CacheFailed',
      severity: WARNING,
      means: 'a cache was left without a new snapshot, or an old snapshot of one was not deleted.',
      remedy: 'The failed execution of the state machine names the cache and says why.',
      metric: failed,
      ...counted,
    },
    {
      id: 'CacheMissing',
      severity: WARNING,
      means: `no run over the caches has succeeded for ${hours} hours.`,
      remedy: 'Is the schedule enabled, and does a run start?',
      metric: succeeded,
      periods: hours,
      ...expected,
    },
  ];
}

export function surveyAlarm(metric: IMetric, every: Duration): AlarmSpec {
  return {
    id: 'SurveyMissing',
    severity: CRITICAL,
    means: 'the survey does not run, or not to its end: nobody looks for missing backups.',
    remedy: 'See the log of the function: most of all, a permission that was taken away.',
    metric,
    periods: Math.max(3, Math.ceil(60 / every.toMinutes())),
    ...expected,
  };
}

export function attackAlarms(metrics: { readonly deletion: IMetric; readonly keys?: IMetric }): AlarmSpec[] {
  return [
    {
      id: 'DeletionAttempt',
      severity: CRITICAL,
      means: 'somebody tries to destroy backups.',
      remedy:
        'The topic says who, what and whence, also when it was denied. If it was no deployment of yours: lock the caller out first, ask afterwards.',
      metric: metrics.deletion,
      ...counted,
    },
    ...(metrics.keys
      ? [
          {
            id: 'KeyDeletion',
            severity: CRITICAL,
            means:
              'the key of a vault is to be deleted or was disabled: without it no backup can be restored.',
            remedy:
              'Run aws kms cancel-key-deletion --key-id KEY and aws kms enable-key --key-id KEY, then find out who it was.',
            metric: metrics.keys,
            ...counted,
          },
        ]
      : []),
  ];
}
