import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type Call, type Fault, type FaultProxy, startFaultProxy } from '../support/fault-proxy';
import { type Invocation, invoke } from '../support/invoke';
import { useMoto } from '../support/moto';
import { usePostgres } from '../support/postgres';
import { seeded, seedOf, someOf } from '../support/random';

const password = 'correct horse "battery" staple';
const postgres = usePostgres({ password });
const moto = useMoto();
const bucket = 'archives-eu';
const tenantRole = 'arn:aws:iam::123456789012:role/tenant';
let proxy: FaultProxy;
let environment: Record<string, string>;
let s3: S3Client;

beforeAll(async () => {
  proxy = await startFaultProxy(moto().endpoint);
  const config = {
    region: 'eu-central-1',
    endpoint: moto().endpoint,
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' },
  };
  s3 = new S3Client(config);
  await s3.send(
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
  environment = {
    ...moto().environment,
    AWS_ENDPOINT_URL: proxy.endpoint,
    SOVEREIGN_REGIME: 'eu',
    SOVEREIGN_BUCKET: bucket,
    SOVEREIGN_PREFIX: 'archives/',
    SOVEREIGN_KEY_ARN: key.KeyMetadata!.Arn!,
    SOVEREIGN_SERVER: `postgres://127.0.0.1:${postgres().port}?sslmode=disable`,
    SOVEREIGN_SECRET_ARN: secret.ARN!,
    SOVEREIGN_TENANT_ROLE_ARN: tenantRole,
    SOVEREIGN_TENANT_PATTERN: 'spira\\_%',
  };
});
afterAll(() => proxy.stop());
beforeEach(() => {
  proxy.fault = () => undefined;
  proxy.calls.length = 0;
});

async function newTenant(name: string, rows = 1000): Promise<void> {
  await postgres().query(`create database "${name.replaceAll('"', '""')}"`);
  await postgres().query(
    `create table notes as select i as id, md5(i::text) as body from generate_series(1, ${rows}) i`,
    [],
    name,
  );
}
async function checksum(database: string): Promise<string> {
  const [row] = await postgres().query<{ sum: string }>(
    "select md5(string_agg(notes::text, ',' order by id)) as sum from notes",
    [],
    database,
  );
  return row!.sum;
}
const worker = (event: object, change: Record<string, string> = {}, options = {}): Promise<Invocation> =>
  invoke('worker', event, { ...environment, ...change }, options);

async function good(event: object): Promise<Record<string, unknown>> {
  const { result, error, log } = await worker(event);
  if (error) throw new Error(`${error.message}\n${log}`);
  return result as Record<string, unknown>;
}
async function objects(prefix: string): Promise<string[]> {
  const { Contents } = await s3.send(
    new ListObjectsV2Command({ Bucket: bucket, Prefix: `archives/eu/${prefix}/` }),
  );
  return (Contents ?? []).map(({ Key }) => Key!);
}
async function openUploads(): Promise<number> {
  const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  return (Uploads ?? []).length;
}
/** What was not finished is there without its manifest, and no list shows it. */
async function nothingPartial(tenant: string, archives: number): Promise<void> {
  const keys = await objects(tenant);
  const folders = new Set(keys.map((key) => key.slice(0, key.lastIndexOf('/'))));
  let whole = 0;
  for (const folder of folders) {
    if (!keys.includes(`${folder}/manifest.json`)) continue;
    whole += 1;
    expect(keys).toContain(`${folder}/data`);
    expect(keys).toContain(`${folder}/manifest.seal`);
  }
  expect(whole).toBe(archives);
  expect(await openUploads()).toBe(0);
  expect(await good({ action: 'list', tenant })).toHaveLength(archives);
}

test.each(['spira_acme', `O'Brien & "Söhne"; drop database x -- %`])(
  'dump, list, verify, damage, restore, undo: %p',
  async (tenant) => {
    await newTenant(tenant);
    const before = await checksum(tenant);
    const dumped = await good({ action: 'dump', tenant });
    expect(dumped).toMatchObject({ tenant, tables: [{ schema: 'public', name: 'notes', rows: 1000 }] });
    expect(await good({ action: 'list', tenant })).toMatchObject([
      { archive: dumped.archive, at: dumped.at },
    ]);
    expect(await good({ action: 'verify', tenant })).toEqual({
      ok: true,
      archive: dumped.archive,
      problems: [],
    });

    await postgres().query("update notes set body = 'damaged' where id % 7 = 0", [], tenant);
    const damaged = await checksum(tenant);
    expect(damaged).not.toBe(before);
    expect(await good({ action: 'restore', tenant, confirm: tenant })).toMatchObject({
      archive: dumped.archive,
    });
    expect(await checksum(tenant)).toBe(before);
    await good({ action: 'undo', tenant, confirm: tenant });
    expect(await checksum(tenant)).toBe(damaged);
  },
);

test("the tenant's objects and key are used only in the tenant's session", async () => {
  await newTenant('session');
  await good({ action: 'dump', tenant: 'session' });
  const assumed = proxy.calls.filter((call) => call.name === 'STS AssumeRole');
  expect(assumed).toHaveLength(1);
  const body = new URLSearchParams(assumed[0]!.body);
  expect(Object.fromEntries(body)).toMatchObject({
    RoleArn: tenantRole,
    'Tags.member.1.Key': 'tenant',
    'Tags.member.1.Value': 'session',
  });
  const own = /Credential=AKIAIOSFODNN7EXAMPLE\//;
  for (const call of proxy.calls) {
    const byFunction = own.test(call.headers.authorization ?? '');
    expect([call.name, byFunction]).toEqual([call.name, /^(STS|SECRETSMANAGER) /.test(call.name)]);
  }
});

test('one record of metrics and no secret in the log', async () => {
  await newTenant('telling');
  const { records, log } = await worker({ action: 'dump', tenant: 'telling' });
  const metrics = records.find((record) => '_aws' in record);
  expect(metrics).toMatchObject({ regime: 'eu', TenantBackupSucceeded: 1 });
  expect(metrics!.TenantBackupBytes).toBeGreaterThan(0);
  expect(log).not.toContain('battery');
});

test('a failure leaves one error record that says what, where, why and what to do', async () => {
  const { error, records, log } = await worker({ action: 'dump', tenant: 'nobody' });
  expect(error?.message).toContain('nobody');
  expect(records.filter((record) => record.level === 'ERROR')).toEqual([
    expect.objectContaining({
      tenant: 'nobody',
      action: 'dump',
      engine: 'postgres',
      phase: expect.any(String),
      cause: expect.stringContaining('nobody'),
      remedy: expect.any(String),
    }),
  ]);
  expect(records.find((record) => '_aws' in record)).toMatchObject({ TenantBackupFailed: 1 });
  expect(log).not.toContain('battery');
});

test.each([
  [{}, '"action" must be one of'],
  [{ action: 'undo', tenant: 'a', confirm: 'A' }, '"confirm" must repeat its name'],
])('a wrong event touches nothing: %j', async (event, message) => {
  const { error } = await worker(event);
  expect(error).toMatchObject({ name: 'TenantInputError', message: expect.stringContaining(message) });
  expect(proxy.calls).toEqual([]);
});

test('missing settings are named, all of them', async () => {
  const { error } = await worker(
    { action: 'list', tenant: 'a' },
    { SOVEREIGN_BUCKET: '', SOVEREIGN_KEY_ARN: '' },
  );
  expect(error?.message).toContain('lacks SOVEREIGN_BUCKET, SOVEREIGN_KEY_ARN');
});

test('a wrong password and a secret without one are told without the password', async () => {
  const client = new SecretsManagerClient({
    region: 'eu-central-1',
    endpoint: moto().endpoint,
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' },
  });
  const secret = async (Name: string, SecretString: string) =>
    (await client.send(new CreateSecretCommand({ Name, SecretString }))).ARN!;
  const wrong = await secret('wrong', JSON.stringify({ username: 'postgres', password: 'hunter2-hunter2' }));
  const text = await secret('text', 'hunter2-hunter2');
  const none = await secret('none', JSON.stringify({ username: 'postgres' }));
  for (const [arn, message] of [
    [wrong, 'password authentication failed'],
    [text, 'is not JSON'],
    [none, 'has no "password"'],
  ] as const) {
    const { error, log } = await worker({ action: 'dump', tenant: 'x' }, { SOVEREIGN_SECRET_ARN: arn });
    expect(error?.message).toContain(message);
    expect(log).not.toContain('hunter2');
  }
});

test('without a word about it in the address, the server must prove who it is', async () => {
  const address = environment.SOVEREIGN_SERVER!.replace('?sslmode=disable', '');
  const { error, log } = await worker({ action: 'dump', tenant: 'x' }, { SOVEREIGN_SERVER: address });
  expect(error?.message).toMatch(/SSL|TLS/);
  expect(log).not.toContain('battery');
  const nowhere = await worker(
    { action: 'dump', tenant: 'x' },
    { SOVEREIGN_SERVER: address, SOVEREIGN_CA_FILE: '/nowhere.pem' },
  );
  expect(nowhere.error?.message).toContain('not at /nowhere.pem');
});

describe('discover', () => {
  const discover = (change: Record<string, string> = {}, run = 'run-1') =>
    invoke('discover', { run }, { ...environment, ...change });

  test('writes the list of tenants that are like the pattern, and nothing else', async () => {
    await newTenant('spirax', 1);
    await newTenant('spira_second', 1);
    const { result } = await discover();
    expect(result).toEqual({ bucket, key: 'runs/run-1/tenants.json', count: 2 });
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'runs/run-1/tenants.json' }));
    expect(JSON.parse(await Body!.transformToString())).toEqual([
      { tenant: 'spira_acme', database: 'spira_acme' },
      { tenant: 'spira_second', database: 'spira_second' },
    ]);
  });

  test('finds nothing: an error', async () => {
    const { error } = await discover({ SOVEREIGN_TENANT_PATTERN: 'no-such-%' });
    expect(error?.message).toMatch(/no database on postgres:.* is like 'no-such-%'/);
  });

  test('a strange run name never becomes a key', async () => {
    expect((await discover({}, '../archives/eu')).error?.message).toContain(
      'must be the name of an execution',
    );
  });
});

