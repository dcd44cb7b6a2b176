// Archives brought from one store to another by the built command: cut off, gone on with, changed, refused.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AbortMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { type RunOptions, runCli } from '../support/cli';
import { type Call, type FaultProxy, startFaultProxy } from '../support/fault-proxy';
import { useMoto } from '../support/moto';
import { usePostgres } from '../support/postgres';
import { type Workspace, workspace } from '../support/tenants';

const postgres = usePostgres();
const moto = useMoto();
let work: Workspace;
let proxy: FaultProxy;
let s3: S3Client;
let archive: string;
let buckets = 0;
let bucket: string;

const MiB = 1024 * 1024;

beforeAll(async () => {
  work = await workspace(postgres);
  proxy = await startFaultProxy(moto().endpoint);
  s3 = new S3Client({
    region: 'eu-central-1',
    endpoint: moto().endpoint,
    forcePathStyle: true,
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' },
  });
  for (const [name, rows] of [
    ['acme', 400_000],
    ['small', 10],
  ] as const) {
    await postgres().query(`create database ${name}`);
    const noise = `create table t as select i, sha512(i::text::bytea) as noise from generate_series(1, ${rows}) i`;
    await postgres().query(noise, [], name);
  }
  await work.dump('small');
  archive = (await work.dump('acme')).json<{ archive: string }>().archive;
}, 120_000);
afterAll(async () => {
  work?.remove();
  await proxy?.stop();
});

beforeEach(async () => {
  proxy.calls.length = 0;
  proxy.fault = () => undefined;
  buckets += 1;
  bucket = `copies-${buckets}`;
  await s3.send(
    new CreateBucketCommand({
      Bucket: bucket,
      CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
    }),
  );
});

const away = (options = '') => `s3://${bucket}/?region=eu-central-1&path-style=true${options}`;
const environment = () => ({ ...moto().environment, AWS_ENDPOINT_URL: proxy.endpoint });
const copy = (args: string[], options: RunOptions = {}) =>
  runCli(['copy', ...args], { ...options, env: { ...environment(), ...options.env } });
const toBucket = (args: string[] = [], options: RunOptions = {}) =>
  copy(['acme', '--from', work.store, '--to', away(), '--json', ...args], options);

interface Copied {
  archive: string;
  tenant: string;
  state: string;
  bytes: number;
  kept: number;
  problem?: string;
}
const verify = async (store: string, tenant = 'acme') =>
  (
    await runCli(['verify', tenant, '--json', '--store', store, '--key-file', work.key], {
      env: environment(),
    })
  ).json<{ ok: boolean; archive: string }>();
const keys = async () =>
  ((await s3.send(new ListObjectsV2Command({ Bucket: bucket }))).Contents ?? []).map(({ Key }) => Key!);
