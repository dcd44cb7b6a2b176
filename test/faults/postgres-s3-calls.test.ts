// Every call to S3 and KMS that a dump, a list, a verification and a restore make, found by watching them, fails: each
// once, which is outlasted, and each kind for good, which ends in one clear error, no archive listed, live untouched,
// no upload left open, and the next run succeeds. SOVEREIGN_FAULTS=all tries every fault at every call.
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateBucketCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { bundled } from '../support/bundled';
import { type Call, type Fault, type FaultProxy, startFaultProxy } from '../support/fault-proxy';
import { useMoto } from '../support/moto';
import { usePostgres } from '../support/postgres';
import { everyFault, seeded, seedOf, someOf } from '../support/random';
import type * as Module from './operations';

const code = bundled<typeof Module>('test/faults/operations.ts');
const moto = useMoto();
const postgres = usePostgres();
const random = seeded(seedOf('calls'));
const bucket = 'archives-eu';
const region = 'eu-central-1';
const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' };
/** Each group has few archives of its own: `list` and what begins with it ask for all that there are. */
let prefix = 'archives/';
let proxy: FaultProxy;
let s3: S3Client;
let arn: string;

beforeAll(async () => {
  proxy = await startFaultProxy(moto().endpoint);
  const config = { region, endpoint: moto().endpoint, credentials };
  s3 = new S3Client(config);
  await s3.send(
    new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: region } }),
  );
  arn = (await new KMSClient(config).send(new CreateKeyCommand({}))).KeyMetadata!.Arn!;
  await postgres().query('create database acme');
  // More than one part of random bytes, which do not get smaller.
  await postgres().query(
    `create table t as select n, decode(string_agg(md5(random()::text), ''), 'hex') as noise
     from generate_series(1, 290) n, generate_series(1, 1900) m group by n`,
    undefined,
    'acme',
  );
});
afterAll(() => proxy?.stop());
beforeEach(() => quiet());

const quiet = () => {
  proxy.fault = () => undefined;
  proxy.calls.length = 0;
};

/** Credentials of a session, which can be had anew, and how often they were. */
function session() {
  const given = {
    fetched: 0,
    provide: async () => {
      if (!given.valid) given.fetched += 1;
      given.valid = true;
      return credentials;
    },
    renew: () => {
      given.valid = false;
    },
    valid: false,
  };
  return given;
}

type Operation = () => Promise<unknown>;
/** What `verify` finds, and what `list` goes past. */
interface Told {
  readonly problems?: string[];
  readonly unseen?: { readonly error: Error }[];
}
/** A busy machine must not be taken for a silent service, unless silence is what the test is about. */
const PATIENT = 60_000;
function operations(
  login: ReturnType<typeof session> | typeof credentials = session(),
  { idleMillis = PATIENT, attempts = 4 } = {},
) {
  const { endpoint } = proxy;
  const renewable = 'provide' in login ? login : { provide: async () => login, renew: () => {} };
  const common = {
    tenant: 'acme',
    regime: 'eu',
    store: new code.S3Store({
      bucket,
      prefix,
      region,
      endpoint,
      credentials: login,
      attempts,
      idleMillis,
    }),
    key: code.kmsKey({ arn, credentials: renewable, endpoint, attempts, idleMillis }),
  };
  const server = code.parseServer(postgres().url);
  return {
    dump: () => code.dumpTenant({ ...common, server }),
    list: () => code.listArchives(common),
    verify: () => code.verifyArchive(common),
    restore: () => code.restoreTenant({ ...common, server, confirm: async () => 'acme' }),
  } satisfies Record<string, Operation>;
}

const state = async () =>
  (await postgres().query("select md5(string_agg(md5(noise), '' order by n)) as sum from t", [], 'acme'))[0]!
    .sum;
