import { spawnSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { bundled } from '../support/bundled';
import { CLI, runCli } from '../support/cli';
import { startFaultProxy } from '../support/fault-proxy';
import { useMoto } from '../support/moto';
import { archiveOf } from './described-archive';

const moto = useMoto();
const { S3Store } = bundled<typeof import('../../lambda/archive/s3-store')>('lambda/archive/s3-store.ts');
const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' };
const DAY = 86_400_000;
let store: string;
beforeEach(() => {
  store = mkdtempSync(join(tmpdir(), 'prune-'));
});
afterEach(() => rmSync(store, { recursive: true, force: true }));

function put(
  tenant: string,
  daysAgo: number,
  how: { without?: string; dataBytes?: number; writtenDaysAgo?: number; says?: object } = {},
): string {
  const { archive, files } = archiveOf(tenant, daysAgo, how.dataBytes, how.says);
  const folder = join(store, 'local', tenant, archive);
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files))
    if (name !== how.without) {
      writeFileSync(join(folder, name), content);
      const written = new Date(Date.now() - (how.writtenDaysAgo ?? daysAgo) * DAY);
      utimesSync(join(folder, name), written, written);
    }
  return archive;
}
const left = (tenant: string) =>
  existsSync(join(store, 'local', tenant))
    ? readdirSync(join(store, 'local', tenant)).filter((name) => name !== 'holds')
    : [];
const run = (command: string, args: string[] = [], env = {}) =>
  runCli([command, '--store', store, '--json', ...args], { env });
const prune = async (args: string[] = []) => {
  const ran = await run('prune', args);
  expect(ran).toMatchObject({ code: 0 });
  return Object.fromEntries(
    ran.json<{ archive: string; state: string }[]>().map(({ archive, state }) => [archive, state]),
  );
};

test('rolling by default: seven days, each tenant for itself; a dry run deletes nothing', async () => {
  const [old, newer] = [put('acme', 9), put('acme', 6)];
  const [older, onlyOne] = [put('gone', 300), put('gone', 200)];
  const plan = await prune(['--dry-run']);
  expect(plan).toEqual({
    [old]: 'would be deleted',
    [newer]: 'kept',
    [older]: 'would be deleted',
    [onlyOne]: 'kept',
  });
  expect(left('acme')).toEqual([old, newer]);
  expect(await prune()).toEqual({
    [old]: 'deleted',
    [newer]: 'kept',
    [older]: 'deleted',
    [onlyOne]: 'kept',
  });
  expect([left('acme'), left('gone')]).toEqual([[newer], [onlyOne]]);
});

test('the newest good archive stays although newer ones are damaged; remains of killed dumps go', async () => {
  const good = put('acme', 40);
  const short = put('acme', 30, { dataBytes: 4 });
  const unsealed = put('acme', 20, { without: 'manifest.seal' });
  const [remains, running, copying] = [
    put('acme', 2, { without: 'manifest.json' }),
    put('acme', 0.5, { without: 'manifest.json' }),
    // An old archive that `copy` is just bringing.
    put('acme', 3, { without: 'manifest.json', writtenDaysAgo: 0 }),
  ];
  expect(await prune(['acme'])).toEqual({
    [good]: 'kept',
    [short]: 'deleted',
    [unsealed]: 'deleted',
    [remains]: 'deleted',
  });
  expect(left('acme')).toEqual([good, copying, running]);
});

test('a file beside an archive, a later version of the tool, or a clock in the future costs nobody the last archive', async () => {
  const visited = put('visited', 40);
  writeFileSync(join(store, 'local/visited', visited, '.DS_Store'), 'x');
  put('visited', 50);
  const newer = put('newer', 40, { says: { schemaVersion: 2 } });
  put('newer', 50, { says: { schemaVersion: 2 } });
  const [future, real] = [put('clock', -400), put('clock', 40)];
  put('clock', 50);
  await prune();
  expect(left('visited')).toEqual([visited]);
  expect(left('newer')).toEqual([newer]);
  expect(left('clock').sort()).toEqual([future, real].sort());
});

test('more archives than files that may be open', () => {
  for (let index = 0; index < 150; index += 1) put('acme', 30 + index);
  const args = [process.execPath, CLI, 'prune', '--store', store, '--dry-run'];
  const ran = spawnSync('sh', ['-c', 'ulimit -n 100 && exec "$@"', 'sh', ...args], { encoding: 'utf8' });
  expect([ran.status, ran.stderr.split('\n')[0]]).toEqual([
    0,
    '150 archives: 149 would go, 0 retained although old, 1 kept',
  ]);
});