const uploads = async () =>
  (await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? [];
const dataKey = () => `local/acme/${archive}/data`;
const partOf = ({ path }: Call) => Number(new URL(path, 'http://s3').searchParams.get('partNumber'));
const sent = () =>
  proxy.calls
    .filter(({ name }) => name === 'S3 UploadPart')
    .map(partOf)
    .sort((a, b) => a - b);
const partsThere = async () => {
  const [upload] = await uploads();
  const { Parts = [] } = await s3.send(
    new ListPartsCommand({ Bucket: bucket, Key: upload!.Key, UploadId: upload!.UploadId }),
  );
  return Parts.map(({ PartNumber }) => PartNumber!);
};

/** Kills the process when it sends this part, which does not arrive, and all before it have arrived. */
async function cutOffAt(part: number, signal: NodeJS.Signals = 'SIGKILL', args: string[] = []) {
  let kill = () => {};
  let begun = false;
  const killLater = async () => {
    // Each of them: one that was sent twice is at times listed twice.
    while (new Set(await partsThere()).size < part - 1) await sleep(20);
    kill();
  };
  proxy.fault = (call) => {
    if (call.name !== 'S3 UploadPart' || partOf(call) < part) return undefined;
    // Once: a second signal would end it at once.
    if (!begun) void killLater();
    begun = true;
    return 'silent';
  };
  const ran = await toBucket(args, {
    started: (child) => {
      kill = () => void child.kill(signal);
    },
  });
  proxy.fault = () => undefined;
  proxy.calls.length = 0;
  return ran;
}

test('the newest archive, from a folder to a bucket and back; a second run finds it there; holds stay where they are', async () => {
  const ran = await toBucket();
  expect(ran).toMatchObject({ code: 0 });
  expect(ran.json()).toMatchObject([{ tenant: 'acme', archive, state: 'copied', kept: 0 }]);
  // The manifest comes last and, like everything, never over another.
  const writes = proxy.calls.filter(({ name }) => /Put|Complete/.test(name));
  expect(writes.map(({ path }) => path.replace(/^.*\/|\?.*$/g, ''))).toEqual([
    'data',
    'manifest.seal',
    'manifest.json',
  ]);
  expect(writes.map(({ headers }) => headers['if-none-match'])).toEqual(['*', '*', '*']);
  expect(await verify(away())).toMatchObject({ ok: true, archive });

  proxy.calls.length = 0;
  const again = await toBucket();
  expect([again.code, again.json<Copied[]>().map(({ state }) => state)]).toEqual([0, ['present']]);
  expect(proxy.calls.filter(({ name }) => /Put|Upload/.test(name) && !/List/.test(name))).toEqual([]);

  const back = join(work.folder, 'back');
  expect(await copy(['acme', '--from', away(), '--to', back])).toMatchObject({ code: 0 });
  expect(await verify(back)).toMatchObject({ ok: true, archive });
  for (const part of ['data', 'manifest.json', 'manifest.seal'])
    expect(
      readFileSync(join(back, 'local/acme', archive, part)).equals(
        readFileSync(join(work.store, 'local/acme', archive, part)),
      ),
    ).toBe(true);

  // What is held there need not be held here: that is said until it is.
  const reason = ['--reason', 'case 118', '--store'];
  expect(await runCli(['hold', 'acme', ...reason, work.store])).toMatchObject({ code: 0 });
  const told = await copy(['acme', '--from', work.store, '--to', back, '--json']);
  expect(told.json()).toMatchObject([{ state: 'present', notHeld: true }]);
  expect(told.stderr).toContain(
    `1 archive of these is held in ${work.store} and not in ${back}, where \`prune\` and \`erase\` do not spare them`,
  );
  expect(await runCli(['hold', 'acme', ...reason, back])).toMatchObject({ code: 0 });
  const held = await copy(['acme', '--from', work.store, '--to', back, '--json']);
  expect(held.json<Copied[]>()[0]).not.toHaveProperty('notHeld');
  expect(held.stderr).not.toContain('held in');
  expect(await runCli(['release', 'acme', '--store', work.store])).toMatchObject({ code: 0 });
});

describe('cut off in the middle', () => {
  test('killed, it goes on behind the parts that have arrived', async () => {
    expect((await cutOffAt(4)).signal).toBe('SIGKILL');
    expect(await keys()).toEqual([]);
    const there = await partsThere();
    expect(there).toEqual([1, 2, 3]);

    const ran = await toBucket();
    expect(ran).toMatchObject({ code: 0 });
    expect(sent()[0]).toBe(4);
    expect(sent().filter((part) => there.includes(part))).toEqual([]);
    const [{ kept, bytes }] = ran.json<Copied[]>() as [Copied];
    expect(kept).toBe(3 * 8 * MiB);
    expect(bytes).toBeGreaterThan(kept);
    expect(await verify(away())).toMatchObject({ ok: true, archive });
    expect(await uploads()).toEqual([]);
  });

  test('told to stop, it says that the parts stay', async () => {
    const ran = await cutOffAt(3, 'SIGTERM');
    expect(ran.code).toBe(3);
    expect(ran.stderr).toContain(
      'stopped by SIGTERM; give the same command again, and it goes on from there',
    );
    expect(await partsThere()).toEqual([1, 2]);
    expect(await toBucket()).toMatchObject({ code: 0 });
    expect(sent()[0]).toBe(3);
  });

  test('by a service that fails, the same; a bucket that lists nothing keeps nothing', async () => {
    let arrived: number[] = [];
    // Tried again until the first two are there, and then refused for good.
    const fails = (call: Call) => {
      if (call.name !== 'S3 UploadPart' || partOf(call) < 3) return undefined;
      void partsThere().then((parts) => {
        arrived = parts;
      });
      return arrived.length < 2 ? { status: 503, code: 'SlowDown' } : { status: 403, code: 'AccessDenied' };
    };
    proxy.fault = fails;
    const ran = await toBucket();
    expect([ran.code, ran.json<Copied[]>()[0]!.state]).toEqual([3, 'failed']);
    expect(ran.stderr).toMatch(/1 of 1 archives were not copied: .*AccessDenied/);
    expect(await partsThere()).toEqual([1, 2]);
    proxy.fault = (call) =>
      call.name === 'S3 ListMultipartUploads' ? { status: 403, code: 'AccessDenied' } : fails(call);
    expect((await toBucket()).code).toBe(3);
    expect(await uploads()).toHaveLength(1);
  });

  test.each([
    ['another content', () => Buffer.alloc(8 * MiB, 7)],
    ['another size', () => Buffer.alloc(6 * MiB, 7)],
  ])('a part that has %s is sent again', async (_what, content) => {
    await cutOffAt(4);
    const [upload] = await uploads();
    const place = { Bucket: bucket, Key: upload!.Key, UploadId: upload!.UploadId };
    await s3.send(new UploadPartCommand({ ...place, PartNumber: 2, Body: content() }));
    expect(await toBucket()).toMatchObject({ code: 0 });
    expect(sent().slice(0, 2)).toEqual([2, 4]);
    expect(await verify(away())).toMatchObject({ ok: true, archive });
  });

  test('where the service tells the checksums of parts, they decide', async () => {
    await cutOffAt(4);
    const document = (sha256: string) =>
      `<ListPartsResult>${[1, 2, 3]
        .map(
          (part) =>
            `<Part><PartNumber>${part}</PartNumber><Size>${8 * MiB}</Size><ETag>"of-a-kms-key"</ETag>` +
            `<ChecksumSHA256>${part === 2 ? sha256 : checksums[part - 1]}</ChecksumSHA256></Part>`,
        )
        .join('')}<IsTruncated>false</IsTruncated></ListPartsResult>`;
    const data = readFileSync(join(work.store, dataKey()));
    const checksums = [0, 1, 2].map((at) =>
      createHash('sha256')
        .update(data.subarray(at * 8 * MiB, (at + 1) * 8 * MiB))
        .digest('base64'),
    );
    // The made-up ETags do not fit what the stand-in has, so the completion fails; what was sent is what counts.
    const answer = (sha256: string) => (call: Call) =>
      call.name === 'S3 ListParts' ? { document: document(sha256) } : undefined;
    proxy.fault = answer(checksums[1]!);
    await toBucket();
    expect(sent()[0]).toBe(4);
    proxy.calls.length = 0;
    proxy.fault = answer(checksums[2]!);
    await toBucket();
    expect(sent()).toContain(2);
    expect(sent()).not.toContain(1);
  });

  test('another upload to the same name is left alone', async () => {
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: dataKey() }));
    const place = { Bucket: bucket, Key: dataKey(), UploadId };
    await s3.send(new UploadPartCommand({ ...place, PartNumber: 1, Body: Buffer.alloc(8 * MiB, 1) }));
    expect(await toBucket()).toMatchObject({ code: 0 });
    expect((await uploads()).map((upload) => upload.UploadId)).toEqual([UploadId]);
    expect(await partsThere()).toEqual([1]);
    await s3.send(new AbortMultipartUploadCommand(place));
    expect(await verify(away())).toMatchObject({ ok: true, archive });
  });

  test('between data and manifest, the data that is there is read and not sent again', async () => {
    proxy.fault = ({ path }) =>
      path.includes('manifest.json') ? { status: 403, code: 'AccessDenied' } : undefined;
    expect((await toBucket()).code).toBe(3);
    expect(await keys()).toEqual([dataKey(), dataKey().replace('data', 'manifest.seal')]);
    // An archive that is months old is no abandoned one while its copy is young.
    const pruned = await runCli(['prune', '--store', away(), '--json'], { env: environment() });
    expect(pruned.json()).toEqual([]);
    proxy.fault = () => undefined;
    proxy.calls.length = 0;
    const ran = await toBucket();
    expect(ran).toMatchObject({ code: 0 });
    expect(ran.json<Copied[]>()[0]!.kept).toBe(ran.json<Copied[]>()[0]!.bytes);
    expect(sent()).toEqual([]);
    expect(await verify(away())).toMatchObject({ ok: true, archive });
  });

  test('in a folder it begins anew, and the dead run has left nothing', async () => {
    const folder = join(work.folder, 'cut');
    const at = join(folder, 'local/acme', archive);
    const args = ['acme', '--from', work.store, '--to', folder, '--json'];
    const killed = await copy([...args, '--limit-rate', '8M'], {
      started: (child) => {
        const timer = setInterval(() => {
          if (existsSync(at) && readdirSync(at).some((name) => name.endsWith('.partial')))
            child.kill('SIGKILL');
        }, 20);
        child.once('exit', () => clearInterval(timer));
      },
    });
    expect(killed.signal).toBe('SIGKILL');
    expect(readdirSync(at)).toEqual([expect.stringMatching(/^\.data\..*\.partial$/)]);
    expect(await copy(args)).toMatchObject({ code: 0 });
    expect(readdirSync(at).sort()).toEqual(['data', 'manifest.json', 'manifest.seal']);
    expect(await verify(folder)).toMatchObject({ ok: true, archive });
  });
});

