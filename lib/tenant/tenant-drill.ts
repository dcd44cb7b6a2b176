import { Duration, Names } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { addProblem } from '../problems';
import { recordDrill } from '../record-layer';
import { zipFunction } from '../shipped-functions';
import { RUNS } from './archive-bucket';
import { runsFailed, scheduledRun } from './scheduled-run';
import type { TenantBackups } from './tenant-backups';
import { tenantMachine } from './tenant-machine';
import { explainToNag } from './tenant-nag';
import { daily } from './tenant-pruning';

/** Which tenants are restored for a trial, when, and how long may pass without. */
export interface TenantDrillProps {
  /** The backups that are drilled. */
  readonly backups: TenantBackups;

  /**
   * How many tenants, chosen at random each time.
   *
   * @default 5
   */
  readonly sampleSize?: number;

  /**
   * When: a cron or rate expression.
   *
   * @default 'cron(0 4 ? * SUN *)'
   */
  readonly schedule?: string;

  /**
   * How old the last good drill may become before an alarm rings.
   *
   * @default Duration.days(8)
   */
  readonly maxAge?: Duration;

  /**
   * How long a drill may take.
   *
   * @default Duration.hours(6)
   */
  readonly maxDuration?: Duration;

  /**
   * Where alarms go.
   *
   * @default - where those of the backups go
   */
  readonly alarmTopic?: sns.ITopic;
}

/** What is in the record of the last good drill. */
const LAST_DRILL = `${RUNS}last-drill.json`;

/**
 * A backup that was not restored is not a backup: every week, tenants chosen at random are restored beside their live
 * databases, held against what their archives say, and dropped again. The live databases are not touched; the server
 * needs room for the largest tenant once more.
 */
export class TenantDrill extends Construct {
  /** One drill. */
  public readonly stateMachine: sfn.IStateMachine;

  /** Rings when a drill fails: some tenant's archive did not restore. */
  public readonly failedAlarm: cloudwatch.Alarm;

  /** Rings when the last good drill is too old, whatever the reason. */
  public readonly overdueAlarm: cloudwatch.Alarm;

  private readonly drill: string;

  constructor(scope: Construct, id: string, props: TenantDrillProps) {
    super(scope, id);
    const { backups, sampleSize = 5 } = props;
    if (!Number.isInteger(sampleSize) || sampleSize < 1)
      addProblem(this, `sampleSize is ${sampleSize}: write a whole number of tenants, at least 1`);
    const maxAge = props.maxAge ?? Duration.days(8);
    this.drill = Names.uniqueResourceName(this, { maxLength: 128 });
    const { bucket } = backups;
    const { tenants, worker, large } = backups._drill;
    const runs = bucket.arnForObjects(`${RUNS}*`);
    const allow = (action: string, resource: string) =>
      new iam.PolicyStatement({ actions: [action], resources: [resource] });
    const lists =
      'count' in tenants ? [allow('s3:GetObject', tenants.bucket.arnForObjects(tenants.key))] : [];

    const sample = zipFunction(this, 'Sample', 'sample', {
      description: 'Chooses the tenants of a drill at random',
      environment: { SOVEREIGN_SAMPLE: String(sampleSize), SOVEREIGN_BUCKET: bucket.bucketName },
      memorySize: 512,
      timeout: Duration.minutes(5),
      statements: [allow('s3:GetObject', runs), allow('s3:PutObject', runs), ...lists],
    });
    const report = zipFunction(this, 'Report', 'report', {
      description: 'Compares the tenants that were to be restored with those that were',
      environment: { SOVEREIGN_REGIME: backups.regime.id, SOVEREIGN_DRILL_BUCKET: bucket.bucketName },
      memorySize: 512,
      timeout: Duration.minutes(5),
      statements: [allow('s3:GetObject', runs), allow('s3:PutObject', bucket.arnForObjects(LAST_DRILL))],
    });
    large?.task.tellReason(report);
    this.stateMachine = tenantMachine(this, 'Run', {
      bucket,
      tenants,
      worker,
      action: 'drill',
      large,
      sample,
      report,
      // One after the other: a drill must not take the server from those who work.
      maxConcurrency: 1,
      timeout: props.maxDuration ?? Duration.hours(6),
    });
    scheduledRun(this, {
      machine: this.stateMachine,
      what: `restore drills of ${backups.regime.id}`,
      schedule: props.schedule ?? 'cron(0 4 ? * SUN *)',
    });
    recordDrill(this, backups, props.schedule ?? 'cron(0 4 ? * SUN *)');
    const age = zipFunction(this, 'Age', 'drill-age', {
      description: 'Says how old the last good drill is',
      environment: { SOVEREIGN_BUCKET: bucket.bucketName, SOVEREIGN_DRILL: this.drill },
      memorySize: 256,
      timeout: Duration.minutes(1),
      statements: [
        new iam.PolicyStatement({
          actions: ['s3:ListBucket'],
          resources: [bucket.bucketArn],
          conditions: { StringEquals: { 's3:prefix': LAST_DRILL } },
        }),
      ],
    });
    daily(this, 'AgeSchedule', age, 'rate(6 hours)');

    this.failedAlarm = new cloudwatch.Alarm(this, 'FailedAlarm', {
      alarmDescription:
        `A restore drill of ${backups.regime.id} failed: at least one tenant's archive did not restore. ` +
        'The failed execution names the tenants.',
      metric: this.metricFailed(),
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    });
    this.overdueAlarm = new cloudwatch.Alarm(this, 'OverdueAlarm', {
      alarmDescription:
        `No restore drill of ${backups.regime.id} has succeeded for ${maxAge.toDays()} days. ` +
        'Is the schedule enabled, and does a drill start?',
      metric: this.metricAge(),
      threshold: maxAge.toDays(),
      // The first drill of a new deployment comes within its schedule; until then it is overdue, and says so.
      evaluationPeriods: 1,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.BREACHING,
    });
    const action = new SnsAction(props.alarmTopic ?? backups.alarmTopic);
    for (const alarm of [this.failedAlarm, this.overdueAlarm]) {
      alarm.addAlarmAction(action);
      alarm.addOkAction(action);
    }
    explainToNag(this, true);
  }

  /** Drills that did not succeed. */
  public metricFailed(options: cloudwatch.MetricOptions = {}): cloudwatch.IMetric {
    return runsFailed(this.stateMachine, 'drills failed', options);
  }

  /** Days since the last good drill. */
  public metricAge(options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return new cloudwatch.Metric({
      namespace: 'SovereignBackup',
      metricName: 'DaysSinceDrill',
      dimensionsMap: { drill: this.drill },
      statistic: 'Minimum',
      period: Duration.days(1),
      ...options,
    });
  }
}