test('what archives say of themselves steers no terminal, and keeps the others from nobody', async () => {
  const good = put('acme', 1);
  put('acme', 2, { says: { at: '\u001b[2J' } });
  put('acme', 3, { says: { schemaVersion: `\u009b31m${'x'.repeat(9000)}` } });
  const deep = put('acme', 4);
  const nested = '['.repeat(100_000) + ']'.repeat(100_000);
  writeFileSync(join(store, 'local/acme', deep, 'manifest.json'), `{"schemaVersion":${nested}}`);
  const linked = join(store, 'local/acme', put('acme', 5), 'manifest.json');
  rmSync(linked);
  symlinkSync(join(store, 'local/acme', good, 'manifest.json'), linked);
  // The folder of a tenant may be a link to another disk.
  const other = put('other', 1);
  renameSync(join(store, 'local/other'), join(store, 'elsewhere'));
  symlinkSync(join(store, 'elsewhere'), join(store, 'local/other'));
  const listed = await run('list');
  expect(listed.code).toBe(0);
  expect(
    listed
      .json<{ archive: string }[]>()
      .map(({ archive }) => archive)
      .sort(),
  ).toEqual([good, other].sort());
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(listed.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  expect(listed.stderr.match(/cannot be listed/g)).toHaveLength(4);
  expect(listed.stderr.length).toBeLessThan(2000);
});

test('a manifest that no dump wrote, larger or richer than any, is named, costs little memory, and hides no other', async () => {
  const good = put('acme', 1);
  // Each byte of a third of it would become an object of a hundred.
  const rich = put('acme', 2);
  writeFileSync(join(store, 'local/acme', rich, 'manifest.json'), `[${'{},'.repeat(20_000_000)}0]`);
  const large = put('acme', 3);
  truncateSync(join(store, 'local/acme', large, 'manifest.json'), 2 ** 40);
  // As on a small machine: the process would die of the objects.
  const small = { NODE_OPTIONS: '--max-old-space-size=300' };
  const listed = await run('list', [], small);
  expect(listed.json()).toMatchObject([{ archive: good }]);
  expect(listed.stderr).toContain(
    `archive ${rich} of "acme" cannot be listed: manifest.json has more than 2000000 values`,
  );
  expect(listed.stderr).toContain(
    `archive ${large} of "acme" cannot be listed: manifest.json has more than 67108864 bytes`,
  );
  const key = join(store, 'key');
  await runCli(['keygen', key]);
  const at = (archive: string) => archive.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(.*)-.*/, '$1-$2-$3:$4:$5');
  const verified = await run('verify', ['acme', '--at', at(rich), '--key-file', key], small);
  expect(verified.json()).toMatchObject({
    ok: false,
    archive: rich,
    problems: [expect.stringContaining('2000000 values')],
  });
  // More of them than there is memory for, were they read at once.
  for (let days = 4; days < 12; days += 1)
    linkSync(
      join(store, 'local/acme', rich, 'manifest.json'),
      join(store, 'local/acme', put('acme', days, { without: 'manifest.json' }), 'manifest.json'),
    );
  const peak = `process.on('exit', () => process._rawDebug('peak ' + process.resourceUsage().maxRSS))`;
  const pruned = await run('prune', ['--keep-daily', '1', '--dry-run'], {
    NODE_OPTIONS: `--max-old-space-size=300 --import=data:text/javascript,${encodeURIComponent(peak)}`,
  });
  expect(pruned.json()).toHaveLength(11);
  expect(Number(/peak (\d+)/.exec(pruned.stderr)![1])).toBeLessThan(500_000);
  // More tables than any database has are listed all the same.
  const tables = Array.from({ length: 200_000 }, (_, n) => ({
    schema: 'public',
    name: `a_table_of_a_tenant_with_a_long_name_${n}`,
    rows: n,
    checksum: '0123456789abcdef0123456789abcdef',
  }));
  const many = put('many', 1, { says: { tables } });
  expect((await run('list', ['many'])).json<{ tables: unknown[] }[]>()[0]!.tables).toHaveLength(200_000);
  expect(statSync(join(store, 'local/many', many, 'manifest.json')).size).toBeLessThan(2 ** 25);
});