describe('what is not as its manifest says', () => {
  const source = () => join(work.store, dataKey());
  let bytes: Buffer;
  beforeEach(() => {
    bytes = readFileSync(source());
  });
  afterEach(() => writeFileSync(source(), bytes));

  test('a source that changed since the first run leaves no copy and no parts', async () => {
    await cutOffAt(4);
    const changed = Buffer.from(bytes);
    changed[bytes.length - 5]! ^= 1;
    writeFileSync(source(), changed);
    const ran = await toBucket();
    expect(ran.code).toBe(3);
    expect(ran.json<Copied[]>()).toMatchObject([
      {
        state: 'failed',
        problem: expect.stringMatching(/^data in \S+ is not what the manifest says it was$/),
      },
    ]);
    expect([await keys(), await uploads()]).toEqual([[], []]);
  });

  test('a source that is too short is refused before the first byte', async () => {
    writeFileSync(source(), bytes.subarray(0, -1));
    const ran = await toBucket();
    expect([ran.code, ran.stderr]).toEqual([3, expect.stringMatching(/data has \d+ bytes, and had \d+/)]);
    expect(proxy.calls.filter(({ name }) => /Create|Put/.test(name))).toEqual([]);
  });

  test('other data under the same name is never taken for it, nor overwritten', async () => {
    const folder = join(work.folder, 'taken');
    const args = ['acme', '--from', work.store, '--to', folder];
    await copy(args);
    const at = join(folder, 'local/acme', archive);
    const manifest = readFileSync(join(at, 'manifest.json'));
    writeFileSync(join(at, 'manifest.json'), Buffer.concat([manifest, Buffer.from('\n')]));
    expect((await copy(args)).stderr).toMatch(/manifest\.json in \S+ differs from that of the archive/);
    writeFileSync(join(at, 'manifest.json'), manifest);
    writeFileSync(join(at, 'data'), 'something else');
    expect((await copy(args)).stderr).toMatch(/the archive in \S+ is damaged: its data has another size/);
    rmSync(join(at, 'manifest.json'));
    const ran = await copy(args);
    expect([ran.code, ran.stderr]).toEqual([
      3,
      expect.stringMatching(/without a manifest and with another content/),
    ]);
    expect(readFileSync(join(at, 'data'), 'utf8')).toBe('something else');
  });
});