const archives = async () => (await operations().list()).archives.length;
const openUploads = async () =>
  (await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads?.length ?? 0;

const passing: Fault[] = [
  { status: 500, code: 'InternalError' },
  { status: 503, code: 'SlowDown' },
  'cut',
  'lost',
  // Takes seconds each; of the single calls `aws-s3-store` and `aws-kms-key` have it every time.
  ...(everyFault ? (['silent'] as const) : []),
];
const lasting: Fault[] = [
  { status: 500, code: 'InternalError' },
  { status: 503, code: 'SlowDown' },
  { status: 403, code: 'AccessDenied' },
  { status: 400, code: 'ExpiredToken' },
  'cut',
];
/** KMS has names of its own for the same. */
const ofKms: Record<string, string> = {
  InternalError: 'KMSInternalException',
  SlowDown: 'ThrottlingException',
  AccessDenied: 'AccessDeniedException',
  ExpiredToken: 'ExpiredTokenException',
};
function suited(fault: Fault, call: Call): Fault {
  if (!call.name.startsWith('KMS ') || typeof fault !== 'object' || !('status' in fault)) return fault;
  return { status: fault.code === 'InternalError' ? 500 : 400, code: ofKms[fault.code]! };
}
const some = (faults: Fault[]) => someOf(faults, 1, random);
const text = (fault: Fault) => (typeof fault === 'object' && 'code' in fault ? fault.code : fault);

/** The names of the calls of an undisturbed run, in their order. */
async function callsOf(name: keyof ReturnType<typeof operations>): Promise<string[]> {
  quiet();
  await operations()[name]();
  return proxy.calls.map((call) => call.name);
}

beforeAll(async () => {
  // Something to list, to verify and to restore.
  await operations().dump();
});

test('the calls are those that are known, so that a new one is not left out unseen', async () => {
  const seen: Record<string, string[]> = {};
  for (const name of ['dump', 'list', 'verify', 'restore'] as const)
    seen[name] = [...new Set(await callsOf(name))].sort();
  expect(seen).toEqual({
    dump: [
      'KMS GenerateDataKey',
      'S3 CompleteMultipartUpload',
      'S3 CreateMultipartUpload',
      'S3 ListMultipartUploads',
      'S3 ListObjectsV2',
      'S3 PutObject',
      'S3 UploadPart',
    ],
    list: ['S3 GetObject', 'S3 ListObjectsV2'],
    verify: ['KMS Decrypt', 'S3 GetObject', 'S3 ListObjectsV2'],
    restore: ['KMS Decrypt', 'S3 GetObject', 'S3 ListObjectsV2'],
  });
});

describe.each(['dump', 'list', 'verify', 'restore'] as const)('%s', (name) => {
  beforeAll(async () => {
    quiet();
    prefix = `${name}/`;
    await operations().dump();
  });

  test('outlasts a fault at each of its calls', async () => {
    const calls = await callsOf(name);
    for (const [index, expected] of calls.entries()) {
      for (const fault of some(passing)) {
        quiet();
        let seen = 0;
        proxy.fault = (call) => (seen++ === index ? suited(fault, call) : undefined);
        const outcome = await operations(session(), fault === 'silent' ? { idleMillis: 4_000 } : {})
          [name]()
          .then(
            () => 'done',
            (error: Error) => error.message,
          );
        expect([expected, text(fault), outcome]).toEqual([expected, text(fault), 'done']);
        expect(seen).toBeGreaterThan(index);
      }
    }
    quiet();
    expect(await operations().verify()).toMatchObject({ ok: true });
  }, 240_000);

  test('says clearly what failed for good, and leaves nothing that counts', async () => {
    for (const broken of new Set(await callsOf(name))) {
      for (const fault of some(lasting)) {
        quiet();
        const before = { archives: await archives(), live: await state() };
        proxy.fault = (call) => (call.name === broken ? suited(fault, call) : undefined);
        const outcome = await operations(session(), { attempts: 2 })
          [name]()
          .then(
            (result) => ({ result }),
            (error: Error & { exitCode?: number }) => ({ error }),
          );
        quiet();
        const told = 'error' in outcome ? undefined : (outcome.result as Told | undefined);
        const problem =
          'error' in outcome
            ? outcome.error.message
            : (told?.problems?.[0] ?? told?.unseen?.[0]?.error.message);
        const where = [broken, text(fault), problem ?? ''];
        // Only clearing up after others may fail unheard: the bucket's own rule does it, too.
        if (broken === 'S3 ListMultipartUploads' && problem === undefined) continue;
        expect(where).toEqual([
          broken,
          text(fault),
          expect.stringMatching(/failed in s3:|could not be used/),
        ]);
        expect(problem).not.toMatch(/\n|undefined|node:/);
        if ('error' in outcome) expect(outcome.error).toMatchObject({ exitCode: 3 });
        expect(await archives()).toBe(before.archives);
        expect(await state()).toBe(before.live);
        expect([...where, await openUploads()]).toEqual([...where, 0]);
      }
    }
    await operations()[name]();
    expect(await operations().verify()).toMatchObject({ ok: true });
  }, 240_000);
});

describe('credentials that expire', () => {
  test('between two parts are fetched anew, and the upload goes on', async () => {
    const login = session();
    let parts = 0;
    proxy.fault = (call) =>
      call.name === 'S3 UploadPart' && ++parts === 2 ? { status: 400, code: 'ExpiredToken' } : undefined;
    await operations(login).dump();
    expect(parts).toBeGreaterThanOrEqual(3);
    expect(login.fetched).toBe(2);
    expect(await operations().verify()).toMatchObject({ ok: true });
    expect(await openUploads()).toBe(0);
  });

  test('for good in the middle: one error, no archive, and the parts are named as left', async () => {
    const before = await archives();
    let over = false;
    proxy.fault = (call) => {
      over ||= call.name === 'S3 UploadPart';
      return over ? { status: 400, code: 'ExpiredToken' } : undefined;
    };
    await expect(operations(credentials).dump()).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringMatching(/credentials have expired.*parts sent so far could not be given up/),
    });
    quiet();
    expect(await archives()).toBe(before);
    // Invisible, but there, until a sweep a day later or the bucket's rule takes it away.
    expect(await openUploads()).toBe(1);
    const store = new code.S3Store({
      bucket,
      prefix,
      region,
      endpoint: proxy.endpoint,
      credentials,
    });
    await store.sweep('eu/acme/', new Date(Date.now() + 60_000));
    expect(await openUploads()).toBe(0);
    await operations().dump();
  });
});