test('the name of a foreign file makes no line of its own', async () => {
  const archive = put('acme', 1);
  const folder = join(store, 'local/acme', archive);
  writeFileSync(join(folder, 'manifest.json'), '{');
  writeFileSync(join(folder, `x\n${archive} is good`), '');
  await runCli(['keygen', join(store, 'key')]);
  const ran = await runCli(['verify', 'acme', '--store', store, '--key-file', join(store, 'key')]);
  expect([ran.code, ran.stdout.split('\n')]).toEqual([
    1,
    [
      `${archive}: "x\\n${archive} is good does not belong to the archive"`,
      `${archive}: manifest.json is not JSON`,
      '',
    ],
  ]);
});

test('a reader that has seen enough is no failure; a result that cannot be written is one, in words', async () => {
  put('acme', 1);
  const seen = await runCli(['list', '--store', store], { started: (child) => child.stdout!.destroy() });
  expect([seen.code, seen.stderr]).toEqual([0, '']);
  const deaf = await runCli(['list', 'nobody', '--store', store], {
    started: (child) => child.stderr!.destroy(),
  });
  expect(deaf.code).toBe(0);
  // Our own mistake is no finding, which is 1.
  const throwing = join(store, 'throwing.cjs');
  writeFileSync(throwing, 'setImmediate(() => { throw new Error("ours") })');
  const ours = await run('list', [], { NODE_OPTIONS: `--require ${throwing}` });
  expect([ours.code, ours.stderr]).toEqual([
    3,
    expect.stringMatching(/: unexpected failure: ours \(set \S+ for the/),
  ]);
  const args = [process.execPath, CLI, 'list', '--store', store];
  const full = spawnSync('sh', ['-c', 'exec "$@" >/dev/full', 'sh', ...args], { encoding: 'utf8' });
  expect([full.status, full.stderr]).toEqual([
    3,
    'sovereign-backup: the result could not be written: ENOSPC: no space left on device, write\n',
  ]);
});

test.each(['', '2026-02-30T10:00Z', '2026-11-20', '2026-11-20T25:00Z', '2026-11-20T15:00+0'])(
  'the time %j is none',
  async (time) => {
    const ran = await run('hold', ['acme', '--reason', 'x', '--at', time]);
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining('is not an ISO 8601 time') });
  },
);

test('hours and zones may be short, as ISO 8601 has them', async () => {
  const at = ['2026-11-20T15Z', '2026-11-20T16:00+01', '20261120T150000.000Z', '2026-11-20T150000,0Z'];
  const ran = await Promise.all(at.map((time) => run('hold', ['acme', '--reason', 'x', '--at', time])));
  expect(ran.map(({ stderr }) => /is no archive of|is not an ISO/.exec(stderr)?.[0])).toEqual([
    'is no archive of',
    'is no archive of',
    'is not an ISO',
    'is no archive of',
  ]);
});

test('folders that no dump could have made are not shown, and left alone', async () => {
  const good = put('acme', 20);
  // Another way to write a tenant's name, and one that would colour the terminal.
  const strange = ['Acme', '=41CME', '=61cme', '=1B=5B31m', 'a=zz'];
  for (const tenant of strange) put(tenant, 30);
  const listed = await runCli(['list', '--store', store]);
  expect(listed.stdout).toContain(good);
  expect(listed.stdout.trim().split('\n')).toHaveLength(1);
  expect(listed.stdout + listed.stderr).not.toContain('\u001b');
  expect(await prune()).toEqual({ [good]: 'kept' });
  for (const tenant of strange) expect(left(tenant)).toHaveLength(1);
});

test('what is held stays until it is released; a hold of all reaches the future', async () => {
  const [first, second] = [put('acme', 30), put('acme', 20)];
  put('acme', 1);
  const at = new Date(Date.now() - 29 * DAY).toISOString();
  expect((await run('hold', ['acme', '--at', at, '--reason', 'case 7'])).json()).toMatchObject([
    { archive: first },
  ]);
  expect(await prune(['--dry-run'])).toMatchObject({ [first]: 'retained', [second]: 'would be deleted' });
  expect((await run('hold', ['acme', '--reason', 'audit'])).json()).toMatchObject([{ archive: 'all' }]);
  const again = await run('hold', ['acme', '--reason', 'case 8']);
  expect(again.stderr).toMatch(/held before, since \S+ for "audit"; the reason given now is not noted/);
  // A name that was typed wrong.
  expect((await run('hold', ['amce', '--reason', 'case 8'])).stderr).toContain(
    'has no archive of tenant "amce" yet',
  );
  const third = put('acme', 25);
  expect(await prune()).toMatchObject({ [first]: 'retained', [second]: 'retained', [third]: 'retained' });
  expect((await run('release', ['acme'])).code).toBe(0);
  expect(await prune()).toMatchObject({ [first]: 'retained', [second]: 'deleted', [third]: 'deleted' });
  expect((await run('release', ['acme'])).stderr).toMatch(/there is no hold on all archives.*held are: /);
  // Whoever takes its manifest does not have the rest deleted.
  const manifest = join(store, 'local/acme', first, 'manifest.json');
  renameSync(manifest, join(store, 'taken'));
  expect(await prune()).toMatchObject({ [first]: 'retained' });
  renameSync(join(store, 'taken'), manifest);
  expect((await run('release', ['acme', '--at', at])).code).toBe(0);
  expect(await prune()).toMatchObject({ [first]: 'deleted' });
  // A note is no archive, and shows in no list.
  expect((await run('hold', ['acme', '--reason', 'again'])).code).toBe(0);
  expect((await run('list')).json()).toHaveLength(1);
});

