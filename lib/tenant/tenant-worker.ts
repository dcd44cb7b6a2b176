import { Duration, Size, Stack } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { addProblem } from '../problems';
import { type FunctionOptions, workerFunction } from '../shipped-functions';
import type { DatabaseServer } from './database-server';
import { dumpEnvironment } from './dump-environment';
import type { ExternalStore } from './external-store';
import { taskSizeProblems } from './large-tenants';
import type { SharedTenancy } from './shared-tenancy';
import type { TenantBackupsProps } from './tenant-backups-props';
import { REGIME_TAG } from './tenant-key-maker';
import type { TenantKeys } from './tenant-keys';
import { retentionPolicy } from './tenant-pruning';
import { tenantRole } from './tenant-role';
import { TenantTask } from './tenant-task';

/** As much as Lambda gives. */
const WORKER_STORAGE = Size.gibibytes(10);
/** What a dump's temporary folder leaves free for others. */
const SPARE = Size.mebibytes(256);
/**
 * Measured on two processors that also ran the server, a dump reads 130 MB of a database a second, and a restore loads
 * 85 MB, of MariaDB 33. A function of 2048 MiB has little more than one processor; at two fifths of the slowest, 10 GiB
 * are restored for a drill in 14 minutes, within its 15, and dumped in four.
 */
const LARGE = Size.gibibytes(10);

/** From here on a tenant is large. A dump by several sessions lies on disk first, so the function begins what fits there. */
export function largeFrom({ dumps, largeTenants, workerStorage }: TenantBackupsProps): Size {
  if (largeTenants?.threshold) return largeTenants.threshold;
  const disk = (workerStorage ?? WORKER_STORAGE).toMebibytes() - SPARE.toMebibytes();
  return (dumps?.jobs ?? 1) > 1 && disk < LARGE.toMebibytes() ? Size.mebibytes(disk) : LARGE;
}

export interface TenantWorkersOptions {
  readonly props: TenantBackupsProps;
  readonly bucket: s3.IBucket;
  readonly keys: TenantKeys;
  readonly sharedKey: kms.IKey;
  readonly regime: string;
  readonly retention: Duration;
  readonly externalStores: ExternalStore[];
  readonly shared: SharedTenancy;
  readonly environment: { [name: string]: string };
  readonly network: Partial<FunctionOptions>;
}

export interface TenantWorkers {
  readonly worker: lambda.DockerImageFunction;
  /** For large tenants, where they are declared. */
  readonly task?: TenantTask;
  readonly tenantRole: iam.Role;
}

/** What dumps and restores: a function, and a task for large tenants, alike in all that they may and are told. */
export function tenantWorkers(scope: Construct, options: TenantWorkersOptions): TenantWorkers {
  const { props, keys, externalStores, shared } = options;
  const { server } = props.source;
  const worker = workerFunction(scope, 'Worker', {
    description: 'Dumps, verifies, restores and undoes one tenant',
    environment: options.environment,
    memorySize: props.workerMemory ?? 2048,
    ephemeralStorageSize: props.workerStorage ?? WORKER_STORAGE,
    timeout: Duration.minutes(15),
    ...options.network,
  });
  const task = taskFor(scope, options);
  // Then a function whose time is over has not failed: a task begins that tenant anew.
  if (task) worker.addEnvironment('SOVEREIGN_TASK_FOLLOWS', 'true');
  checkRoom(scope, props);
  const role = tenantRole(scope, 'TenantRole', {
    workers: [worker.role!, ...(task ? [task.role] : [])],
    bucket: options.bucket,
    key: keys.isPerTenant ? undefined : options.sharedKey,
    regime: options.regime,
  });
  const told: { [name: string]: string } = {
    ...dumpEnvironment(scope, props.source, props.dumps),
    SOVEREIGN_RETENTION: retentionPolicy(options.retention, props.generations),
    SOVEREIGN_TENANT_ROLE_ARN: role.roleArn,
    ...(keys.isPerTenant ? { SOVEREIGN_TENANT_KEYS: 'per-tenant' } : {}),
    ...(externalStores.length > 0
      ? {
          SOVEREIGN_EXTERNAL_STORES: Stack.of(scope).toJsonString(
            externalStores.map(({ url, credentials }) => ({ url, secretArn: credentials.secretArn })),
          ),
        }
      : {}),
  };
  for (const each of [worker, ...(task ? [task] : [])]) {
    for (const [name, value] of Object.entries(told)) each.addEnvironment(name, value);
    for (const { credentials } of externalStores) credentials.grantRead(each);
    letLogIn(scope, each, server);
    if (props.dumps?.replica?.iamResourceId) letLogIn(scope, each, props.dumps.replica);
    shared.grantRead(each);
    server.staging?.grantUse(each);
  }
  server.staging?._letEncrypt(
    keys.isPerTenant ? { tag: REGIME_TAG, value: options.regime } : { key: options.sharedKey },
  );
  return { worker, task, tenantRole: role };
}

/** Whoever is just too small for a task must fit on the function's disk. */
function checkRoom(scope: Construct, props: TenantBackupsProps): void {
  const { dumps, largeTenants, workerStorage } = props;
  if (!((dumps?.jobs ?? 1) > 1) || !largeTenants) return;
  const disk = (workerStorage ?? WORKER_STORAGE).toMebibytes();
  const most = largeFrom(props).toMebibytes();
  if (most + SPARE.toMebibytes() <= disk) return;
  addProblem(
    scope,
    `dumps: several jobs write a tenant of up to ${most} MiB (largeTenants.threshold) to the worker's disk of ${disk} MiB, ` +
      `of which ${SPARE.toMebibytes()} stay free: lower the threshold to ${Math.max(1, disk - SPARE.toMebibytes())} MiB or less, ` +
      'raise workerStorage, or leave jobs out',
  );
}

function taskFor(
  scope: Construct,
  { props, environment, network }: TenantWorkersOptions,
): TenantTask | undefined {
  const { largeTenants } = props;
  if (!largeTenants) return undefined;
  const { cpu = 2048, memoryLimitMiB = 4096, ephemeralStorageGiB = 100 } = largeTenants;
  const problems = taskSizeProblems(cpu, memoryLimitMiB, ephemeralStorageGiB);
  if (!props.vpc)
    problems.push('largeTenants is given and vpc is not: tasks of Fargate run in a VPC only, so name it');
  for (const problem of problems) addProblem(scope, problem);
  if (problems.length > 0 || !props.vpc) return undefined;
  return new TenantTask(scope, 'LargeTenants', {
    environment,
    vpc: props.vpc,
    vpcSubnets: network.vpcSubnets,
    securityGroups: network.securityGroups as ec2.ISecurityGroup[],
    cpu,
    memoryLimitMiB,
    ephemeralStorageGiB,
  });
}

/** The login that the server takes: its secret, or a token made from the caller's own role. */
export function letLogIn(scope: Construct, caller: iam.IGrantable, server: DatabaseServer): void {
  server.secret?.grantRead(caller);
  if (!server.iamResourceId) return;
  const { partition, region, account } = Stack.of(scope);
  const user = `${server.iamResourceId}/${server.user}`;
  may(
    caller,
    'rds-db:connect',
    `arn:${partition}:rds-db:${server.region ?? region}:${account}:dbuser:${user}`,
  );
}

/** CDK's own grants on buckets come with wildcards that nobody here needs. */
export function may(grantee: iam.IGrantable, action: string, resource: string): void {
  iam.Grant.addToPrincipal({ grantee, actions: [action], resourceArns: [resource] });
}