test('two runs at once make one archive', async () => {
  // Some begin uploads of their own, and some go on with that of another, which ends it under them.
  const several = await Promise.all([
    toBucket(),
    toBucket(),
    sleep(700).then(() => toBucket()),
    sleep(1500).then(() => toBucket()),
  ]);
  expect(several.map(({ code, stderr }) => (code === 0 ? code : stderr))).toEqual([0, 0, 0, 0]);
  expect(await verify(away())).toMatchObject({ ok: true, archive });
  expect(await uploads()).toEqual([]);
  const folder = join(work.folder, 'at once');
  const args = ['acme', '--from', work.store, '--to', folder];
  const both = await Promise.all([copy(args), copy(args)]);
  expect(both.map(({ code, stderr }) => (code === 0 ? code : stderr))).toEqual([0, 0]);
  expect(await verify(folder)).toMatchObject({ ok: true, archive });
});

test('an upload that another run has ended meanwhile is found whole', async () => {
  await cutOffAt(4);
  const [upload] = await uploads();
  let other: ReturnType<typeof toBucket> | undefined;
  // The first to go on is held at its last part until the other has ended the upload.
  proxy.fault = (call) => {
    if (call.name !== 'S3 UploadPart' || partOf(call) !== 4) return undefined;
    if (other === undefined) {
      other = runCli(['copy', 'acme', '--from', work.store, '--to', away(), '--json'], {
        env: { ...environment(), AWS_ENDPOINT_URL: moto().endpoint },
      });
      void other.then(() => {
        other = undefined;
        proxy.fault = () => undefined;
      });
    }
    return { status: 503, code: 'SlowDown' };
  };
  const first = await toBucket();
  expect(first).toMatchObject({ code: 0 });
  expect(proxy.calls.filter(({ path }) => path.includes(upload!.UploadId!)).length).toBeGreaterThan(1);
  expect(await verify(away())).toMatchObject({ ok: true, archive });
  expect(await uploads()).toEqual([]);
});