const random = seeded(seedOf('calls of the worker'));
const refused: Fault = { status: 403, code: 'AccessDenied' };
const down: Fault = { status: 503, code: 'SlowDown' };
const expired: Fault = { status: 400, code: 'ExpiredToken' };

describe('a fault at every call of a dump', () => {
  const calls = [
    'STS AssumeRole',
    'SECRETSMANAGER GetSecretValue',
    'S3 ListMultipartUploads',
    'S3 ListObjectsV2',
    'KMS GenerateDataKey',
    'S3 PutObject',
  ];
  beforeAll(() => newTenant('faulty'));

  // The command line meets every one of them in test/faults.
  test.each(someOf(calls, 3, random))(
    '%s fails for good: nothing partial, and the next run succeeds',
    async (name) => {
      const archives = ((await good({ action: 'list', tenant: 'faulty' })) as unknown as unknown[]).length;
      proxy.fault = (call) => (call.name === name ? refused : undefined);
      const { error } = await worker({ action: 'dump', tenant: 'faulty' });
      proxy.fault = () => undefined;
      // What killed runs left may be cleared by the bucket's own rule instead.
      if (name === 'S3 ListMultipartUploads') expect(error).toBeUndefined();
      else expect(error?.name).toBe('TenantOperationError');
      await nothingPartial('faulty', archives + (error ? 0 : 1));
      await good({ action: 'dump', tenant: 'faulty' });
      await nothingPartial('faulty', archives + (error ? 1 : 2));
    },
  );

  test.each(['data', 'manifest.seal', 'manifest.json'])('writing %s fails for good', async (part) => {
    const archives = ((await good({ action: 'list', tenant: 'faulty' })) as unknown as unknown[]).length;
    proxy.fault = (call) =>
      call.name === 'S3 PutObject' && call.path.includes(`/${part}`) ? refused : undefined;
    const { error } = await worker({ action: 'dump', tenant: 'faulty' });
    proxy.fault = () => undefined;
    expect(error?.message).toMatch(new RegExp(`writing .*/${part.replace('.', '\\.')} failed in s3://`));
    await nothingPartial('faulty', archives);
  });

  test('each call fails once in its own way: the dump succeeds', async () => {
    const failed = new Set<string>();
    proxy.fault = (call) => {
      if (failed.has(call.name)) return undefined;
      failed.add(call.name);
      return call.name.startsWith('S3 Put') ? 'lost' : down;
    };
    await good({ action: 'dump', tenant: 'faulty' });
    expect([...failed].sort()).toEqual([...calls, 'S3 HeadObject'].sort());
  });

  test('a dump that is over before its key has come is whole', async () => {
    await newTenant('tiny', 1);
    for (let i = 0; i < 2; i += 1) {
      let left = 2;
      proxy.fault = (call) => (call.name === 'KMS GenerateDataKey' && left-- > 0 ? down : undefined);
      await good({ action: 'dump', tenant: 'tiny' });
      expect(left).toBeLessThan(0);
    }
  });

  test('credentials that expire in the middle are fetched anew', async () => {
    let left = 1;
    proxy.fault = (call: Call) => (call.name === 'S3 PutObject' && left-- > 0 ? expired : undefined);
    await good({ action: 'dump', tenant: 'faulty' });
    expect(proxy.calls.filter((call) => call.name === 'STS AssumeRole')).toHaveLength(2);
  });

  test('a worker killed at any moment leaves nothing that counts, and the next run succeeds', async () => {
    await newTenant('killed', 50_000);
    const started = Date.now();
    await good({ action: 'dump', tenant: 'killed' });
    const whole = Date.now() - started;
    let archives = 1;
    for (let round = 0; round < 6; round += 1) {
      const after = Math.floor(whole * ((round + Math.random()) / 6));
      const { result } = await worker(
        { action: 'dump', tenant: 'killed' },
        {},
        { signal: AbortSignal.timeout(after) },
      );
      if (result) archives += 1;
    }
    const listed = (await good({ action: 'list', tenant: 'killed' })) as unknown as unknown[];
    // One that was killed after its manifest was written is whole without anybody having heard of it.
    expect(listed.length).toBeGreaterThanOrEqual(archives);
    await nothingPartial('killed', listed.length);
    const next = await good({ action: 'dump', tenant: 'killed' });
    expect(await good({ action: 'verify', tenant: 'killed' })).toEqual({
      ok: true,
      archive: next.archive,
      problems: [],
    });
  });

  test('shortly before its time is over the worker gives up and says so', async () => {
    const { error } = await worker({ action: 'dump', tenant: 'faulty' }, {}, { millis: 40 });
    expect(error).toMatchObject({
      name: 'TenantTimeError',
      message: expect.stringMatching(/time is over .* largeTenants/),
    });
  });

  test.each([
    ['false', { TenantBackupFailed: 1 }, 'ERROR'],
    ['true', { TenantBackupHandedOver: 1 }, 'WARN'],
  ])('that counts as a failure only where no task goes on (%s)', async (follows, metric, level) => {
    const { error, records } = await worker(
      { action: 'dump', tenant: 'faulty' },
      { SOVEREIGN_TASK_FOLLOWS: follows },
      { millis: 40 },
    );
    expect(error).toMatchObject({ name: 'TenantTimeError' });
    const measured = records.filter((record) => '_aws' in record);
    expect(measured).toMatchObject([metric]);
    expect(Object.keys(measured[0]!).filter((name) => /^Tenant/.test(name))).toEqual(Object.keys(metric));
    expect(records.filter((record) => record.level === 'ERROR' || record.level === 'WARN')).toMatchObject([
      { level, tenant: 'faulty' },
    ]);
  });
});

