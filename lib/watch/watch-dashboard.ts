import { Duration, Stack } from 'aws-cdk-lib';
import {
  AlarmState,
  AlarmStatusWidget,
  AlarmStatusWidgetSortBy,
  Color,
  Dashboard,
  GraphWidget,
  type IAlarm,
  type IMetric,
  type IWidget,
  LogQueryVisualizationType,
  LogQueryWidget,
  MathExpression,
  type Metric,
  type MetricOptions,
  SingleValueWidget,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { isUnresolved } from '../regime/region-check';
import { placeOfVault } from '../vault/vault-place';
import type { BackupWatchProps } from './backup-watch-props';
import type { WatchSeverity } from './severity';
import type { SurveyParts } from './survey';
import { backupMetric, snapshotMetric } from './watch-metrics';
import { newestWithinMinutes } from './windows';

export interface DashboardOptions {
  readonly regime: string;
  readonly runbookUrl: string;
  /** Read when the dashboard is written: more may come. */
  readonly alarms: IAlarm[];
  readonly props: BackupWatchProps;
  readonly parts: SurveyParts;
  readonly survey: (name: string, options?: MetricOptions) => Metric;
  readonly surveyLog?: string;
  readonly events: readonly { metric: Metric; label: string; severity: WatchSeverity }[];
}

const HOUR = Duration.hours(1);

/** What is wrong first, then how bad it is, then the rest: read from the top, and stop where all is well. */
export function watchDashboard(scope: Construct, options: DashboardOptions): Dashboard {
  const dashboard = new Dashboard(scope, 'Dashboard', { defaultInterval: Duration.days(3) });
  for (const row of rows(Stack.of(scope), options)) dashboard.addWidgets(...row);
  return dashboard;
}

function rows(stack: Stack, options: DashboardOptions): IWidget[][] {
  const { regime, runbookUrl, alarms, parts } = options;
  return [
    [
      new TextWidget({
        width: 24,
        height: 2,
        markdown:
          `# Backups of ${regime} in ${stack.region}\n` +
          `What rings stands below; [what it means and what to do](${runbookUrl}).`,
      }),
    ],
    [
      new AlarmStatusWidget({
        title: 'Wrong now',
        width: 24,
        height: 3,
        alarms,
        states: [AlarmState.ALARM],
        sortBy: AlarmStatusWidgetSortBy.STATE_UPDATED_TIMESTAMP,
      }),
    ],
    ...(Object.values(parts).some(Boolean) ? [numbers(options), troubles(options)] : []),
    [new AlarmStatusWidget({ title: 'All alarms', width: 24, height: 4, alarms })],
    jobs(options),
    ages(options),
    ...(options.props.snapshots?.length ? [snapshots(options)] : []),
    events(options),
  ].filter((row) => row.length > 0);
}

/** The state of things in a few numbers; all but the ages should be nought. */
function numbers({ parts, survey }: DashboardOptions): IWidget[] {
  const number = (title: string, metrics: IMetric[], width = 4) =>
    new SingleValueWidget({ title, metrics, width, height: 3, setPeriodToTimeRange: false });
  const hours = (name: string, label: string) =>
    new MathExpression({
      expression: 'seconds / 3600',
      usingMetrics: { seconds: survey(name, { period: HOUR }) },
      label,
      period: HOUR,
    });
  return [
    ...(parts.resources
      ? [
          number(
            'Resources, stale, unprotected',
            [
              survey('ProtectedResources', { label: 'selected' }),
              survey('StaleResources', { label: 'stale' }),
              survey('UnprotectedResources', { label: 'without any' }),
            ],
            8,
          ),
          number('Oldest newest recovery point', [hours('WorstAge', 'hours')]),
        ]
      : []),
    ...(parts.snapshots
      ? [
          number('Volumes', [
            survey('SnapshotVolumes', { label: 'of tagged instances' }),
            survey('StaleVolumes', { label: 'without a recent snapshot' }),
          ]),
        ]
      : []),
    ...(parts.resources || parts.copies
      ? [
          number('Late', [
            ...(parts.resources ? [survey('LateJobs', { label: 'jobs' })] : []),
            ...(parts.copies ? [survey('LateCopies', { label: 'copies' })] : []),
          ]),
        ]
      : []),
    ...(parts.drills
      ? [
          number('Last good drill', [
            hours('DrillAge', 'hours ago'),
            survey('OverdueDrills', { label: 'plans overdue' }),
          ]),
        ]
      : []),
  ];
}

/** By name: whoever was woken needs no query of his own. */
function troubles({ surveyLog }: DashboardOptions): IWidget[] {
  if (surveyLog === undefined) return [];
  return [
    new LogQueryWidget({
      title: 'What the survey found, by name',
      width: 24,
      height: 6,
      view: LogQueryVisualizationType.TABLE,
      logGroupNames: [surveyLog],
      queryLines: [
        'fields @timestamp, message, arn, where, ageMinutes',
        'filter level in ["WARN", "ERROR"]',
        'sort @timestamp desc',
        'limit 100',
      ],
    }),
  ];
}

function jobs({ props }: DashboardOptions): IWidget[] {
  const vaults = [...new Set(props.vaults.map(({ vaultName }) => vaultName))];
  const graph = (title: string, states: [string, string, string][]) =>
    new GraphWidget({
      title,
      width: 8,
      height: 6,
      stacked: true,
      left: vaults.flatMap((vault) =>
        states.map(([name, label, color]) =>
          backupMetric(name, vault, undefined, {
            period: HOUR,
            color,
            label: vaults.length > 1 ? `${label} (${vault})` : label,
          }),
        ),
      ),
    });
  return [
    graph('Backup jobs', [
      ['NumberOfBackupJobsFailed', 'failed', Color.RED],
      ['NumberOfBackupJobsExpired', 'expired', Color.ORANGE],
      ['NumberOfBackupJobsAborted', 'aborted', Color.PINK],
      ['NumberOfRecoveryPointsPartial', 'partial', Color.PURPLE],
      ['NumberOfBackupJobsCompleted', 'completed', Color.GREEN],
    ]),
    copies(props),
    drills(props, vaults),
  ];
}

/** Copies are counted under the vault they go to. */
function copies({ plans = [], vaults }: BackupWatchProps): IWidget {
  const names = new Set(vaults.map(({ vaultName }) => vaultName));
  const arrived = new Map<string, Metric>();
  for (const vault of plans.flatMap(({ _declared }) => _declared.copies)) {
    const { region, account } = placeOfVault(vault);
    const name = vault.backupVaultRef.backupVaultName;
    if (isUnresolved(region) || isUnresolved(name)) continue;
    names.add(name);
    if (account !== vaults[0]?.env.account) continue;
    arrived.set(
      `${region} ${name}`,
      backupMetric('NumberOfRecoveryPointsCompleted', name, undefined, {
        period: HOUR,
        region,
        label: `arrived in ${region}`,
      }),
    );
  }
  return new GraphWidget({
    title: 'Copies',
    width: 8,
    height: 6,
    left: [
      ...[...names].flatMap((name) => [
        backupMetric('NumberOfCopyJobsFailed', name, undefined, {
          period: HOUR,
          color: Color.RED,
          label: 'failed',
        }),
        backupMetric('NumberOfCopyJobsCompleted', name, undefined, {
          period: HOUR,
          color: Color.GREEN,
          label: 'completed',
        }),
      ]),
      ...arrived.values(),
    ],
  });
}

function drills({ drills: plans = [] }: BackupWatchProps, vaults: string[]): IWidget {
  return new GraphWidget({
    title: 'Restores and restore tests',
    width: 8,
    height: 6,
    left: [
      ...plans.flatMap((plan) => [
        plan.metricFailed({ period: HOUR, color: Color.RED, label: `${plan.planName}: judged bad` }),
        plan.metricPassed({ period: HOUR, color: Color.GREEN, label: `${plan.planName}: judged good` }),
      ]),
      ...vaults.flatMap((vault) => [
        backupMetric('NumberOfRestoreJobsFailed', vault, undefined, {
          period: HOUR,
          color: Color.ORANGE,
          label: 'restores failed',
        }),
        backupMetric('NumberOfRestoreJobsCompleted', vault, undefined, {
          period: HOUR,
          color: Color.BLUE,
          label: 'restores completed',
        }),
      ]),
    ],
  });
}

function ages({ props, parts, survey }: DashboardOptions): IWidget[] {
  const limits = (props.plans ?? []).flatMap((plan) => newestWithinMinutes(plan) ?? []);
  return [
    ...(parts.resources
      ? [
          new GraphWidget({
            title: 'Age of the newest recovery point, of the resource where it is oldest',
            width: 12,
            height: 6,
            left: [survey('WorstAge', { label: 'seconds' })],
            leftAnnotations: [...new Set(limits)].map((minutes) => ({
              value: minutes * 60,
              label: 'allowed',
              color: Color.RED,
            })),
          }),
        ]
      : []),
    ...(props.plans?.some(({ _declared }) => _declared.rules.some((rule) => rule.props.continuous))
      ? [
          new GraphWidget({
            title: 'Continuous backup, behind by',
            width: 12,
            height: 6,
            left: [survey('ContinuousLag', { label: 'seconds' })],
          }),
        ]
      : []),
    new GraphWidget({
      title: 'Recovery points',
      width: 12,
      height: 6,
      left: props.vaults.flatMap(({ vaultName }) => [
        backupMetric('NumberOfRecoveryPointsCompleted', vaultName, undefined, {
          period: HOUR,
          label: 'made',
        }),
        backupMetric('NumberOfRecoveryPointsExpired', vaultName, undefined, {
          period: HOUR,
          label: 'not deleted in time',
          color: Color.RED,
        }),
      ]),
    }),
  ];
}

function snapshots({ props }: DashboardOptions): IWidget[] {
  return (props.snapshots ?? []).map((policy) => {
    const id = policy.policyId;
    const count = (name: string, label: string, color?: string) =>
      snapshotMetric(name, id, { period: HOUR, label, color });
    return new GraphWidget({
      title: 'Instance snapshots',
      width: 12,
      height: 6,
      left: [
        count('SnapshotsCreateCompleted', 'made', Color.GREEN),
        count('SnapshotsCreateFailed', 'failed', Color.RED),
        ...(policy._declared.copies?.length
          ? [
              count('SnapshotsCopiedRegionCompleted', 'copied', Color.BLUE),
              count('SnapshotsCopiedRegionFailed', 'copies failed', Color.ORANGE),
            ]
          : []),
      ],
    });
  });
}

function events({ events: all }: DashboardOptions): IWidget[] {
  return [
    new GraphWidget({
      title: 'Events that were told of',
      width: 24,
      height: 5,
      stacked: true,
      left: all.map(({ metric, label, severity }) =>
        metric.with({ label: `${label} (${severity})`, period: HOUR }),
      ),
    }),
  ];
}