test('what is done in one store is told although another one fails; one that is not there comes first', async () => {
  put('acme', 30);
  const newer = put('acme', 1);
  const other = mkdtempSync(join(tmpdir(), 'prune-'));
  writeFileSync(join(other, 'local'), '');
  for (const args of [['hold', 'acme', '--reason', 'x'], ['release', 'acme'], ['prune']]) {
    const [command, ...rest] = args as [string, ...string[]];
    const ran = await run(command, [...rest, '--store', other]);
    expect([ran.code, ran.stderr]).toEqual([3, expect.stringContaining(`${other} failed: ENOTDIR`)]);
    expect(new Set(ran.json<{ store: string }[]>().map((each) => each.store))).toEqual(new Set([store]));
  }
  expect(left('acme')).toEqual([newer]);
  put('acme', 31);
  const absent = await run('prune', ['--store', join(other, 'none')]);
  expect([absent.code, left('acme').length]).toEqual([2, 2]);
  rmSync(other, { recursive: true });
});

test('that there is nothing is said, for a name may be wrong', async () => {
  put('acme', 30);
  const nobody = await run('prune', ['nobody']);
  expect([nobody.code, nobody.stderr]).toEqual([
    0,
    `no archives of tenant "nobody" under regime local in ${store}\n`,
  ]);
});

test('where the regime is the wrong one, every command says which there are', async () => {
  put('acme', 30);
  const key = join(store, 'key');
  const server = ['--server', 'postgres://nobody@127.0.0.1:1'];
  const target = mkdtempSync(join(tmpdir(), 'prune-'));
  await runCli(['keygen', key]);
  const [eu, keyed] = [
    ['--regime', 'eu'],
    ['--regime', 'eu', '--key-file', key],
  ];
  const there = 'there are some under --regime local';
  for (const [code, command, ...args] of [
    [0, 'list', ...eu],
    [0, 'list', 'acme', ...eu],
    [0, 'prune', ...eu],
    [0, 'hold', 'acme', '--reason', 'x', ...eu],
    [2, 'hold', 'acme', '--reason', 'x', '--at', '2099-01-01T00:00Z', ...eu],
    [2, 'verify', 'acme', ...keyed],
    [2, 'restore', 'acme', '--confirm', 'acme', ...server, ...keyed],
    [2, 'compare', 'acme', ...server, ...keyed],
  ] as const) {
    const { code: ended, stderr } = await run(command, args);
    expect([command, ended, stderr]).toEqual([command, code, expect.stringContaining(there)]);
  }
  const copied = await runCli(['copy', 'acme', '--from', store, '--to', target, ...eu]);
  expect([copied.code, copied.stderr]).toEqual([2, expect.stringContaining(there)]);
  expect((await run('list', ['nobody', ...eu])).stderr).not.toContain('--regime local');
  rmSync(target, { recursive: true });
});

test('a folder within a store is told from an empty one', async () => {
  put('acme', 30);
  for (const within of ['local', 'local/acme']) {
    const { code, stderr } = await runCli(['list', '--store', join(store, within)]);
    expect([code, stderr]).toEqual([0, expect.stringContaining('this is a folder within a store')]);
  }
});

test('a ~ that no shell has read makes no folder', async () => {
  const key = join(store, 'key');
  await runCli(['keygen', key]);
  const server = ['--server', 'postgres://nobody@127.0.0.1:1', '--key-file', key];
  for (const place of ['~/backup', '~']) {
    const { code, stderr } = await runCli(['dump', 'acme', `--store=${place}`, ...server]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('begins with a ~ that the shell has left')]);
  }
  expect(existsSync('~')).toBe(false);
});