describe('a fault while restoring', () => {
  beforeAll(async () => {
    await newTenant('torn');
    await good({ action: 'dump', tenant: 'torn' });
  });

  test.each<[string, (call: Call) => Fault | undefined]>([
    ['the key is refused', (call) => (call.name === 'KMS Decrypt' ? refused : undefined)],
    ['the data is refused', (call) => (call.path.includes('/data') ? refused : undefined)],
    ['the manifest is refused', (call) => (call.path.includes('/manifest') ? refused : undefined)],
  ])('%s: the live database is untouched', async (_, fault) => {
    await postgres().query("update notes set body = 'newer' where id = 1", [], 'torn');
    const live = await checksum('torn');
    proxy.fault = fault;
    expect((await worker({ action: 'restore', tenant: 'torn', confirm: 'torn' })).error).toMatchObject({
      name: 'TenantOperationError',
    });
    expect(await checksum('torn')).toBe(live);
  });

  test('a torn connection is continued', async () => {
    let torn = 0;
    proxy.fault = (call) => (call.path.includes('/data') && torn++ < 2 ? 'torn' : undefined);
    await good({ action: 'restore', tenant: 'torn', confirm: 'torn' });
    expect(torn).toBeGreaterThanOrEqual(3);
  });

  test("another tenant's archive laid in this one's place is refused", async () => {
    await newTenant('stranger');
    await good({ action: 'dump', tenant: 'stranger' });
    await newTenant('victim');
    for (const key of await objects('stranger')) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      const bytes = await Body!.transformToByteArray();
      await s3.send(
        new PutObjectCommand({ Bucket: bucket, Key: key.replace('/stranger/', '/victim/'), Body: bytes }),
      );
    }
    const live = await checksum('victim');
    const { error } = await worker({ action: 'restore', tenant: 'victim', confirm: 'victim' });
    expect(error?.message).toMatch(/stranger|another tenant/);
    expect(await checksum('victim')).toBe(live);
  });
});