test('all archives, of all tenants, of a time, by name', async () => {
  const older = (await work.dump('small')).json<{ archive: string }>().archive;
  const newer = (await work.dump('small')).json<{ archive: string }>().archive;
  const to = (name: string, args: string[]) =>
    copy([...args, '--from', work.store, '--to', join(work.folder, name), '--json']);
  const names = (ran: Awaited<ReturnType<typeof to>>) => ran.json<Copied[]>().map((each) => each.archive);
  expect(names(await to('newest', []))).toEqual([newer, archive]);
  expect(names(await to('named', ['small', '--archive', older]))).toEqual([older]);
  const all = await to('all', ['--all']);
  expect(names(all)).toHaveLength(4);
  expect([...names(all)].sort().reverse()).toEqual(names(all));
  const at = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)([\d.]+Z)/.exec(older)!;
  const time = `${at[1]}-${at[2]}-${at[3]}T${at[4]}:${at[5]}:${at[6]}`;
  expect(names(await to('timed', ['small', '--at', time]))).toEqual([older]);
  expect(names(await to('timed', ['--at', time]))).toEqual([older, archive]);
  // One that cannot be copied does not keep the others back.
  const folder = join(work.folder, 'one damaged');
  const damaged = join(work.store, 'local/small', newer, 'manifest.seal');
  const seal = readFileSync(damaged);
  rmSync(damaged);
  const ran = await copy(['--all', '--from', work.store, '--to', folder, '--json']);
  writeFileSync(damaged, seal);
  expect(ran.code).toBe(3);
  expect(ran.json<Copied[]>().map(({ state }) => state)).toEqual(['failed', 'copied', 'copied', 'copied']);
  expect(ran.json<Copied[]>()[0]!.problem).toBe('manifest.seal is missing');
  // Told to stop, it tells what it has copied until then.
  const stopped = join(work.folder, 'stopped');
  const half = await copy(['--all', '--from', work.store, '--to', stopped, '--json', '--limit-rate', '4M'], {
    started: (child) => {
      const timer = setInterval(() => {
        if (!existsSync(join(stopped, 'local/acme', archive))) return;
        clearInterval(timer);
        child.kill('SIGTERM');
      }, 20);
    },
  });
  expect([half.code, names(half)]).toEqual([3, [newer, older]]);
  expect(half.stderr).toContain('stopped by SIGTERM');
});

