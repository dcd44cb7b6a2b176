// What keeps archives in AWS: keys of tenants, copies elsewhere, pruning, drills.
import { randomBytes } from 'node:crypto';
import {
  CreateKeyCommand,
  DescribeKeyCommand,
  KMSClient,
  ListResourceTagsCommand,
} from '@aws-sdk/client-kms';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type * as Module from '../../lambda/aws/tenant-keys';
import { bundled } from '../support/bundled';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy';
import { invoke } from '../support/invoke';
import { useMoto } from '../support/moto';
import { usePostgres } from '../support/postgres';

const postgres = usePostgres();
const moto = useMoto();
const tenants = ['spira_a', 'spira_b', 'spira_c'];
let elsewhere: FaultProxy;
let s3: S3Client;
let kms: KMSClient;
let environment: Record<string, string>;

const awsConfig = () => ({
  region: 'eu-central-1',
  endpoint: moto().endpoint,
  credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' },
});

beforeAll(async () => {
  elsewhere = await startFaultProxy(moto().endpoint);
  const config = awsConfig();
  s3 = new S3Client(config);
  kms = new KMSClient(config);
  for (const Bucket of ['archives', 'copies'])
    await s3.send(
      new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' } }),
    );
  const secret = await new SecretsManagerClient(config).send(
    new CreateSecretCommand({
      Name: 'elsewhere',
      SecretString: JSON.stringify({
        accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
        secretAccessKey: 'not-a-secret',
        archiveKey: randomBytes(32).toString('base64'),
      }),
    }),
  );
  const key = await kms.send(new CreateKeyCommand({}));
  environment = {
    ...moto().environment,
    SOVEREIGN_REGIME: 'eu',
    SOVEREIGN_BUCKET: 'archives',
    SOVEREIGN_PREFIX: 'archives/',
    SOVEREIGN_KEY_ARN: key.KeyMetadata!.Arn!,
    SOVEREIGN_SERVER: `postgres://postgres@127.0.0.1:${postgres().port}?sslmode=disable`,
    TEST_SECRET: secret.ARN!,
  };
  for (const name of tenants) {
    await postgres().query(`create database ${name}`);
    await postgres().query('create table t as select generate_series(1, 100) as i', [], name);
  }
});
afterAll(() => elsewhere?.stop());

interface Result {
  readonly archive: string;
  readonly at: string;
  readonly key: string;
  readonly days: number;
  readonly [field: string]: unknown;
}

async function run(name: string, event: object, change: Record<string, string> = {}) {
  const done = await invoke(name, event, { ...environment, ...change });
  if (done.error) throw Object.assign(new Error(done.error.message), { name: done.error.name });
  return done.result as Result;
}
const keys = async (Bucket: string, Prefix = '') =>
  ((await s3.send(new ListObjectsV2Command({ Bucket, Prefix }))).Contents ?? []).map(({ Key }) => Key!);
const databases = () => postgres().query('select datname from pg_database order by 1');

test('a key for each tenant: made once, tagged, used for its archives, renewed without losing the old', async () => {
  const own = { SOVEREIGN_TENANT_KEYS: 'per-tenant', SOVEREIGN_KEY_ARN: '' };
  const tenant = 'spira_a';
  await expect(run('worker', { action: 'dump', tenant }, own)).rejects.toThrow(
    /there is no key alias\/sovereign-backup\/eu\/spira_a/,
  );
  const made = await run('tenant-keys', { tenant });
  expect(await run('tenant-keys', { tenant })).toEqual({ ...made, made: false });
  const tags = await kms.send(new ListResourceTagsCommand({ KeyId: made.key }));
  expect(tags.Tags).toEqual(
    expect.arrayContaining([
      { TagKey: 'sovereign-tenant', TagValue: 'spira_a' },
      { TagKey: 'sovereign-regime', TagValue: 'eu' },
    ]),
  );
  const first = await run('worker', { action: 'dump', tenant }, own);
  const manifest = async (archive: string) => {
    const Key = `archives/eu/${tenant}/${archive}/manifest.json`;
    return JSON.parse(
      await (await s3.send(new GetObjectCommand({ Bucket: 'archives', Key }))).Body!.transformToString(),
    );
  };
  expect((await manifest(first.archive)).key.id).toBe(made.key);

  const renewed = await run('tenant-keys', { tenant, renew: true });
  expect(renewed.key).not.toBe(made.key);
  const second = await run('worker', { action: 'dump', tenant }, own);
  expect((await manifest(second.archive)).key.id).toBe(renewed.key);
  for (const { at } of [first, second])
    expect(await run('worker', { action: 'verify', tenant, at }, own)).toMatchObject({ ok: true });
  expect((await kms.send(new DescribeKeyCommand({ KeyId: made.key }))).KeyMetadata!.KeyState).toBe('Enabled');

  // A name that no alias can hold as it is.
  const odd = await run('tenant-keys', { tenant: 'A b=ü' });
  expect(await run('tenant-keys', { tenant: 'A b=ü' })).toEqual({ ...odd, made: false });
  await expect(run('tenant-keys', { tenant: 7 })).rejects.toThrow('the event must be like');
});

