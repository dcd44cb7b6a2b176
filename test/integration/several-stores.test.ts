import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CreateBucketCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { runCli } from '../support/cli';
import { type Call, type FaultProxy, startFaultProxy } from '../support/fault-proxy';
import { useMoto } from '../support/moto';
import { usePostgres } from '../support/postgres';
import { type Workspace, workspace } from '../support/tenants';

const postgres = usePostgres();
const moto = useMoto();
const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' };
let work: Workspace;
let aws: FaultProxy;
let elsewhere: FaultProxy;
let s3: S3Client;
let kmsKey: string;

beforeAll(async () => {
  work = await workspace(postgres);
  await runCli(['keygen', join(work.folder, 'off-site.key')]);
  aws = await startFaultProxy(moto().endpoint);
  elsewhere = await startFaultProxy(moto().endpoint);
  const config = { region: 'eu-central-1', endpoint: moto().endpoint, credentials };
  s3 = new S3Client(config);
  for (const Bucket of ['archives', 'copies'])
    await s3.send(
      new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' } }),
    );
  kmsKey = (await new KMSClient(config).send(new CreateKeyCommand({}))).KeyMetadata!.Arn!;
  await postgres().query('create database acme');
  await postgres().query(
    'create table t as select i, sha512(i::text::bytea) as noise from generate_series(1, 150000) i',
    [],
    'acme',
  );
}, 60_000);
afterAll(async () => {
  work?.remove();
  await aws?.stop();
  await elsewhere?.stop();
});

/** What a provider's credentials may do that can add objects and nothing else. */
const addingOnly = ['PutObject', 'CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'];
const refuseTheRest = ({ name }: Call) =>
  addingOnly.includes(name.replace('S3 ', '')) ? undefined : { status: 403, code: 'AccessDenied' };

beforeEach(() => {
  for (const proxy of [aws, elsewhere]) proxy.calls.length = 0;
  aws.fault = () => undefined;
  elsewhere.fault = refuseTheRest;
});

const awsStore = () => 's3://archives/?region=eu-central-1&path-style=true&credentials=aws';
const copyStore = () =>
  `s3://copies/?region=fr-par&country=FR&endpoint=${elsewhere.endpoint}&path-style=true&part-limit=1000&write-only=true&credentials=scaleway`;
const environment = () => ({
  ...moto().environment,
  AWS_ENDPOINT_URL: aws.endpoint,
  SOVEREIGN_STORE_SCALEWAY_ACCESS_KEY_ID: credentials.accessKeyId,
  SOVEREIGN_STORE_SCALEWAY_SECRET_ACCESS_KEY: credentials.secretAccessKey,
});
const folder = (name: string) => join(work.folder, name);

interface Dumped {
  archive: string;
  bytes: number;
  stores: { store: string; ok: boolean; problem?: string }[];
}

const dump = (args: string[]) =>
  runCli(['dump', 'acme', '--server', `${postgres().url}?sslmode=disable`, '--json', ...args], {
    env: environment(),
  });
const verify = async (args: string[]) =>
  (await runCli(['verify', 'acme', '--json', ...args], { env: environment() })).json<{
    ok: boolean;
    archive: string;
  }>();
const keysIn = async (Bucket: string) =>
  ((await s3.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).map(({ Key }) => Key!);
const archivesIn = (name: string) =>
  existsSync(join(folder(name), 'local/acme')) ? readdirSync(join(folder(name), 'local/acme')) : [];

test('folder, S3 and another provider are fed from one read, each with its own key', async () => {
  const off = ['--key-file', folder('off-site.key')];
  const ran = await dump([
    ...['--store', folder('a'), '--key-file', work.key],
    ...['--store', awsStore(), '--kms-key', kmsKey],
    ...['--store', copyStore(), ...off],
  ]);
  expect(ran).toMatchObject({ code: 0 });
  const { archive, stores } = ran.json<Dumped>();
  expect(stores.map(({ ok }) => ok)).toEqual([true, true, true]);
  expect(archivesIn('a')).toEqual([archive]);
  // Who writes there can only add, and all of it was one snapshot.
  expect(elsewhere.calls.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['S3 UploadPart', 'S3 PutObject']),
  );
  expect(elsewhere.calls.filter((call) => refuseTheRest(call))).toEqual([]);
  // The manifest comes last, and never over another.
  const last = elsewhere.calls.at(-1)!;
  expect([last.path, last.headers['if-none-match']]).toEqual([expect.stringContaining('manifest.json'), '*']);
  const parts = elsewhere.calls.filter(({ name }) => name === 'S3 UploadPart');
  expect(parts.length).toBeGreaterThan(1);

  elsewhere.fault = () => undefined;
  const good = { ok: true, archive };
  expect(await verify(['--store', folder('a'), '--key-file', work.key])).toMatchObject(good);
  expect(await verify(['--store', awsStore(), '--kms-key', kmsKey])).toMatchObject(good);
  const readable = copyStore().replace('&write-only=true', '');
  expect(await verify(['--store', readable, ...off])).toMatchObject(good);
  // A key that is another, and a store or a key that cannot be used, say nothing of the archive.
  const unclear = async (args: string[], code: number, stderr: RegExp) =>
    expect(await runCli(['verify', 'acme', ...args], { env: environment() })).toMatchObject({
      code,
      stdout: '',
      stderr: expect.stringMatching(stderr),
    });
  await unclear(['--store', readable, '--key-file', work.key], 2, /was written under key/);
  const denied = { status: 403, code: 'AccessDenied' };
  elsewhere.fault = ({ name }) => (name === 'S3 GetObject' ? denied : undefined);
  await unclear(['--store', readable, ...off], 3, /AccessDenied/);
  aws.fault = ({ name }) =>
    name === 'KMS Decrypt' ? { status: 400, code: 'AccessDeniedException' } : undefined;
  await unclear(['--store', awsStore(), '--kms-key', kmsKey], 3, /the archive key arn:\S+ could not be used/);
});

