import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type * as Module from '../../lambda/archive/s3-store';
import { bundled } from '../support/bundled';
import { type Call, type Fault, type FaultProxy, startFaultProxy } from '../support/fault-proxy';
import { useMoto } from '../support/moto';
import { seeded, seedOf, someOf } from '../support/random';

const { S3Store } = bundled<typeof Module>('lambda/archive/s3-store.ts');
const moto = useMoto();
const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' };
const bucket = 'archives-eu';
const mebibyte = 1024 * 1024;
let proxy: FaultProxy;
let raw: S3Client;

beforeAll(async () => {
  proxy = await startFaultProxy(moto().endpoint);
  raw = new S3Client({ region: 'eu-central-1', endpoint: moto().endpoint, credentials });
  await raw.send(
    new CreateBucketCommand({
      Bucket: bucket,
      CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
    }),
  );
});
afterAll(() => proxy.stop());
beforeEach(() => {
  proxy.fault = () => undefined;
  proxy.calls.length = 0;
});

const store = (options: Partial<Module.S3StoreOptions> = {}) =>
  new S3Store({
    bucket,
    prefix: 'archives/',
    region: 'eu-central-1',
    endpoint: proxy.endpoint,
    credentials,
    attempts: 2,
    // Only silence waits for it; so long that a busy machine is not taken for a silent service.
    idleMillis: 2_000,
    ...options,
  });

/** A body that comes in the uneven pieces of a cipher stream. */
function inPieces(data: Buffer, fails?: Error): Readable {
  return Readable.from(
    (function* () {
      for (let from = 0; from < data.length; from += 262_201) yield data.subarray(from, from + 262_201);
      if (fails) throw fails;
    })(),
    { objectMode: false },
  );
}

const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex');
async function content(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
async function keysUnder(prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const object of store({ endpoint: moto().endpoint }).list(prefix)) keys.push(object.key);
  return keys;
}
async function openUploads(): Promise<string[]> {
  const { Uploads } = await raw.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  return (Uploads ?? []).map((upload) => upload.Key!);
}
let serial = 0;
const freshKey = () => {
  serial += 1;
  return `eu/case-${serial}/data`;
};
const large = randomBytes(8 * mebibyte + 5000);
const small = randomBytes(5000);

test.each([
  ['nothing', Buffer.alloc(0)],
  ['a little', small],
  ['one whole part', large.subarray(0, 8 * mebibyte)],
  ['one byte more than a part', large.subarray(0, 8 * mebibyte + 1)],
  ['several parts', large],
])('%s comes back as it was written', async (_, data) => {
  const key = freshKey();
  expect(await store().write(key, inPieces(data))).toEqual({ bytes: data.length });
  expect(sha256(await content(await store().read(key)))).toBe(sha256(data));
  expect(await openUploads()).toEqual([]);
});

describe('many parts', () => {
  const data = randomBytes(52 * mebibyte);
  let key: string;
  beforeAll(async () => {
    key = freshKey();
    await store().write(key, inPieces(data));
  });
  // The proxy answers when it has all of them, which a busy machine may take long for.
  const patient = () => store({ idleMillis: 30_000 });
  const gets = () => proxy.calls.filter((call) => call.name === 'S3 GetObject');

  test('whose memory is used again for later ones, keep their bytes, and are read by several connections', async () => {
    const ranges = Array.from({ length: 6 }, (_, i) => (i + 1) * 8 * mebibyte).map(
      (from) => `bytes=${from}-${Math.min(from + 8 * mebibyte, data.length) - 1}`,
    );
    // The first range comes when those after it have been asked for.
    proxy.fault = async ({ headers }) => {
      while (headers.range === ranges[0] && gets().length < 4) await sleep(5);
      return undefined;
    };
    expect(sha256(await content(await patient().read(key)))).toBe(sha256(data));
    const asked = gets().map(({ headers }) => headers.range);
    expect(asked.toSorted()).toEqual([undefined, ...ranges].toSorted());
    expect(asked.slice(0, 4).toSorted()).toEqual([undefined, ...ranges.slice(0, 3)].toSorted());
  });

  test('are put together whatever is torn, and in whatever order they come', async () => {
    const torn = new Set<string>();
    proxy.fault = ({ name, headers }) => {
      if (name !== 'S3 GetObject' || torn.has(String(headers.range)) || torn.size > 8) return undefined;
      torn.add(String(headers.range));
      return 'torn';
    };
    expect(sha256(await content(await patient().read(key)))).toBe(sha256(data));
    expect(torn.size).toBe(9);
  });

  test('are not asked for any more when nobody reads on', async () => {
    for await (const _ of await patient().read(key)) break;
    const asked = gets().length;
    await sleep(300);
    expect(gets()).toHaveLength(asked);
    expect(asked).toBeLessThan(4);
  });

  test('of a service that knows no ranges are refused', async () => {
    proxy.fault = ({ headers }) => (headers.range === undefined ? undefined : { document: '<whole/>' });
    await expect(content(await patient().read(key))).rejects.toThrow('it does not know ranges');
  });
});