describe('the function that makes keys is refused', () => {
  const { ensureTenantKey } = bundled<typeof Module>('lambda/aws/tenant-keys.ts');
  const denied = { status: 400, code: 'AccessDeniedException' };
  let aws: FaultProxy;
  beforeAll(async () => {
    aws = await startFaultProxy(moto().endpoint);
  });
  afterAll(() => aws?.stop());
  let tenant = 0;
  const ensure = (refused: (name: string, after: readonly string[]) => boolean) => {
    aws.calls.length = 0;
    tenant += 1;
    aws.fault = ({ name }) =>
      refused(
        name,
        aws.calls.slice(0, -1).map((call) => call.name),
      )
        ? denied
        : undefined;
    const client = new KMSClient({ ...awsConfig(), endpoint: aws.endpoint });
    return ensureTenantKey(client, { regime: 'eu', tenant: `refused_${tenant}`, pause: 1 });
  };
  const times = (wanted: string) => aws.calls.filter(({ name }) => name === wanted).length;

  test('as long as tags do not count it goes on, however long that takes', async () => {
    const tries = (names: readonly string[]) =>
      names.filter((name) => name === 'KMS EnableKeyRotation').length;
    const made = await ensure(
      (name, before) =>
        (name === 'KMS EnableKeyRotation' && tries(before) < 30) ||
        // Of a key by its tags, behind that of the name.
        (name === 'KMS DescribeKey' && before.includes('KMS CreateKey') && tries(before) < 29) ||
        // Tags need not count everywhere at once.
        (name === 'KMS CreateAlias' && !before.includes('KMS CreateAlias')),
    );
    expect([made.made, times('KMS CreateKey'), times('KMS EnableKeyRotation')]).toEqual([true, 1, 31]);
  });

  test.each(['EnableKeyRotation', 'CreateAlias'])('a right that is missing ends it: %s', async (action) => {
    await expect(ensure((name) => name === `KMS ${action}`)).rejects.toThrow(
      new RegExp(
        `^the function that makes the keys of tenants may not kms:${action} on arn:aws:kms:.*service control policy`,
      ),
    );
    expect([times('KMS CreateKey'), times(`KMS ${action}`)]).toEqual([1, 10]);
  });

  test('so does one that no tag gives', async () => {
    await expect(ensure((name) => name === 'KMS CreateKey')).rejects.toThrow(/may not kms:CreateKey/);
    expect(times('KMS CreateKey')).toBe(1);
  });
});

describe('a store at another provider', () => {
  const stores = () => ({
    SOVEREIGN_EXTERNAL_STORES: JSON.stringify([
      {
        url: `s3://copies/?region=fr-par&country=FR&endpoint=${elsewhere.endpoint}&path-style=true&write-only=true`,
        secretArn: environment.TEST_SECRET,
      },
    ]),
  });

  test('gets every dump under its own key, and says where it is', async () => {
    elsewhere.fault = () => undefined;
    const kept = { SOVEREIGN_RETENTION: '{"keepDays":7,"keepMonthly":12}' };
    // The server itself is not there: only its replica can have given the dump.
    const replica = {
      SOVEREIGN_SERVER: 'postgres://127.0.0.1:1?sslmode=disable',
      SOVEREIGN_REPLICA: environment.SOVEREIGN_SERVER!,
      SOVEREIGN_DUMP: '{"checksums":"rows","level":3}',
    };
    const change = { ...stores(), ...kept, ...replica };
    const done = await run('worker', { action: 'dump', tenant: 'spira_b' }, change);
    expect(done.stores).toMatchObject([{ ok: true }, { ok: true }]);
    const [manifest] = (await keys('copies')).filter((key) => key.endsWith('manifest.json'));
    expect(manifest).toContain(`eu/spira_b/${done.archive}/`);
    const text = await (
      await s3.send(new GetObjectCommand({ Bucket: 'copies', Key: manifest }))
    ).Body!.transformToString();
    const written = JSON.parse(text);
    expect(written.checksums).toBeUndefined();
    expect(written).toMatchObject({
      engine: { fromReplica: true },
      key: { id: expect.stringMatching(/^raw:/) },
      regions: { store: 'fr-par', country: 'FR' },
      retention: { keepDays: 7, keepMonthly: 12 },
    });
  });

  test('that fails is an error of its own name, with the archive in AWS whole', async () => {
    elsewhere.fault = () => ({ status: 403, code: 'AccessDenied' });
    const before = (await keys('archives', 'archives/eu/spira_b/')).length;
    await expect(run('worker', { action: 'dump', tenant: 'spira_b' }, stores())).rejects.toMatchObject({
      name: 'TenantCopyError',
      message: expect.stringMatching(
        /there is no archive \S+ in s3:\/\/copies\/.*it is whole in s3:\/\/archives/,
      ),
    });
    expect(await keys('archives', 'archives/eu/spira_b/')).toHaveLength(before + 3);
  });
});

