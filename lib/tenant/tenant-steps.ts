import { Duration, Stack } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as tasks from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import type { TenantTask } from './tenant-task';

/** What works on large tenants, and which they are. */
export interface LargeTenantSteps {
  readonly task: TenantTask;
  readonly thresholdBytes: number;
  /** Dumps go to several stores: those that have the archive would get another one by another try. */
  readonly severalStores: boolean;
}

export interface TenantStepsOptions {
  readonly worker: lambda.IFunction;
  /** What is done for each. */
  readonly action: 'dump' | 'drill';
  readonly large?: LargeTenantSteps;
}

/** The function's time was over: by its own count, or by Lambda's. */
const OUT_OF_TIME = ['TenantTimeError', 'Sandbox.Timedout'];
/** The task was not begun: no room or too many calls at the moment, on the side of ECS. */
const NOT_BEGUN = [
  'ECS.AmazonECSException',
  'ECS.SdkClientException',
  'ECS.ServerException',
  'ECS.ThrottlingException',
  'AmazonECS.Unknown',
];
const TWICE_AGAIN = {
  interval: Duration.seconds(30),
  backoffRate: 3,
  maxAttempts: 2,
  jitterStrategy: sfn.JitterType.FULL,
};

/** What is done for one tenant: by the function, or by a task when the tenant is large or the function's time is over. */
export function tenantSteps(scope: Construct, options: TenantStepsOptions): sfn.IChainable {
  const { worker, action, large } = options;
  const event = {
    action,
    tenant: sfn.JsonPath.stringAt('$.tenant'),
    database: sfn.JsonPath.stringAt('$.database'),
  };
  const byFunction = new tasks.LambdaInvoke(scope, action === 'dump' ? 'Dump' : 'Drill', {
    lambdaFunction: worker,
    payload: sfn.TaskInput.fromObject(event),
    payloadResponseOnly: true,
    retryOnServiceExceptions: false,
  });
  // The archive is whole in some stores: another try would only make a second one there.
  if (action === 'dump') byFunction.addRetry({ errors: ['TenantCopyError'], maxAttempts: 0 });
  // Another try would take as long.
  byFunction.addRetry({ errors: OUT_OF_TIME, maxAttempts: 0 });
  byFunction.addRetry(TWICE_AGAIN);
  if (!large) return byFunction;

  const asTask = new sfn.Pass(scope, 'EventOfTask', { parameters: event, resultPath: '$.event' });
  asTask.next(runTask(scope, large.task, '$.event', !large.severalStores));
  byFunction.addCatch(asTask, { errors: OUT_OF_TIME, resultPath: '$.outOfTime' });
  return new sfn.Choice(scope, 'IsLarge', { comment: 'Where the size is not known, the function begins' })
    .when(
      sfn.Condition.and(
        sfn.Condition.isPresent('$.bytes'),
        sfn.Condition.numberGreaterThanEquals('$.bytes', large.thresholdBytes),
      ),
      asTask,
    )
    .otherwise(byFunction);
}

/**
 * Runs the task with the event at a path and waits for its end; only exit code 0 is a success. `again`: another try when
 * it fails, whatever the reason: a task has no error of its own to tell.
 */
export function runTask(scope: Construct, task: TenantTask, event: string, again: boolean): sfn.IChainable {
  const run = new sfn.CustomState(scope, 'RunTask', {
    stateJson: {
      Type: 'Task',
      Resource: `arn:${Stack.of(scope).partition}:states:::ecs:runTask.sync`,
      Parameters: task.runWith(`States.JsonToString(${event})`),
      // A task that never ran has no exit code: then this fails, as it should.
      ResultSelector: {
        'exitCode.$': 'States.ArrayGetItem($.Containers[*].ExitCode, 0)',
        'task.$': '$.TaskArn',
      },
    },
  });
  run.addRetry({
    errors: NOT_BEGUN,
    interval: Duration.minutes(1),
    backoffRate: 2,
    maxAttempts: 6,
    jitterStrategy: sfn.JitterType.FULL,
  });
  if (again) run.addRetry(TWICE_AGAIN);
  const ended = new sfn.Choice(scope, 'EndedWell')
    .when(sfn.Condition.numberEquals('$.exitCode', 0), new sfn.Succeed(scope, 'Done'))
    .otherwise(
      new sfn.Fail(scope, 'TaskFailed', {
        error: 'TaskFailed',
        cause: 'the task ended with another exit code than 0: its log says why',
      }),
    );
  return run.next(ended);
}
