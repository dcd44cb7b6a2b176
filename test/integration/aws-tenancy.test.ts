import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { invoke } from '../support/invoke';
import { useMoto } from '../support/moto';
import { usePostgres } from '../support/postgres';

const postgres = usePostgres();
const moto = useMoto();
const bucket = 'archives-eu';
const description = `{"schemaVersion": 1, "tables": [{"table": "notes", "column": "tenant_id"}]}`;
let environment: Record<string, string>;
let s3: S3Client;

beforeAll(async () => {
  const config = {
    region: 'eu-central-1',
    endpoint: moto().endpoint,
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' },
  };
  s3 = new S3Client(config);
  const where = { LocationConstraint: 'eu-central-1' as const };
  await s3.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: where }));
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'tenancy.json', Body: description }));
  const key = await new KMSClient(config).send(new CreateKeyCommand({}));
  environment = {
    ...moto().environment,
    SOVEREIGN_REGIME: 'eu',
    SOVEREIGN_BUCKET: bucket,
    SOVEREIGN_KEY_ARN: key.KeyMetadata!.Arn!,
    SOVEREIGN_SERVER: `postgres://postgres@127.0.0.1:${postgres().port}?sslmode=disable`,
    SOVEREIGN_DATABASE: 'app',
  };
  await postgres().query('create database app');
  await run(`create table notes (id int primary key, tenant_id text not null, body text); create index on notes (tenant_id);
    insert into notes values (1, 'acme', 'a'), (2, 'acme', 'b'), (3, 'other', 'c');`);
});

const run = (sql: string) => postgres().query(sql, [], 'app');
const rows = {
  SOVEREIGN_TENANCY: 'rows',
  SOVEREIGN_TENANCY_BUCKET: bucket,
  SOVEREIGN_TENANCY_KEY: 'tenancy.json',
};
const schemas = { SOVEREIGN_TENANCY: 'schema', SOVEREIGN_TENANT_PATTERN: 't\\_%' };

async function good(name: string, event: object, change: Record<string, string>) {
  const { result, error, log } = await invoke(name, event, { ...environment, ...change });
  if (error) throw new Error(`${error.message}\n${log}`);
  return result as Record<string, unknown>;
}
async function discovered(change: Record<string, string>): Promise<unknown> {
  await good('discover', { run: 'r' }, change);
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'runs/r/tenants.json' }));
  return JSON.parse(await Body!.transformToString());
}

test('tenants of shared tables are found, dumped, restored and undone by the deployed description', async () => {
  expect(await discovered(rows)).toEqual([
    { tenant: 'acme', database: 'app' },
    { tenant: 'other', database: 'app' },
  ]);
  const all = 'select * from notes order by id';
  const before = await run(all);
  await good('worker', { action: 'dump', tenant: 'acme' }, rows);
  await run(`delete from notes where id = 1`);
  const damaged = await run(all);
  await good('worker', { action: 'restore', tenant: 'acme', confirm: 'acme' }, rows);
  expect(await run(all)).toEqual(before);
  await good('worker', { action: 'undo', tenant: 'acme', confirm: 'acme' }, rows);
  expect(await run(all)).toEqual(damaged);
});

test('tenants with a schema each are found, dumped and restored', async () => {
  await run('create schema t_one; create table t_one.x as select 1 as n; create schema tother');
  expect(await discovered(schemas)).toEqual([{ tenant: 't_one', database: 'app' }]);
  await good('worker', { action: 'dump', tenant: 't_one' }, schemas);
  await run('delete from t_one.x');
  await good('worker', { action: 'restore', tenant: 't_one', confirm: 't_one' }, schemas);
  expect(await run('select n from t_one.x')).toEqual([{ n: 1 }]);
  expect(await discovered(schemas)).toEqual([{ tenant: 't_one', database: 'app' }]);
});

test('an event that says what it is of wins; one that contradicts itself is refused', async () => {
  await run('create schema t_two; create table t_two.x as select 2 as n');
  const dumped = await good(
    'worker',
    { action: 'dump', tenant: 'two', tenancy: 'schema', schema: 't_two' },
    rows,
  );
  expect(dumped).toMatchObject({ tenancy: 'schema', tables: [{ schema: 't_two', name: 'x', rows: 1 }] });
  const { error } = await invoke('worker', { action: 'dump', tenant: 'two', schema: 't_two' }, environment);
  expect(error?.message).toContain('"schema" goes with "tenancy":"schema" alone');
});
