import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { span } from '../objective/worst-case';
import { addWarning } from '../problems';

export interface TenantAlarmsOptions {
  readonly regime: string;
  readonly topic: sns.ITopic;
  readonly failed: cloudwatch.IMetric;
  /** Successful runs of each hour. */
  readonly succeeded: cloudwatch.IMetric;
  /** How long there may be no success: from run to run, and the longest run. */
  readonly waited: Duration;
}

/** CloudWatch looks back a week at most. */
const LONGEST = Duration.days(7);

/** One alarm for runs that fail, and one for runs that never happen, of which nobody else would tell. */
export function tenantAlarms(
  scope: Construct,
  options: TenantAlarmsOptions,
): { readonly failed: cloudwatch.Alarm; readonly missing: cloudwatch.Alarm } {
  const { regime } = options;
  if (options.waited.toMinutes() > LONGEST.toMinutes()) {
    addWarning(
      scope,
      'missing-alarm-early',
      `runs may be ${span(options.waited.toMinutes())} apart and CloudWatch looks back 7 days at most: the alarm for missing ` +
        'runs will ring early, dump more often',
    );
  }
  const hours = Math.min(LONGEST.toHours(), Math.ceil(options.waited.toMinutes() / 60));
  const failed = new cloudwatch.Alarm(scope, 'FailedAlarm', {
    alarmDescription:
      `A run of the tenant backups of ${regime} failed: at least one tenant has no new backup. ` +
      'The failed execution names the tenants.',
    metric: options.failed,
    threshold: 1,
    evaluationPeriods: 1,
    comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
  });
  const missing = new cloudwatch.Alarm(scope, 'MissingAlarm', {
    alarmDescription:
      `No run of the tenant backups of ${regime} has succeeded for ${span(hours * 60)}. ` +
      'Is the schedule enabled, and does a run start?',
    metric: options.succeeded,
    threshold: 1,
    evaluationPeriods: hours,
    comparisonOperator: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
    // No run at all sends no data: that is what this alarm is for.
    treatMissingData: cloudwatch.TreatMissingData.BREACHING,
  });
  const action = new SnsAction(options.topic);
  for (const alarm of [failed, missing]) {
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
  }
  return { failed, missing };
}