test('what is there already is held against what the store tells of it, and read nowhere', async () => {
  const all = async (to: string) => {
    const ran = await copy(['--all', '--from', work.store, '--to', to, '--json']);
    return ran
      .json<(Copied & { sameBy?: string })[]>()
      .map(({ tenant, state, sameBy }) => `${tenant} ${state} ${sameBy}`)
      .sort();
  };
  expect(await all(away())).toEqual(expect.arrayContaining(['acme copied undefined']));
  proxy.calls.length = 0;
  const again = await all(away());
  expect([...new Set(again)]).toEqual(['acme present checksum', 'small present checksum']);
  expect(proxy.calls.filter(({ name, path }) => name === 'S3 GetObject' && path.includes('/data'))).toEqual(
    [],
  );
  const folder = join(work.folder, 'present');
  await all(folder);
  expect([...new Set(await all(folder))]).toEqual(['acme present size', 'small present size']);

  // The same number of other bytes: with a SHA-256 of the service, and where it tells none.
  const key = (await keys()).findLast((each) => each.startsWith('local/small/') && each.endsWith('/data'))!;
  const { ContentLength } = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
  const other = { Bucket: bucket, Key: key, Body: Buffer.alloc(ContentLength!, 1) };
  await s3.send(new PutObjectCommand({ ...other, ChecksumAlgorithm: 'SHA256' }));
  const changed = await copy(['small', '--from', work.store, '--to', away()]);
  expect([changed.code, changed.stderr]).toEqual([
    3,
    expect.stringMatching(/damaged: its data has another SHA-256/),
  ]);
  await s3.send(new PutObjectCommand({ ...other, Metadata: { 'write-id': `sha256-${'0'.repeat(64)}` } }));
  expect((await copy(['small', '--from', work.store, '--to', away()])).stderr).toMatch(/another SHA-256/);
  await s3.send(new PutObjectCommand(other));
  const untold = await copy(['small', '--from', work.store, '--to', away()]);
  expect([untold.code, untold.stdout]).toEqual([0, expect.stringMatching(/^present .* the same by size$/m)]);
  // What two buckets have in the same parts is the same by that.
  const twin = `s3://${bucket}/twin/?region=eu-central-1&path-style=true`;
  for (const Key of await keys())
    await s3.send(
      new CopyObjectCommand({ Bucket: bucket, Key: `twin/${Key}`, CopySource: `${bucket}/${Key}` }),
    );
  const twins = await copy(['small', '--from', away(), '--to', twin]);
  expect([twins.code, twins.stdout]).toEqual([
    0,
    expect.stringMatching(/^present .* the same by checksum$/m),
  ]);
  // Who may not ask is told nothing, which is no failure.
  proxy.fault = ({ name }) => (name === 'S3 HeadObject' ? { status: 403, code: 'AccessDenied' } : undefined);
  expect(await all(away())).toEqual(expect.arrayContaining(['acme present size']));
});

