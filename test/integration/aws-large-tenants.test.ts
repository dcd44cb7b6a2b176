// What a run does for each tenant, by the synthesized definition: moto's interpreter calls what stands in for Lambda and
// ECS, which run the built worker as the function and as the task, against a real server.
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Size } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { DatabaseServer, TenantBackups, TenantSource } from 'cdk-sovereign-backup';
import { asDocumented, type Compute, startCompute, type TaskRun } from '../support/compute';
import { invoke } from '../support/invoke';
import { type Moto, startMoto } from '../support/moto';
import { usePostgres } from '../support/postgres';
import { type Definition, definitionOf, execute } from '../support/states';
import { stackIn } from '../synth';

const password = 'pass "word" \\ of the server';
const postgres = usePostgres({ password });
const bucket = 'archives-eu';
const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' };
const keys = { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: 'not-a-secret' };
const large = `O'Brien & "Söhne" {} \\`;
let moto: Moto & { stop(): Promise<void> };
let compute: Compute;
let environment: Record<string, string>;
let steps: Definition;
let items: { tenant: string; database: string; bytes?: number }[];

beforeAll(async () => {
  compute = await startCompute(() => environment);
  moto = await startMoto({ MOTO_PORT: String(compute.port) });
  const config = { region: 'eu-central-1', endpoint: moto.endpoint, credentials };
  await new S3Client(config).send(
    new CreateBucketCommand({
      Bucket: bucket,
      CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
    }),
  );
  const key = await new KMSClient(config).send(new CreateKeyCommand({}));
  const secret = await new SecretsManagerClient(config).send(
    new CreateSecretCommand({
      Name: 'login',
      SecretString: JSON.stringify({ username: 'postgres', password }),
    }),
  );
  const { AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _key, ...reaching } = moto.environment;
  environment = {
    ...reaching,
    SOVEREIGN_REGIME: 'eu',
    SOVEREIGN_BUCKET: bucket,
    SOVEREIGN_PREFIX: 'archives/',
    SOVEREIGN_KEY_ARN: key.KeyMetadata!.Arn!,
    SOVEREIGN_SERVER: `postgres://127.0.0.1:${postgres().port}?sslmode=disable`,
    SOVEREIGN_SECRET_ARN: secret.ARN!,
    SOVEREIGN_TENANT_ROLE_ARN: 'arn:aws:iam::123456789012:role/tenant',
  };
  for (const [name, rows] of [
    ['small', 10],
    [large, 150_000],
    ['slow', 10],
  ] as const) {
    await postgres().query(`create database "${name.replaceAll('"', '""')}"`);
    await postgres().query(
      `create table notes as select i as id, md5(i::text) as body from generate_series(1, ${rows}) i`,
      [],
      name,
    );
  }
  items = await discover({});
  steps = synthesized();
}, 60_000);
afterAll(async () => {
  await moto?.stop();
  await compute?.stop();
});
beforeEach(() => {
  compute.invoked.length = 0;
  compute.tasks.length = 0;
  compute.millisFor = () => 900_000;
  compute.describe = asDocumented;
});

const store = () => new S3Client({ region: 'eu-central-1', endpoint: moto.endpoint, credentials });

/** The list that `discover` writes for the run. */
async function discover(change: Record<string, string>) {
  const { result, error, log } = await invoke(
    'discover',
    { run: 'run' },
    { ...environment, ...keys, SOVEREIGN_TENANT_PATTERN: '%', SOVEREIGN_MEASURE_SIZES: 'true', ...change },
  );
  if (error) throw new Error(`${error.message}\n${log}`);
  const { key } = result as { key: string };
  const { Body } = await store().send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return JSON.parse(await Body!.transformToString());
}

function synthesized(): Definition {
  const stack = stackIn('eu-central-1');
  new TenantBackups(stack, 'Tenants', {
    source: TenantSource.discover(DatabaseServer.fromEndpoint({ host: 'db' }), '%'),
    vpc: new Vpc(stack, 'Vpc', { restrictDefaultSecurityGroup: false }),
    largeTenants: { threshold: Size.mebibytes(12) },
  });
  const { StartAt, States } = Object.values(
    Template.fromStack(stack).findResources('AWS::StepFunctions::StateMachine'),
  )
    .map(definitionOf)
    .find((machine) => 'EachTenant' in machine.States)!.States.EachTenant!.ItemProcessor as Definition;
  const called = (state: string, name: string) => ({
    ...States[state]!,
    Resource: `arn:aws:lambda:eu-central-1:123456789012:function:${name}`,
    // As often as it says, and without the waiting.
    Retry: (States[state]!.Retry as object[]).map((each) => ({
      ...each,
      IntervalSeconds: 1,
      BackoffRate: 1,
    })),
  });
  expect(States.RunTask!.Resource).toBe('arn:aws:states:::ecs:runTask.sync');
  return {
    StartAt,
    States: { ...States, Dump: called('Dump', 'worker'), RunTask: called('RunTask', 'RunTask') },
  };
}

