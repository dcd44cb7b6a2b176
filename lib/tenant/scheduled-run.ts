import { Duration, Stack, type TimeZone } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Schedule, ScheduleExpression, TimeWindow } from 'aws-cdk-lib/aws-scheduler';
import { StepFunctionsStartExecution } from 'aws-cdk-lib/aws-scheduler-targets';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';

export interface ScheduledRunOptions {
  readonly machine: sfn.IStateMachine;
  /** What runs, for people: `tenant backups of eu`. */
  readonly what: string;
  readonly schedule: string;
  readonly timeZone?: TimeZone;
}

/** Starts a state machine by schedule, with a role that can do nothing else. */
export function scheduledRun(scope: Construct, options: ScheduledRunOptions): Schedule {
  const { machine, what, schedule, timeZone } = options;
  return new Schedule(scope, 'Schedule', {
    description: what,
    schedule: ScheduleExpression.expression(schedule, timeZone),
    timeWindow: TimeWindow.off(),
    target: new StepFunctionsStartExecution(machine, {
      role: new iam.Role(scope, 'ScheduleRole', {
        description: `Starts the runs: ${what}`,
        assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
          conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
        }),
      }),
      retryAttempts: 3,
      maxEventAge: Duration.hours(1),
    }),
  });
}

/** Runs that failed, were stopped or took too long. */
export function runsFailed(
  machine: sfn.IStateMachine,
  label: string,
  options: cloudwatch.MetricOptions,
): cloudwatch.IMetric {
  const period = { statistic: 'Sum', period: Duration.minutes(5), ...options };
  return new cloudwatch.MathExpression({
    expression: 'FILL(failed, 0) + FILL(timedOut, 0) + FILL(aborted, 0)',
    label: options.label ?? label,
    period: period.period,
    usingMetrics: {
      failed: machine.metricFailed(period),
      timedOut: machine.metricTimedOut(period),
      aborted: machine.metricAborted(period),
    },
  });
}