test('a folder that holds all sorts of things is no store of all sorts of regimes', async () => {
  mkdirSync(join(store, 'home/somebody/20261120T150000'), { recursive: true });
  writeFileSync(join(store, 'notes'), '');
  expect((await run('list')).stderr).toBe(`no archives under regime local in ${store}\n`);
});

test('GFS rules are combined, and replace the rolling seven days', async () => {
  const days = [0.1, 1.1, 2.1, 3.1].map((age) => put('acme', age));
  expect(Object.values(await prune(['--keep-daily', '2', '--dry-run']))).toEqual([
    'kept',
    'kept',
    'would be deleted',
    'would be deleted',
  ]);
  expect(days).toHaveLength(4);
  expect((await run('prune', ['--keep-daily', 'x'])).code).toBe(2);
});

test('in a bucket with object lock: locked is retained, a hold is a legal hold', async () => {
  const options = { region: 'eu-central-1', endpoint: moto().endpoint, credentials };
  const s3 = new S3Client(options);
  await s3.send(
    new CreateBucketCommand({
      Bucket: 'locked',
      ObjectLockEnabledForBucket: true,
      CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
    }),
  );
  const { Readable } = await import('node:stream');
  const write = async (daysAgo: number, lockDays?: number) => {
    const bucket = new S3Store({
      ...options,
      bucket: 'locked',
      forcePathStyle: true,
      ...(lockDays === undefined ? {} : { objectLock: { mode: 'GOVERNANCE' as const, days: lockDays } }),
    });
    const { archive, files } = archiveOf('acme', daysAgo);
    for (const [name, content] of Object.entries(files))
      await bucket.write(`local/acme/${archive}/${name}`, Readable.from([Buffer.from(content)]));
    return archive;
  };
  const [locked, free] = [await write(40, 30), await write(30)];
  await write(1);
  const place = 's3://locked/?region=eu-central-1&path-style=true';
  const at = async (command: string, args: string[]) => {
    const ran = await runCli([command, '--store', place, '--json', ...args], { env: moto().environment });
    expect(ran).toMatchObject({ code: 0 });
    return ran.json<{ archive: string; state: string; reasons: string[] }[]>();
  };
  const hold = async () =>
    (await s3.send(new HeadObjectCommand({ Bucket: 'locked', Key: `local/acme/${free}/data` })))
      .ObjectLockLegalHoldStatus;
  await at('hold', ['acme', '--reason', 'case']);
  expect(await hold()).toBe('ON');
  expect((await at('prune', [])).map(({ state }) => state)).toEqual(['kept', 'retained', 'retained']);
  const proxy = await startFaultProxy(moto().endpoint);
  const env = { ...moto().environment, AWS_ENDPOINT_URL: proxy.endpoint };
  const denied = { status: 403, code: 'AccessDenied' };
  // Half of a release is done by giving it again.
  proxy.fault = ({ path }) => (/manifest.*legal-hold/.test(path) ? denied : undefined);
  expect((await runCli(['release', 'acme', '--store', place], { env })).code).toBe(3);
  await at('release', ['acme']);
  proxy.fault = ({ name }) => (name === 'S3 DeleteObjects' ? denied : undefined);
  const addOnly = await runCli(['prune', '--store', `${place}&add-only=true`, '--json'], { env });
  await proxy.stop();
  expect([addOnly.code, addOnly.json<{ reasons: string[] }[]>()[1]!.reasons]).toEqual([
    0,
    ['the credentials of the store may not delete'],
  ]);
  expect(await hold()).not.toBe('ON');
  const pruned = await at('prune', []);
  expect(pruned).toMatchObject([
    { state: 'kept' },
    { archive: free, state: 'deleted' },
    { archive: locked, state: 'retained', reasons: [expect.stringContaining('locked by its store until')] },
  ]);
  // What a lifecycle rule has moved where it cannot be read at once.
  const { archive } = archiveOf('cold', 1);
  const Key = `local/cold/${archive}/manifest.json`;
  await s3.send(new PutObjectCommand({ Bucket: 'locked', Key, Body: '{}', StorageClass: 'GLACIER' }));
  const cold = await runCli(['list', '--store', place], { env: moto().environment });
  expect([cold.code, cold.stderr]).toEqual([3, expect.stringContaining('aws s3api restore-object')]);
});
