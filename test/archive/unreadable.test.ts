// Folders and files that the user who runs the command may not read, and links to disks that are not there.
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { runCli } from '../support/cli';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy';
import { useMoto } from '../support/moto';
import { archiveOf } from './described-archive';

const moto = useMoto();
const DAY = 86_400_000;
const NOBODY = 65_534;
const isRoot = process.getuid!() === 0;
let store: string;
let proxy: FaultProxy | undefined;

beforeEach(() => {
  store = mkdtempSync(join(tmpdir(), 'unreadable-'));
  own(store);
});
afterEach(() => {
  for (const path of locked.splice(0)) if (existsSync(path)) chmodSync(path, 0o700);
  rmSync(store, { recursive: true, force: true });
});

afterAll(() => proxy?.stop());

/** Root may read everything, so the command then runs as somebody else, to whom everything here belongs. */
function own(path: string) {
  if (isRoot) chownSync(path, NOBODY, NOBODY);
}
const env = isRoot
  ? { NODE_OPTIONS: `--import=data:text/javascript,process.setgid(${NOBODY});process.setuid(${NOBODY})` }
  : {};
const run = (command: string, ...args: string[]) => runCli([command, ...args, '--json'], { env });

const locked: string[] = [];
function lock(...parts: string[]) {
  const path = join(store, 'local', ...parts);
  chmodSync(path, 0);
  locked.push(path);
}

function put(tenant: string, daysAgo: number): string {
  const { archive, files } = archiveOf(tenant, daysAgo);
  let folder = store;
  for (const part of ['local', tenant, archive]) {
    folder = join(folder, part);
    mkdirSync(folder, { recursive: true });
    own(folder);
  }
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), content);
    own(join(folder, name));
  }
  return archive;
}

test('list goes on behind what cannot be read, names it on standard error, and ends with 3', async () => {
  const [first, last] = [put('a', 1), put('z', 2)];
  put('b', 1);
  lock('b');
  const dark = put('c', 3);
  const light = put('c', 4);
  lock('c', dark);
  const closed = put('d', 5);
  lock('d', closed, 'manifest.json');
  symlinkSync('/nowhere/at/all', join(store, 'local', 'e'));
  // What no dump has made is nobody's archive.
  mkdirSync(join(store, 'local', 'lost+found'), { mode: 0o700 });
  lock('lost+found');
  const listed = await run('list', '--store', store);
  expect(listed.code).toBe(3);
  // Whoever reads the array finds archives in it, and nothing else.
  expect(listed.json<Record<string, unknown>[]>().map(({ archive, bytes }) => [archive, bytes])).toEqual([
    [first, 3],
    [last, 3],
    [light, 3],
  ]);
  for (const what of [
    /archives of "b" cannot be read: .*EACCES/,
    new RegExp(`archive ${dark} of "c" cannot be read: .*EACCES`),
    /archives of "e" cannot be read: .*link to what is not there/,
    new RegExp(`archive ${closed} of "d" cannot be read: .*EACCES`),
    /lacks what could not be read in 4 places/,
  ])
    expect(listed.stderr).toMatch(what);
  expect(listed.stderr).not.toContain('lost+found');
  expect((await run('list', 'a', '--store', store)).code).toBe(0);
  const linked = await run('list', 'e', '--store', store);
  expect([linked.code, linked.stderr]).toEqual([3, expect.stringContaining('link to what is not there')]);
  // Nothing of it can be read: then there is no list.
  lock('.');
  expect(await run('list', '--store', store)).toMatchObject({ code: 3, stdout: '' });
});

test('prune goes on, too, and deletes nothing of a tenant of whom something cannot be read', async () => {
  for (const tenant of ['a', 'b', 'c', 'd', 'z']) for (const days of [20, 30]) put(tenant, days);
  const [newest] = readdirSync(join(store, 'local', 'b'))
    .sort()
    .reverse();
  lock('b', newest!);
  lock('c');
  const [, kept] = readdirSync(join(store, 'local', 'd')).sort();
  lock('d', kept!, 'manifest.json');
  const pruned = await run('prune', '--store', store);
  expect(pruned.code).toBe(3);
  const done = pruned.json<{ tenant: string; archive: string | null; state: string }[]>();
  expect(done.map(({ tenant, state }) => `${tenant} ${state}`).sort()).toEqual([
    'a deleted',
    'a kept',
    'b failed',
    'c failed',
    'd failed',
    'z deleted',
    'z kept',
  ]);
  expect(done.find(({ tenant }) => tenant === 'b')!.archive).toBe(newest);
  for (const tenant of ['b', 'd']) expect(readdirSync(join(store, 'local', tenant))).toHaveLength(2);
});

test('copy brings the others, and names what may have been meant', async () => {
  const [old, dark] = [put('a', 9), put('a', 8)];
  const newest = put('a', 1);
  lock('a', dark);
  const [, hidden] = [put('b', 2), put('b', 1)];
  lock('b', hidden);
  put('c', 1);
  lock('c');
  const to = mkdtempSync(join(tmpdir(), 'copies-'));
  own(to);
  const states = async (...args: string[]) => {
    const ran = await run('copy', '--from', store, '--to', to, ...args);
    const all = ran.json<{ tenant: string; archive: string | null; state: string }[]>();
    return { code: ran.code, all: all.map(({ tenant, archive, state }) => `${tenant} ${archive} ${state}`) };
  };
  // The older one that cannot be read was not asked for.
  expect(await states('a')).toEqual({ code: 0, all: [`a ${newest} copied`] });
  expect(await states()).toMatchObject({
    code: 3,
    all: expect.arrayContaining([`a ${newest} present`, `b ${hidden} failed`, 'c null failed']),
  });
  expect((await states('a', '--all')).all).toEqual([
    `a ${newest} present`,
    `a ${old} copied`,
    `a ${dark} failed`,
  ]);
  rmSync(to, { recursive: true, force: true });
});

