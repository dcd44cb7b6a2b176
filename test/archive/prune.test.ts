import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { bundled } from '../support/bundled';
import { runCli } from '../support/cli';
import { useMoto } from '../support/moto';

const moto = useMoto();
const { S3Store } = bundled<typeof import('../../lambda/archive/s3-store')>('lambda/archive/s3-store.ts');
const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' };
const DAY = 86_400_000;
let store: string;
beforeEach(() => {
  store = mkdtempSync(join(tmpdir(), 'prune-'));
});
afterEach(() => rmSync(store, { recursive: true, force: true }));

let made = 0;
/** As a dump of so many days ago would be named and described. */
function archiveOf(tenant: string, daysAgo: number, dataBytes = 3) {
  const at = new Date(Date.now() - daysAgo * DAY);
  made += 1;
  const archive = `${at.toISOString().replace(/[-:]/g, '')}-${made.toString(16).padStart(8, '0')}`;
  const manifest = {
    schemaVersion: 1,
    archive,
    tenant,
    regime: 'local',
    database: tenant,
    at: at.toISOString(),
    seconds: 1,
    engine: { name: 'postgresql', roles: [] },
    dump: { bytes: 1 },
    compressed: { bytes: 1 },
    data: { bytes: dataBytes, sha256: 'x' },
    key: { id: 'raw:x' },
    tables: [],
    omitted: [],
    tenancy: 'database',
  };
  return { archive, files: { data: 'abc', 'manifest.seal': 's', 'manifest.json': JSON.stringify(manifest) } };
}
function put(
  tenant: string,
  daysAgo: number,
  how: { without?: string; dataBytes?: number; writtenDaysAgo?: number } = {},
): string {
  const { archive, files } = archiveOf(tenant, daysAgo, how.dataBytes);
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
  const third = put('acme', 25);
  expect(await prune()).toMatchObject({ [first]: 'retained', [second]: 'retained', [third]: 'retained' });
  expect((await run('release', ['acme'])).code).toBe(0);
  expect(await prune()).toMatchObject({ [first]: 'retained', [second]: 'deleted', [third]: 'deleted' });
  expect((await run('release', ['acme'])).stderr).toMatch(/there is no hold on all archives.*held are: /);
  expect((await run('release', ['acme', '--at', at])).code).toBe(0);
  expect(await prune()).toMatchObject({ [first]: 'deleted' });
  // A note is no archive, and shows in no list.
  expect((await run('hold', ['acme', '--reason', 'again'])).code).toBe(0);
  expect((await run('list')).json()).toHaveLength(1);
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
  await at('release', ['acme']);
  expect(await hold()).not.toBe('ON');
  const pruned = await at('prune', []);
  expect(pruned).toMatchObject([
    { state: 'kept' },
    { archive: free, state: 'deleted' },
    { archive: locked, state: 'retained', reasons: [expect.stringContaining('locked by its store until')] },
  ]);
});
