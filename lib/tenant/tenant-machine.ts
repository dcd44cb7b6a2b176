import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as tasks from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { STEPFUNCTIONS_USE_DISTRIBUTED_MAP_RESULT_WRITER_V2 } from 'aws-cdk-lib/cx-api';
import { Construct } from 'constructs';
import { RUNS } from './archive-bucket';
import { runTask, type TenantStepsOptions, tenantSteps } from './tenant-steps';
import type { TenantTask } from './tenant-task';

/** A fixed list of tenants, as an asset. */
export interface TenantList {
  readonly bucket: IBucket;
  readonly key: string;
  readonly count: number;
}

export interface MachineOptions extends TenantStepsOptions {
  readonly bucket: IBucket;
  /** Finds the tenants; or the list of them. */
  readonly tenants: lambda.IFunction | TenantList;
  /** Chooses some of them. */
  readonly sample?: lambda.IFunction;
  /** Makes keys for those that have none. */
  readonly keyMaker?: lambda.IFunction;
  readonly report: lambda.IFunction;
  readonly maxConcurrency: number;
  readonly timeout: Duration;
}

/** The list of tenants: read from where runs are kept, and from nowhere else. */
class TenantsReader extends sfn.S3JsonItemReader {
  constructor(
    private readonly place: IBucket,
    key: string,
    private readonly allowed: string,
  ) {
    super({ bucket: place, key });
  }

  public override providePolicyStatements(): iam.PolicyStatement[] {
    return [
      new iam.PolicyStatement({
        actions: ['s3:GetObject'],
        resources: [this.place.arnForObjects(this.allowed)],
      }),
    ];
  }
}

/** Where results go: by CDK's own, a run could read and write archives, too. */
class RunResults extends sfn.ResultWriterV2 {
  constructor(private readonly place: IBucket) {
    super({ bucket: place, prefix: `${RUNS}results` });
  }

  public override providePolicyStatements(): iam.PolicyStatement[] {
    return [
      new iam.PolicyStatement({
        actions: ['s3:PutObject', 's3:GetObject', 's3:ListMultipartUploadParts', 's3:AbortMultipartUpload'],
        resources: [this.place.arnForObjects(`${RUNS}results/*`)],
      }),
    ];
  }
}

/** Tenants are found, each is dumped on its own, and the report fails the run when any of them is without a backup. */
export function tenantMachine(parent: Construct, id: string, options: MachineOptions): sfn.StateMachine {
  const scope = new Construct(parent, id);
  // CDK looks at `resultWriterV2` only under this flag, and at a deprecated property without it.
  scope.node.setContext(STEPFUNCTIONS_USE_DISTRIBUTED_MAP_RESULT_WRITER_V2, true);
  const { bucket, tenants, report } = options;
  const find = findTenants(scope, tenants);
  const list = 'grantInvoke' in tenants ? undefined : tenants;
  const reader =
    list && !options.sample
      ? new TenantsReader(list.bucket, list.key, list.key)
      : new TenantsReader(bucket, sfn.JsonPath.stringAt('$.key'), `${RUNS}*`);

  const steps = tenantSteps(scope, options);
  const each = new sfn.DistributedMap(scope, 'EachTenant', {
    itemReader: reader,
    // One failing tenant must not keep the others from their backups; the report fails the run in the end.
    toleratedFailurePercentage: 100,
    maxConcurrency: options.maxConcurrency,
    mapExecutionType: sfn.StateMachineType.STANDARD,
    label: 'EachTenant',
    resultPath: '$.results',
    resultWriterV2: new RunResults(bucket),
  }).itemProcessor(options.keyMaker ? ensureKey(scope, options.keyMaker).next(steps) : steps);

  const tell = new tasks.LambdaInvoke(scope, 'Report', {
    lambdaFunction: report,
    payload: sfn.TaskInput.fromObject({
      run: sfn.JsonPath.stringAt('$$.Execution.Name'),
      bucket: sfn.JsonPath.stringAt('$.bucket'),
      key: sfn.JsonPath.stringAt('$.key'),
      count: sfn.JsonPath.numberAt('$.count'),
      results: sfn.JsonPath.objectAt('$.results'),
    }),
    payloadResponseOnly: true,
  });

  const machine = loggedMachine(scope, {
    comment:
      options.action === 'dump'
        ? 'Dumps every tenant, each on its own, and fails when any of them is without a backup'
        : 'Restores some tenants beside their live databases, checks and drops them, and fails when any does not restore',
    definition: (options.sample ? find.next(choose(scope, options.sample)) : find).next(each).next(tell),
    timeout: options.timeout,
  });
  for (const statement of options.large?.task.runStatements() ?? []) machine.addToRolePolicy(statement);
  return machine;
}

/** Does by a task, without a limit of time, what the worker is asked to: its input is the worker's event. */
export function taskMachine(parent: Construct, id: string, task: TenantTask): sfn.StateMachine {
  const scope = new Construct(parent, id);
  const machine = loggedMachine(scope, {
    comment: 'Dumps, verifies, restores or undoes one large tenant',
    // Who asked for it looks at how it ended, and asks again.
    definition: runTask(scope, task, '$', false),
    timeout: Duration.days(1),
  });
  for (const statement of task.runStatements()) machine.addToRolePolicy(statement);
  return machine;
}

function loggedMachine(
  scope: Construct,
  options: { readonly comment: string; readonly definition: sfn.IChainable; readonly timeout: Duration },
): sfn.StateMachine {
  return new sfn.StateMachine(scope, 'Resource', {
    comment: options.comment,
    definitionBody: sfn.DefinitionBody.fromChainable(options.definition),
    timeout: options.timeout,
    tracingEnabled: true,
    logs: {
      level: sfn.LogLevel.ALL,
      // Inputs and outputs name tenants; the log does without them.
      includeExecutionData: false,
      destination: new logs.LogGroup(scope, 'Log', {
        retention: logs.RetentionDays.ONE_YEAR,
        removalPolicy: RemovalPolicy.RETAIN,
      }),
    },
  });
}

function ensureKey(scope: Construct, keyMaker: lambda.IFunction): tasks.LambdaInvoke {
  return new tasks.LambdaInvoke(scope, 'EnsureKey', {
    lambdaFunction: keyMaker,
    payload: sfn.TaskInput.fromObject({ tenant: sfn.JsonPath.stringAt('$.tenant') }),
    resultPath: sfn.JsonPath.DISCARD,
  });
}

function choose(scope: Construct, sample: lambda.IFunction): tasks.LambdaInvoke {
  return new tasks.LambdaInvoke(scope, 'ChooseTenants', {
    lambdaFunction: sample,
    payload: sfn.TaskInput.fromObject({
      run: sfn.JsonPath.stringAt('$$.Execution.Name'),
      bucket: sfn.JsonPath.stringAt('$.bucket'),
      key: sfn.JsonPath.stringAt('$.key'),
    }),
    payloadResponseOnly: true,
  });
}

function findTenants(
  scope: Construct,
  tenants: lambda.IFunction | TenantList,
): sfn.INextable & sfn.IChainable {
  if ('grantInvoke' in tenants) {
    return new tasks.LambdaInvoke(scope, 'FindTenants', {
      lambdaFunction: tenants,
      payload: sfn.TaskInput.fromObject({ run: sfn.JsonPath.stringAt('$$.Execution.Name') }),
      payloadResponseOnly: true,
    });
  }
  return new sfn.Pass(scope, 'ListedTenants', {
    result: sfn.Result.fromObject({
      bucket: tenants.bucket.bucketName,
      key: tenants.key,
      count: tenants.count,
    }),
  });
}
