import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateBucketCommand, HeadObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { useMoto } from '../support/moto';
import { usePostgres } from '../support/postgres';

const postgres = usePostgres();
const moto = useMoto();
const cli = join(__dirname, '../../dist/bin/sovereign-backup.mjs');
const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' };
let s3: S3Client;
let key: string;

beforeAll(async () => {
  const config = { region: 'eu-central-1', endpoint: moto().endpoint, credentials };
  s3 = new S3Client(config);
  await s3.send(
    new CreateBucketCommand({
      Bucket: 'locked',
      ObjectLockEnabledForBucket: true,
      CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
    }),
  );
  key = (await new KMSClient(config).send(new CreateKeyCommand({}))).KeyMetadata!.Arn!;
  await postgres().query('create database acme');
  await postgres().query('create table t as select generate_series(1, 10) as i', [], 'acme');
});

function run(args: string[], change: Record<string, string> = {}) {
  return new Promise<{ code: number; out: string; errors: string }>((resolve) => {
    execFile(
      process.execPath,
      [cli, ...args],
      { env: { PATH: process.env.PATH ?? '', ...moto().environment, ...change } },
      (error, out, errors) => resolve({ code: Number(error?.code ?? 0), out, errors }),
    );
  });
}

test('an operator works on the archives of a regime in S3, with its key in KMS', async () => {
  const server = ['--server', `${postgres().url}?sslmode=disable`];
  const store = [
    '--store',
    's3://locked/archives/?region=eu-central-1&country=DE&path-style=true',
    '--regime',
    'eu',
  ];
  const kms = ['--kms-key', key];
  const dumped = await run(['dump', 'acme', ...server, ...store, ...kms, '--json']);
  expect(dumped).toMatchObject({ code: 0 });
  const { archive } = JSON.parse(dumped.out);
  expect(JSON.parse((await run(['list', ...store, '--json'])).out)).toMatchObject([
    { archive, regime: 'eu' },
  ]);
  expect(JSON.parse((await run(['verify', 'acme', ...store, ...kms, '--json'])).out)).toMatchObject({
    ok: true,
  });
  const unnamed = await run(['verify', 'acme', ...store.slice(0, 2), ...kms]);
  expect([unnamed.code, unnamed.errors]).toEqual([
    2,
    expect.stringMatching(
      /there is no archive of tenant "acme" under regime local in s3:\/\/locked\/archives\/ at 127\.0\.0\.1:\d+; `sovereign-backup list` shows what is there; there are some under --regime eu$/m,
    ),
  ]);
  await postgres().query('delete from t', [], 'acme');
  const restored = await run(['restore', 'acme', ...server, ...store, ...kms, '--confirm', 'acme', '--json']);
  expect(restored).toMatchObject({ code: 0 });
  expect(await postgres().query('select count(*)::int as n from t', [], 'acme')).toEqual([{ n: 10 }]);
});

test("a copy at another provider: its endpoint and credentials, a key of one's own, kept from deletion", async () => {
  const keyFile = join(mkdtempSync(join(tmpdir(), 'aws-cli-')), 'key');
  await run(['keygen', keyFile]);
  const place = `s3://locked/elsewhere/?region=fr-par&endpoint=${moto().endpoint}&path-style=true&part-limit=1000&add-only=true&lock=governance:30d`;
  const { code, errors } = await run(
    [
      'dump',
      'acme',
      '--server',
      `${postgres().url}?sslmode=disable`,
      '--store',
      place,
      '--key-file',
      keyFile,
    ],
    {
      AWS_ACCESS_KEY_ID: '',
      AWS_SECRET_ACCESS_KEY: '',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
      SOVEREIGN_STORE_ACCESS_KEY_ID: credentials.accessKeyId,
      SOVEREIGN_STORE_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
  );
  expect({ code, errors }).toMatchObject({ code: 0 });
  const { Contents } = await s3.send(
    new ListObjectsV2Command({ Bucket: 'locked', Prefix: 'elsewhere/local/acme/' }),
  );
  expect(Contents).toHaveLength(3);
  for (const { Key } of Contents!) {
    const head = await s3.send(new HeadObjectCommand({ Bucket: 'locked', Key }));
    expect(head.ObjectLockMode).toBe('GOVERNANCE');
    const days = (head.ObjectLockRetainUntilDate!.getTime() - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(29);
    expect(days).toBeLessThanOrEqual(30);
  }
});

test.each([
  [
    ['--key-file', 'k', '--kms-key', 'arn:aws:kms:eu-central-1:111111111111:key/a'],
    'the key file "k" is not there; archives open with the key that they were written under alone',
  ],
  [[], 'give the key of the archives'],
])('a key is needed: %j', async (args, message) => {
  const { code, errors } = await run([
    'verify',
    'acme',
    '--store',
    's3://locked?region=eu-central-1',
    ...args,
  ]);
  expect([code, errors]).toEqual([2, expect.stringContaining(message)]);
});