describe('a regime is not left', () => {
  // What AWS's tools are told of another address is judged, too.
  const plain = () => ({ ...environment(), AWS_ENDPOINT_URL: undefined });
  const policy = (expires: string) => {
    const file = join(work.folder, `policy-${expires}.yaml`);
    writeFileSync(
      file,
      `schemaVersion: 1\nexceptions:\n  - { from: eu, to: us, instrument: SCC, what: [backup], approvedBy: DPO, expires: ${expires} }\n` +
        'regimes:\n  acme-dach: { regions: [eu-central-1, eu-central-2] }\n',
    );
    return file;
  };
  const elsewhere = (country: string) =>
    `s3://copies/?region=fr-par&endpoint=https://s3.example.com${country}`;
  const aws = (region: string) => `s3://copies/?region=${region}`;
  const leaves = /would be kept in .*, where the regime does not reach/;

  test.each([
    ['eu', () => [aws('us-east-1')], leaves],
    ['eu', () => [elsewhere('&country=US')], leaves],
    ['eu', () => [elsewhere('')], /does not say in which country/],
    // A country that is claimed for a bucket of AWS does not move it.
    ['eu', () => [`${aws('us-east-1')}&country=DE`], leaves],
    [
      'eu',
      () => [`${aws('us-east-1')}&endpoint=https://bucket.vpce-1.s3.us-east-1.vpce.amazonaws.com&country=DE`],
      leaves,
    ],
    [
      'eu',
      () => [aws('us-east-1'), '--policy', policy('2020-01-01')],
      /exception "SCC" expired on 2020-01-01/,
    ],
    ['us', () => [aws('eu-central-1'), '--policy', policy('2999-01-01')], leaves],
    // Under AWS's names, and not S3.
    [
      'eu',
      () => [`${aws('eu-central-1')}&endpoint=https://a.execute-api.us-east-1.amazonaws.com`],
      /which country/,
    ],
    [
      'eu',
      () => [`${aws('eu-central-1')}&endpoint=https://s3-1.us-east-1.elb.amazonaws.com`],
      /which country/,
    ],
    ['acme-dach', () => [aws('eu-central-1')], /no regime of the catalogue; give the --policy/],
    ['acme-dach', () => [aws('eu-west-1'), '--policy', policy('2999-01-01')], leaves],
  ] as const)('%s: copy and dump refuse, %#', async (regime, to, message) => {
    const [store, ...rest] = to();
    const options = ['--regime', regime, ...rest];
    const copied = await copy(['acme', '--from', work.store, '--to', store!, ...options], { env: plain() });
    expect([copied.code, copied.stderr]).toEqual([2, expect.stringMatching(message)]);
    const dumped = await work.dump('small', ['--store', store!, ...options], { env: plain() });
    expect([dumped.code, dumped.stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  test('a key of AWS KMS is in a region, too', async () => {
    const mixed = join(work.folder, 'keys.yaml');
    const exception = (what: string) =>
      writeFileSync(
        mixed,
        `schemaVersion: 1\nexceptions:\n  - { from: eu, to: us, instrument: SCC, what: [${what}], approvedBy: DPO, expires: 2999-01-01 }\n`,
      );
    const dump = (region: string, ...more: string[]) => {
      const key = `arn:aws:kms:${region}:111111111111:key/a`;
      const from = ['--server', 'postgres://nobody@127.0.0.1:1', '--store', work.folder, '--kms-key', key];
      return runCli(['dump', 'small', ...from, '--regime', 'eu', ...more], { env: plain() });
    };
    exception('backup');
    for (const more of [[], ['--policy', mixed]]) {
      const ran = await dump('us-east-1', ...more);
      expect([ran.code, ran.stderr]).toEqual([
        2,
        expect.stringMatching(/under a key in us-east-1 .*use a key in eu-central-1/),
      ]);
    }
    // Then nothing is wrong but that no server is there.
    exception('key');
    for (const ran of [await dump('us-east-1', '--policy', mixed), await dump('eu-central-1')])
      expect([ran.code, ran.stderr]).toEqual([3, expect.stringContaining('127.0.0.1:1')]);
  });

  test.each([
    [
      'AWS_ENDPOINT_URL',
      { AWS_ENDPOINT_URL: 'https://s3.example.com' },
      /another provider \(s3\.example\.com\).*country/,
    ],
    ['AWS_ENDPOINT_URL_S3', { AWS_ENDPOINT_URL_S3: 'https://s3.example.com' }, /\(s3\.example\.com\)/],
    [
      'no https',
      { AWS_ENDPOINT_URL: 'http://s3.example.com' },
      /only over https \(it is in AWS_ENDPOINT_URL_S3/,
    ],
    ['of the profile', { AWS_CONFIG_FILE: 'endpoint_url = https://s3.example.com' }, /\(s3\.example\.com\)/],
  ] as const)("an address that AWS's tools were told: %s", async (_, told, message) => {
    const env: Record<string, string | undefined> = { ...plain(), ...told };
    if (env.AWS_CONFIG_FILE) {
      const file = join(work.folder, 'aws-config');
      writeFileSync(file, `[default]\n${env.AWS_CONFIG_FILE}\n`);
      env.AWS_CONFIG_FILE = file;
    }
    const options = ['--from', work.store, '--to', aws('eu-central-1'), '--regime', 'eu'];
    const ran = await copy(['acme', ...options], { env });
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringMatching(message)]);
    // Then the region says where the bucket is: what is missing here is an archive under this regime.
    const ignored = await copy(['acme', ...options], {
      env: { ...env, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' },
    });
    expect([ignored.code, ignored.stderr]).toEqual([2, expect.stringContaining('there is no archive')]);
    // An interface endpoint of S3 in the VPC.
    const vpc = { AWS_ENDPOINT_URL_S3: 'https://bucket.vpce-1a.s3.eu-central-1.vpce.amazonaws.com' };
    const inside = await copy(['acme', ...options], { env: { ...plain(), ...vpc } });
    expect([inside.code, inside.stderr]).toEqual([2, expect.stringContaining('there is no archive')]);
  });

  test.each([
    ['eu', () => ['&country=FR']],
    ['eu', () => ['&country=US', '--policy', policy('2999-01-01')]],
    ['acme-dach', () => ['&country=CH', '--policy', policy('2999-01-01')]],
  ] as const)('%s: where it reaches, or an exception leads, they go, %#', async (regime, options) => {
    const [country, ...rest] = options();
    const folder = join(work.folder, `of ${regime}`);
    await work.dump('small', ['--store', folder, '--regime', regime]);
    const to = `s3://${bucket}/?region=fr-par&endpoint=${proxy.endpoint}&path-style=true${country}`;
    const ran = await copy(['small', '--from', folder, '--to', to, '--regime', regime, ...rest]);
    expect(ran).toMatchObject({ code: 0 });
  });
});

test.each([
  [['--from', 'a', '--to', 'a'], 'it is not there'],
  [['--from', '.', '--to', '.'], '--from and --to are the same store'],
  [['--from', '.', '--to', 'S3://b/?region=x'], '--to "S3://b/" is no URL that is known'],
  [['--from', '.', '--to', 'gs://b'], 'is no URL that is known'],
  [['--from', '.', '--to', ''], '--to is empty'],
  [['--from', '.', '--to', 's3://b/?region=x&write-only=true'], 'has write-only=true'],
  [['--from', '.', '--to', 'b', '--archive', 'x'], 'name the tenant, too'],
  [['--from', '.', '--to', 'b', '--all', '--at', '2026-11-20T15:00Z'], '--at and --all say different things'],
  [['nobody', '--from', '.', '--to', 'b'], 'there is no archive of tenant "nobody"'],
  [['--from', '.', '--to', 'b', '--policy', 'p'], 'say which by --regime'],
] as const)('%j is refused', async (args, message) => {
  const ran = await copy([...args]);
  expect(ran.code).toBe(2);
  if (message === 'it is not there') expect(ran.stderr).toContain('--from "a" is not there');
  else expect(ran.stderr).toContain(message);
});