test('each part carries its SHA-256, which the proxy checks, and the end states the length', async () => {
  await store().write(freshKey(), inPieces(large));
  const parts = proxy.calls.filter((call) => call.name === 'S3 UploadPart');
  expect(parts.map((call) => call.bodyBytes).sort((a, b) => b - a)).toEqual([8 * mebibyte, 5000]);
  for (const part of parts) expect(part.headers['x-amz-checksum-sha256']).toMatch(/^[A-Za-z0-9+/]{43}=$/);
  const end = proxy.calls.find((call) => call.name === 'S3 CompleteMultipartUpload');
  expect(end?.headers['x-amz-mp-object-size']).toBe(String(large.length));
  expect(end?.headers['if-none-match']).toBe('*');
});

test('a provider without SHA-256 and conditional writes gets MD5 and is looked at first', async () => {
  const plain = store({
    integrity: 'md5',
    conditionalWrites: false,
    partLimits: { parts: 1000, equal: true },
  });
  const key = freshKey();
  await plain.write(key, inPieces(large));
  const writes = proxy.calls.filter((call) => /Put|Part|Complete/.test(call.name));
  for (const call of writes) expect(call.headers['if-none-match']).toBeUndefined();
  for (const call of writes.filter((call) => call.name === 'S3 UploadPart')) {
    expect(call.headers['content-md5']).toMatch(/^[A-Za-z0-9+/]{22}==$/);
    expect(call.headers['x-amz-checksum-sha256']).toBeUndefined();
  }
  await expect(plain.write(key, inPieces(small))).rejects.toThrow('never overwritten');
  expect(sha256(await content(await plain.read(key)))).toBe(sha256(large));
});

test.each([
  ['small', small],
  ['large', large],
])('a taken key is refused: %s', async (_, data) => {
  const key = freshKey();
  await store().write(key, inPieces(small));
  await expect(store().write(key, inPieces(data))).rejects.toThrow(/already exists .* never overwritten/);
  expect(sha256(await content(await store().read(key)))).toBe(sha256(small));
  expect(await openUploads()).toEqual([]);
});

test.each([
  ['small', small],
  ['large', large],
])('a body that fails at its end leaves nothing: %s', async (_, data) => {
  const key = freshKey();
  const fails = new Error('pg_dump ended with exit code 1');
  await expect(store().write(key, inPieces(data, fails))).rejects.toThrow('pg_dump ended with exit code 1');
  expect(await keysUnder(key)).toEqual([]);
  expect(await openUploads()).toEqual([]);
});

test('a missing object is told at once', async () => {
  await expect(store().read('eu/nobody/data')).rejects.toThrow('eu/nobody/data is not in s3://archives-eu/');
});

test('list gives keys in order without the prefix, over pages; remove takes any number', async () => {
  const keys = Array.from({ length: 1005 }, (_, index) => `eu/many/${String(index).padStart(4, '0')}`);
  for (let from = 0; from < keys.length; from += 50) {
    await Promise.all(
      keys
        .slice(from, from + 50)
        .map((key) => raw.send(new PutObjectCommand({ Bucket: bucket, Key: `archives/${key}`, Body: 'x' }))),
    );
  }
  expect(await keysUnder('eu/many/')).toEqual(keys);
  await store().remove([...keys, 'eu/many/not-there']);
  expect(await keysUnder('eu/many/')).toEqual([]);
});

test('sweep gives up old unfinished uploads under its prefix and no others', async () => {
  for (const key of ['eu/swept/data', 'eu/other/data']) {
    await raw.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: `archives/${key}` }));
  }
  await store().sweep('eu/swept/', new Date(Date.now() + 3_600_000));
  expect(await openUploads()).toEqual(['archives/eu/other/data']);
  await store().sweep('eu/other/', new Date(Date.now() + 3_600_000));
});