test('an older archive that cannot be read keeps nobody from the newest; a newer one does', async () => {
  const key = join(store, 'key');
  await runCli(['keygen', key], { env });
  const newest = put('acme', 1);
  lock('acme', put('acme', 5));
  const verify = () => run('verify', 'acme', '--store', store, '--key-file', key);
  // So it was looked at.
  expect((await verify()).stderr).toContain(`archive ${newest} was written under key raw:x`);
  lock('acme', put('acme', 0.5));
  expect(await verify()).toMatchObject({ code: 3, stderr: expect.stringContaining('EACCES') });
});

test('erase destroys no key of which nobody knows whether it opens what cannot be read', async () => {
  const keys = join(store, 'keys');
  mkdirSync(keys, { mode: 0o700 });
  own(keys);
  await runCli(['rekey', 'acme', '--key-dir', keys], { env });
  put('acme', 1);
  const erase = () =>
    run(
      'erase',
      'acme',
      '--confirm',
      'acme',
      '--key-dir',
      keys,
      '--store',
      store,
      '--certificate',
      join(store, 'c'),
    );
  const archive = put('other', 1);
  for (const parts of [['other', archive, 'manifest.json'], ['other']]) {
    lock(...parts);
    expect(await erase()).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/EACCES.*so nothing was erased/),
    });
  }
  expect(readdirSync(join(keys, 'acme'))).toHaveLength(1);
});

test('a link to nowhere hides no archives of another regime', async () => {
  put('acme', 1);
  renameSync(join(store, 'local'), join(store, 'eu'));
  symlinkSync('/nowhere/at/all', join(store, 'eu', 'aa'));
  expect((await run('list', '--store', store)).stderr).toContain('there are some under --regime eu');
});

test('an archive of which the disk gives back all but the manifest is no remains of a killed dump', async () => {
  const archive = put('acme', 9);
  const folder = join(store, 'local/acme', archive);
  const old = new Date(Date.now() - 9 * DAY);
  for (const name of readdirSync(folder)) utimesSync(join(folder, name), old, old);
  const broken = `import fs from 'node:fs'; import { syncBuiltinESMExports } from 'node:module';
    const { lstatSync } = fs;
    fs.lstatSync = (path, ...rest) => {
      if (String(path).endsWith('manifest.json')) throw Object.assign(new Error('EIO: i/o error, lstat'), { code: 'EIO' });
      return lstatSync(path, ...rest);
    };
    syncBuiltinESMExports();`;
  const disk = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(broken)}` };
  const key = join(store, 'key');
  await runCli(['keygen', key]);
  const from = ['--server', 'postgres://nobody@127.0.0.1:1', '--key-file', key, '--store', store];
  expect((await runCli(['dump', 'acme', ...from], { env: disk })).stderr).toContain('127.0.0.1:1');
  expect((await runCli(['prune', '--store', store], { env: disk })).code).toBe(3);
  const listed = await runCli(['list', '--json', '--store', store], { env: disk });
  expect([listed.code, listed.json(), listed.stderr]).toEqual([
    3,
    [],
    expect.stringMatching(new RegExp(`archive ${archive} of "acme" cannot be read: .*EIO`)),
  ]);
  expect(readdirSync(folder).sort()).toEqual(['data', 'manifest.json', 'manifest.seal']);
});

test('in a bucket, one object that is refused is one archive that is not listed', async () => {
  proxy = await startFaultProxy(moto().endpoint);
  const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' };
  const s3 = new S3Client({
    region: 'eu-central-1',
    endpoint: proxy.endpoint,
    forcePathStyle: true,
    credentials,
  });
  await s3.send(
    new CreateBucketCommand({
      Bucket: 'partly',
      CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
    }),
  );
  const archives = ['a', 'b', 'c'].map((tenant) => ({ tenant, ...archiveOf(tenant, 1) }));
  for (const { tenant, archive, files } of archives)
    for (const [name, Body] of Object.entries(files))
      await s3.send(
        new PutObjectCommand({ Bucket: 'partly', Key: `local/${tenant}/${archive}/${name}`, Body }),
      );
  proxy.fault = ({ name, path }) =>
    name === 'S3 GetObject' && path.includes('/b/') ? { status: 403, code: 'AccessDenied' } : undefined;
  const bucket = `s3://partly/?region=eu-central-1&path-style=true&endpoint=${proxy.endpoint}`;
  const listed = await runCli(['list', '--json', '--store', bucket], { env: moto().environment });
  expect(listed.code).toBe(3);
  expect(listed.json<{ tenant: string }[]>().map(({ tenant }) => tenant)).toEqual(['c', 'a']);
  expect(listed.stderr).toMatch(
    new RegExp(`archive ${archives[1]!.archive} of "b" cannot be read: .*AccessDenied`),
  );
  // A service that fails says nothing of one archive.
  proxy.fault = ({ name }) =>
    name === 'S3 GetObject' ? { status: 403, code: 'SignatureDoesNotMatch' } : undefined;
  const refused = await runCli(['list', '--json', '--store', bucket], { env: moto().environment });
  expect([refused.code, refused.stdout]).toEqual([3, '']);
});