const itemOf = (name: string) => items.find(({ tenant }) => tenant === name)!;
async function archivesOf(tenant: string): Promise<unknown[]> {
  const { result } = await invoke('worker', { action: 'list', tenant }, { ...environment, ...keys });
  return result as unknown[];
}

test('discover tells how large each tenant is', () => {
  expect(items.map(({ tenant }) => tenant).sort()).toEqual([large, 'slow', 'small']);
  expect(itemOf('small').bytes).toBeGreaterThan(1024 ** 2);
  expect(itemOf('small').bytes).toBeLessThan(12 * 1024 ** 2);
  expect(itemOf(large).bytes).toBeGreaterThan(12 * 1024 ** 2);
});

test('discover tells how large each schema is, of listed tenants, too; and goes on where nobody can tell', async () => {
  await postgres().query(
    'create schema s1; create table s1.t as select generate_series(1, 1000)',
    [],
    'small',
  );
  await postgres().query('create schema s2', [], 'small');
  const schemas = {
    SOVEREIGN_TENANCY: 'schema',
    SOVEREIGN_DATABASE: 'small',
    SOVEREIGN_TENANT_PATTERN: 's_',
  };
  const [filled, empty] = await discover(schemas);
  expect(filled).toMatchObject({ tenant: 's1', database: 'small', bytes: expect.any(Number) });
  expect(empty).toEqual({ tenant: 's2', database: 'small' });

  const Body = JSON.stringify([
    { tenant: 'slow', database: 'slow' },
    { tenant: 'gone', database: 'gone' },
  ]);
  await store().send(new PutObjectCommand({ Bucket: bucket, Key: 'list.json', Body }));
  const listed = await discover({ SOVEREIGN_LIST_BUCKET: bucket, SOVEREIGN_LIST_KEY: 'list.json' });
  expect(listed).toEqual([
    { tenant: 'slow', database: 'slow', bytes: expect.any(Number) },
    { tenant: 'gone', database: 'gone' },
  ]);
});

test('a small tenant is dumped by the function', async () => {
  const ended = await execute(moto.endpoint, steps, itemOf('small'));
  expect(ended).toMatchObject({ status: 'SUCCEEDED', output: { tenant: 'small' } });
  expect(compute.invoked).toEqual([{ action: 'dump', tenant: 'small', database: 'small' }]);
  expect(compute.tasks).toEqual([]);
  expect(await archivesOf('small')).toHaveLength(1);
});

test('a large tenant is dumped by a task, whatever is in its name', async () => {
  const ended = await execute(moto.endpoint, steps, itemOf(large));
  const [{ exitCode, stdout, stderr, request }] = compute.tasks as [TaskRun];
  expect([exitCode, stderr]).toEqual([0, '']);
  expect(ended).toMatchObject({ status: 'SUCCEEDED' });
  expect(request.LaunchType).toBe('FARGATE');
  expect(compute.invoked).toEqual([]);
  const result = JSON.parse(stdout.trim().split('\n').at(-1)!);
  expect(result).toMatchObject({ tenant: large, tables: [{ name: 'notes', rows: 150_000 }] });
  expect(await archivesOf(large)).toMatchObject([{ archive: result.archive }]);
});

test('one whose time is over in the function is dumped by a task, at once', async () => {
  compute.millisFor = ({ tenant }) => (tenant === 'slow' ? 1 : 900_000);
  const ended = await execute(moto.endpoint, steps, { tenant: 'slow', database: 'slow' });
  expect(ended).toMatchObject({ status: 'SUCCEEDED', output: { exitCode: 0 } });
  expect(compute.invoked).toHaveLength(1);
  expect(compute.tasks).toHaveLength(1);
  expect(await archivesOf('slow')).toHaveLength(1);
});

test('a task that fails, each of three times, is a tenant that failed', async () => {
  const gone = { tenant: 'gone', database: 'gone', bytes: 50 * 1024 ** 3 };
  const ended = await execute(moto.endpoint, steps, gone);
  expect(ended).toMatchObject({ status: 'FAILED', error: 'TaskFailedOnEcs' });
  expect(compute.tasks.map(({ exitCode }) => exitCode)).toEqual([2, 2, 2]);
  const { stdout, stderr } = compute.tasks[0]!;
  expect(stderr).toContain('there is no database "gone"');
  expect(stdout + stderr).not.toContain(password);
  expect(await archivesOf('gone')).toEqual([]);
});

test.each([
  ['ended badly, though nobody says that it failed', { ExitCode: 137 }, 'TaskFailed'],
  ['has no exit code', {}, expect.any(String)],
])('a task that %s is no backup', async (_, container, error) => {
  compute.describe = () => ({ failed: false, task: { TaskArn: 'arn', Containers: [container] } });
  const ended = await execute(moto.endpoint, steps, { ...itemOf('small'), bytes: 50 * 1024 ** 3 });
  expect(ended).toMatchObject({ status: 'FAILED', error });
});