test('sweep leaves young uploads, which may be running, alone', async () => {
  const upload = (key: string, hoursAgo: number) =>
    `<Upload><Key>archives/${key}</Key><UploadId>of-${key}</UploadId><Initiated>${new Date(Date.now() - hoursAgo * 3_600_000).toISOString()}</Initiated></Upload>`;
  const uploads = upload('eu/a/old', 30) + upload('eu/a/young', 1) + upload('eu/ab/old', 30);
  proxy.fault = (call) =>
    call.name === 'S3 ListMultipartUploads'
      ? {
          document: `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${uploads}</ListMultipartUploadsResult>`,
        }
      : undefined;
  await store().sweep('eu/a/', new Date(Date.now() - 24 * 3_600_000));
  const given = proxy.calls
    .filter((call) => call.name === 'S3 AbortMultipartUpload')
    .map((call) => call.path);
  expect(given).toHaveLength(1);
  expect(given[0]).toContain('archives/eu/a/old');
});

test('a list that is cut off is no list, and one that leads to itself has an end', async () => {
  const list = (more: string) => ({
    document: `<ListBucketResult><IsTruncated>true</IsTruncated>${more}<Contents><Key>archives/eu/a</Key><Size>1</Size></Contents></ListBucketResult>`,
  });
  // As of services that answer in the form of the first version.
  for (const more of [
    '',
    '<NextMarker>archives/eu/a</NextMarker>',
    '<NextContinuationToken>x</NextContinuationToken>',
  ]) {
    proxy.fault = ({ name }) => (name === 'S3 ListObjectsV2' ? list(more) : undefined);
    const read = async () => {
      for await (const _ of store().list('eu/'));
    };
    await expect(read()).rejects.toThrow('says that there are more, but not how to ask for them');
  }
  for (const more of ['', '<NextKeyMarker>k</NextKeyMarker><NextUploadIdMarker>u</NextUploadIdMarker>']) {
    proxy.fault = ({ name }) =>
      name === 'S3 ListMultipartUploads'
        ? {
            document: `<ListMultipartUploadsResult><IsTruncated>true</IsTruncated>${more}</ListMultipartUploadsResult>`,
          }
        : undefined;
    proxy.calls.length = 0;
    await store().sweep('eu/', new Date());
    expect(proxy.calls.length).toBeLessThanOrEqual(2);
  }
});

test('deleting is refused, and only add-only credentials take that for an answer', async () => {
  const refused =
    '<DeleteResult><Error><Key>archives/eu/a</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>';
  for (const fault of [{ status: 403, code: 'AccessDenied' }, { document: refused }]) {
    proxy.fault = () => fault;
    await expect(store().remove(['eu/a'])).rejects.toThrow('may not do this');
    await expect(store({ addOnly: true }).remove(['eu/a'])).resolves.toBeUndefined();
  }
});

test('sweep leaves it to the lifecycle rule where it may not list uploads', async () => {
  proxy.fault = () => ({ status: 403, code: 'AccessDenied' });
  await expect(store().sweep('eu/', new Date())).resolves.toBeUndefined();
});

const once = (name: string, fault: Fault) => {
  let left = 1;
  return (call: Call) => (call.name === name && left-- > 0 ? fault : undefined);
};
const random = seeded(seedOf('faults of S3'));
const faults: [string, Fault][] = [
  ['500', { status: 500, code: 'InternalError' }],
  ['503', { status: 503, code: 'SlowDown' }],
  ['a cut connection', 'cut'],
  ['a lost answer', 'lost'],
  ['silence', 'silent'],
];

describe.each(someOf(faults, 3, random))('%s once', (_, fault) => {
  test.each(['S3 CreateMultipartUpload', 'S3 UploadPart', 'S3 CompleteMultipartUpload'])(
    'at %s is outlasted',
    async (name) => {
      const key = freshKey();
      proxy.fault = once(name, fault);
      await store().write(key, inPieces(large));
      expect(sha256(await content(await store().read(key)))).toBe(sha256(large));
    },
  );
  test('at PutObject, GetObject, ListObjectsV2 and DeleteObjects is outlasted', async () => {
    const key = freshKey();
    proxy.fault = once('S3 PutObject', fault);
    await store().write(key, inPieces(small));
    proxy.fault = once('S3 GetObject', fault);
    expect(sha256(await content(await store().read(key)))).toBe(sha256(small));
    proxy.fault = once('S3 ListObjectsV2', fault);
    const listed: string[] = [];
    for await (const object of store().list(key)) listed.push(object.key);
    expect(listed).toEqual([key]);
    proxy.fault = once('S3 DeleteObjects', fault);
    await store().remove([key]);
    expect(await keysUnder(key)).toEqual([]);
  });
});