test('one encryption for each distinct key', async () => {
  const ran = await dump([
    ...['--store', awsStore(), '--store', folder('b'), '--store', folder('c'), '--kms-key', kmsKey],
  ]);
  expect(ran).toMatchObject({ code: 0 });
  // One for the data of all, and one for the seal of each.
  expect(aws.calls.filter(({ name }) => name === 'KMS GenerateDataKey')).toHaveLength(4);
  for (const name of ['b', 'c'])
    expect(await verify(['--store', folder(name), '--kms-key', kmsKey])).toMatchObject({ ok: true });
});

describe('a store that fails is alone without the archive', () => {
  const both = (name: string) => [
    ...['--store', folder(name), '--key-file', work.key],
    ...['--store', copyStore(), '--key-file', folder('off-site.key')],
  ];

  test.each([
    ['at its first part', (call: Call) => call.name === 'S3 UploadPart'],
    ['at the end of its data', (call: Call) => call.name === 'S3 CompleteMultipartUpload'],
    ['at its manifest', (call: Call) => call.path.includes('manifest.json')],
  ] as const)('%s', async (what, when) => {
    const name = `fails ${what}`;
    elsewhere.fault = (call) => (when(call) ? { status: 403, code: 'AccessDenied' } : refuseTheRest(call));
    const before = (await keysIn('copies')).filter((key) => key.endsWith('manifest.json'));
    const ran = await dump(both(name));
    expect(ran.code).toBe(3);
    expect(ran.stderr).toMatch(
      /there is no archive \S+ in s3:\/\/copies\/ at 127\.0\.0\.1:\d+ \(.*AccessDenied/,
    );
    const { archive, stores } = ran.json<Dumped>();
    expect(stores.map(({ ok }) => ok)).toEqual([true, false]);
    expect(archivesIn(name)).toEqual([archive]);
    expect(await verify(['--store', folder(name), '--key-file', work.key])).toMatchObject({ ok: true });
    expect((await keysIn('copies')).filter((key) => key.endsWith('manifest.json'))).toEqual(before);
  });

  test('because it has gone silent, and does not hold up the others for long', async () => {
    elsewhere.fault = (call) => (call.name === 'S3 UploadPart' ? 'silent' : refuseTheRest(call));
    const ran = await dump([...both('silent'), '--patience', '1']);
    expect(ran.code).toBe(3);
    expect(ran.stderr).toContain('held up the other stores for more than 1 s');
    expect(archivesIn('silent')).toHaveLength(1);
  });

  test('because its key cannot be used', async () => {
    aws.fault = ({ name }) =>
      name === 'KMS GenerateDataKey' ? { status: 400, code: 'DisabledException' } : undefined;
    const ran = await dump([
      ...['--store', folder('keyless'), '--kms-key', kmsKey],
      ...['--store', folder('keyed'), '--key-file', work.key],
    ]);
    expect(ran.code).toBe(3);
    expect(ran.stderr).toMatch(/no archive \S+ in \S+keyless \(the archive key .* is disabled/);
    expect([archivesIn('keyless').length, archivesIn('keyed').length]).toEqual([0, 1]);
  });

  test('and when all fail, there is no result', async () => {
    elsewhere.fault = () => ({ status: 403, code: 'AccessDenied' });
    aws.fault = elsewhere.fault;
    const ran = await dump([...['--store', awsStore(), '--store', copyStore()], '--key-file', work.key]);
    expect(ran).toMatchObject({ code: 3, stdout: '' });
    const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket: 'archives' }));
    expect(Uploads ?? []).toEqual([]);
  });
});

test.each([
  [
    ['--store', 'a', '--store', 'b', '--store', 'c', '--key-file', 'k', '--kms-key', 'x'],
    /3 stores and 2 keys/,
  ],
  [['--store', 'a', '--store', 'a', '--key-file', 'k'], /named twice/],
  [['--store', 'a'], /give the key of the archives/],
  [['--store', 's3://b?region=x&credentials=ovh', '--key-file', 'KEY'], /SOVEREIGN_STORE_OVH_ACCESS_KEY_ID/],
  [['--store', 's3://b?region=x&country=France', '--key-file', 'KEY'], /two capital letters/],
])('bad input: %j', async (args, message) => {
  const ran = await dump(args.map((arg) => (arg === 'KEY' ? work.key : arg)));
  expect(ran).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
});