test('a drill restores beside, checks and drops; an archive that does not restore fails it', async () => {
  await run('worker', { action: 'dump', tenant: 'spira_c' });
  const before = await databases();
  expect(await run('worker', { action: 'drill', tenant: 'spira_c' })).toMatchObject({
    ok: true,
    problems: [],
  });
  expect(await databases()).toEqual(before);
  const [data] = (await keys('archives', 'archives/eu/spira_c/')).filter((key) => key.endsWith('data'));
  const bytes = await (
    await s3.send(new GetObjectCommand({ Bucket: 'archives', Key: data }))
  ).Body!.transformToByteArray();
  bytes[bytes.length >> 1]! ^= 1;
  await s3.send(new PutObjectCommand({ Bucket: 'archives', Key: data, Body: bytes }));
  await expect(run('worker', { action: 'drill', tenant: 'spira_c' })).rejects.toThrow(
    /spira_c: .*is damaged/,
  );
  expect(await databases()).toEqual(before);
});

test('a drill takes a random sample; its record is written only when all of it was restored', async () => {
  const list = tenants.map((tenant) => ({ tenant, database: tenant }));
  const key = 'runs/d1/tenants.json';
  await s3.send(new PutObjectCommand({ Bucket: 'archives', Key: key, Body: JSON.stringify(list) }));
  const sampled = await run('sample', { run: 'd1', bucket: 'archives', key }, { SOVEREIGN_SAMPLE: '2' });
  expect(sampled).toMatchObject({ bucket: 'archives', key: 'runs/d1/sample.json', count: 2 });
  const all = await run('sample', { run: 'd2', bucket: 'archives', key }, { SOVEREIGN_SAMPLE: '50' });
  expect(all).toMatchObject({ count: 3 });

  const age = () => run('drill-age', {}, { SOVEREIGN_DRILL: 'drill' });
  expect(await age()).toEqual({ days: 3650 });
  const results = async (Status: string) => {
    const executions = list.map((item) => ({ Input: JSON.stringify(item), Status }));
    const put = (Key: string, body: object) =>
      s3.send(new PutObjectCommand({ Bucket: 'archives', Key, Body: JSON.stringify(body) }));
    await put('runs/results/x.json', executions);
    await put('runs/results/manifest.json', {
      DestinationBucket: 'archives',
      ResultFiles: { SUCCEEDED: [{ Key: 'runs/results/x.json' }], FAILED: [], PENDING: [] },
    });
    const event = {
      run: 'd2',
      ...all,
      results: { ResultWriterDetails: { Bucket: 'archives', Key: 'runs/results/manifest.json' } },
    };
    return run('report', event, { SOVEREIGN_DRILL_BUCKET: 'archives' });
  };
  await expect(results('FAILED')).rejects.toThrow(/0 of 3 tenants/);
  expect(await age()).toEqual({ days: 3650 });
  expect(await results('SUCCEEDED')).toMatchObject({ succeeded: 3 });
  expect((await age()).days).toBeLessThan(1);
});

test('pruning deletes what no rule keeps, and leaves the newest of each tenant', async () => {
  const change = { SOVEREIGN_RETENTION: '{"keepDays":0}' };
  const archives = async (tenant: string) =>
    new Set((await keys('archives', `archives/eu/${tenant}/`)).map((key) => key.split('/')[3])).size;
  expect(await archives('spira_a')).toBe(2);
  const counts = await run('prune', {}, change);
  expect(counts).toMatchObject({ failed: 0, retained: 0 });
  expect(await archives('spira_a')).toBe(1);
  expect(await run('worker', { action: 'verify', tenant: 'spira_b' })).toMatchObject({ ok: true });
  await expect(run('prune', {})).rejects.toThrow(/lacks .*SOVEREIGN_RETENTION/);
});