describe.each([
  ...someOf(faults, 2, random),
  ['a refusal', { status: 403, code: 'AccessDenied' }] as [string, Fault],
])('%s for good', (_, fault) => {
  test.each(['S3 CreateMultipartUpload', 'S3 UploadPart', 'S3 CompleteMultipartUpload', 'S3 PutObject'])(
    'at %s fails clearly and leaves nothing that is not whole',
    async (name) => {
      const key = freshKey();
      const data = name === 'S3 PutObject' ? small : large;
      proxy.fault = (call) => (call.name === name ? fault : undefined);
      const outcome = await store()
        .write(key, inPieces(data))
        .then(
          () => 'written',
          (error) => error,
        );
      proxy.fault = () => undefined;
      const left = await keysUnder(key);
      // An answer that is always lost may still have been work that was done: then the store finds out.
      if (outcome === 'written') expect(fault).toBe('lost');
      else {
        expect(outcome).toHaveProperty('exitCode', 3);
        expect(outcome.message).toMatch(/^writing .* failed in s3:\/\/archives-eu\/archives\//);
      }
      expect(left).toEqual(outcome === 'written' ? [key] : []);
      if (outcome === 'written') expect(sha256(await content(await store().read(key)))).toBe(sha256(data));
      // What a creation left whose answer was lost is nobody's to give up but the sweep's.
      await store().sweep('eu/', new Date(Date.now() + 3_600_000));
      expect(await openUploads()).toEqual([]);
    },
  );
});

test('a read that is torn again and again goes on where it was, in the same object', async () => {
  const key = freshKey();
  await store().write(key, inPieces(large));
  let torn = 0;
  proxy.fault = (call) => {
    if (call.name !== 'S3 GetObject' || torn >= 4) return undefined;
    torn += 1;
    return 'torn';
  };
  expect(sha256(await content(await store().read(key)))).toBe(sha256(large));
  const ranges = proxy.calls.filter((call) => call.name === 'S3 GetObject').map((call) => call.headers.range);
  expect(ranges[0]).toBeUndefined();
  expect(ranges.filter((range) => range !== undefined).length).toBeGreaterThanOrEqual(4);
});

test('an object that changes while it is read is never mixed', async () => {
  const key = freshKey();
  await store().write(key, inPieces(large));
  proxy.fault = once('S3 GetObject', 'torn');
  const body = await store().read(key);
  await raw.send(new PutObjectCommand({ Bucket: bucket, Key: `archives/${key}`, Body: large.subarray(1) }));
  await expect(content(body)).rejects.toThrow('was replaced while it was being read');
});

test('expired credentials are fetched anew once', async () => {
  let fetched = 0;
  let current: typeof credentials | undefined;
  const renewing = store({
    credentials: {
      provide: async () => {
        if (!current) {
          fetched += 1;
          current = { ...credentials };
        }
        return current;
      },
      renew: () => {
        current = undefined;
      },
    },
  });
  proxy.fault = once('S3 PutObject', { status: 400, code: 'ExpiredToken' });
  await renewing.write(freshKey(), inPieces(small));
  expect(fetched).toBe(2);
  proxy.fault = () => ({ status: 400, code: 'ExpiredToken' });
  await expect(renewing.write(freshKey(), inPieces(small))).rejects.toThrow('could not be renewed');
});

test('an unreachable service names the endpoint and what to check', async () => {
  const nowhere = store({ endpoint: 'http://127.0.0.1:1', attempts: 2 });
  await expect(nowhere.read('eu/a/data')).rejects.toThrow(
    /127\.0\.0\.1:1 after 2 attempts.*check the endpoint/,
  );
});

// What the stand-in does where others differ; when an upgrade changes it, the tests above mean something else.
describe("moto's habits on which these tests rely", () => {
  test('it keeps If-None-Match, and tagging leaves the bytes alone', async () => {
    const place = { Bucket: bucket, Key: 'habits/tagged' };
    await raw.send(new PutObjectCommand({ ...place, Body: 'bytes' }));
    await raw.send(
      new PutObjectTaggingCommand({ ...place, Tagging: { TagSet: [{ Key: 'a', Value: 'b' }] } }),
    );
    const { Body } = await raw.send(new GetObjectCommand(place));
    expect(await Body?.transformToString()).toBe('bytes');
    await expect(
      raw.send(new PutObjectCommand({ ...place, Body: 'x', IfNoneMatch: '*' })),
    ).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
  });
});
