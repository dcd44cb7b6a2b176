// Disks that are full for real: the store's, at every step of a dump, and the server's, in the middle of a restore.
// One error that says so, nothing kept of it, live as it was; with room again the next run succeeds.
import { spawnSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CLI } from '../support/cli';
import { usePostgres } from '../support/postgres';
import { type Workspace, workspace } from '../support/tenants';

const server = usePostgres();
let work: Workspace;
beforeAll(async () => {
  work = await workspace(server);
});
afterAll(() => work?.remove());

const page = 4096;
const PRIVATE_MOUNT = [
  ['--mount'],
  // Without being root, in a name space of one's own.
  ['--user', '--map-root-user', '--mount'],
];

/** Runs a shell script with a small file system of memory at the folder, which nobody else sees. */
function onSmallDisk(folder: string, pages: number, script: string) {
  mkdirSync(folder, { recursive: true });
  const mount = `mount -t tmpfs -o size=${pages * page},mode=700 none "$1"`;
  for (const how of PRIVATE_MOUNT) {
    const args = [...how, 'sh', '-c', `${mount} && exec sh -c '${script}' sh "$1"`, 'sh', folder];
    if (spawnSync('unshare', [...how, 'sh', '-c', mount, 'sh', folder]).status !== 0) continue;
    return spawnSync('unshare', args, { encoding: 'utf8' });
  }
  throw new Error(
    'a small disk cannot be made here: it takes root with CAP_SYS_ADMIN, or user name spaces ' +
      '(sysctl kernel.unprivileged_userns_clone=1; in a container --cap-add SYS_ADMIN), and util-linux (unshare, mount)',
  );
}

test('the disk of the store is full at one step after the other: nothing is kept, until all of it has room', async () => {
  await server().query('create database acme');
  await server().query(
    'create table t as select n, md5(n::text) from generate_series(1, 3000) n',
    [],
    'acme',
  );
  const { archive } = (await work.dump('acme')).json<{ archive: string }>();
  const parts = ['data', 'manifest.seal', 'manifest.json'].map((part) =>
    Math.ceil(statSync(join(work.store, 'local/acme', archive, part)).size / page),
  );
  const [data, seal, manifest] = parts as [number, number, number];
  const dump = `"${process.execPath}" "${CLI}" dump acme --server ${server().url} --store "$1" --key-file "${work.key}"; echo "ended $?"; find "$1" -type f | wc -l`;
  const full = [1, Math.ceil(data / 2), data, data + seal];
  for (const pages of full) {
    const ran = onSmallDisk(join(work.folder, 'small'), pages, dump);
    expect([pages, ran.stdout.split('\n').slice(-3)]).toEqual([pages, ['ended 3', '0', '']]);
    expect(ran.stderr).toMatch(/the disk that holds .* is full; nothing was kept/);
  }
  // One page more for what compression makes different.
  const ran = onSmallDisk(join(work.folder, 'small'), data + seal + manifest + 1, dump);
  expect(ran.stdout.split('\n').slice(-3)).toEqual(['ended 0', '3', '']);
});

test('no disk has room for what several sessions dump: refused before the first byte', async () => {
  const archives = async () => (await work.list(['acme'])).json<unknown[]>().length;
  const before = await archives();
  const small = join(work.folder, 'none');
  // /var/tmp may hold all that is run here.
  const root = join(work.folder, 'root');
  mkdirSync(root);
  const [node, cli] = [process.execPath, CLI].map((path) => path.replace(process.cwd(), root));
  const ran = onSmallDisk(
    small,
    100,
    `mount --bind "${process.cwd()}" "${root}" && mount -t tmpfs -o size=1m none /var/tmp && NODE_DISABLE_COMPILE_CACHE=1 TMPDIR="$1" "${node}" "${cli}" dump acme --jobs 2 --server ${server().url} --store "${work.store}" --key-file "${work.key}"; echo "ended $?"; find "$1" /var/tmp -mindepth 1 | wc -l`,
  );
  expect(ran.stdout).toBe('ended 3\n0\n');
  expect(ran.stderr).toMatch(/no temporary folder on disk has room for a dump by several sessions \(\d+ MB/);
  expect(await archives()).toBe(before);
});

test('a temporary folder that may not be written to is passed over', () => {
  const locked = join(work.folder, 'locked');
  mkdirSync(locked);
  const ran = onSmallDisk(
    join(work.folder, 'beside'),
    100,
    `mount --bind "${locked}" "${locked}" && mount -o remount,bind,ro "${locked}" && TMPDIR="${locked}" "${process.execPath}" "${CLI}" restore acme --verify-only --jobs 2 --server ${server().url} --store "${work.store}" --key-file "${work.key}"`,
  );
  expect(ran).toMatchObject({ status: 0, stderr: expect.stringContaining('the copy is good') });
});

test('a dump needs no temporary folder that may be written to', async () => {
  expect(await work.dump('acme', [], { env: { TMPDIR: '/proc' } })).toMatchObject({ code: 0 });
});

test('the disk of the server is full in the middle of a restore: live is as it was', async () => {
  await server().query('create database large');
  await server().query(
    `create table t as select n, repeat(md5(n::text), 30) as text from generate_series(1, 24000) n`,
    [],
    'large',
  );
  expect(await work.dump('large')).toMatchObject({ code: 0 });
  await server()
    .query('delete from t where n % 100 <> 0; vacuum full t', undefined, 'large')
    .catch(() => {});
  const rows = async () => (await server().query('select count(*)::int as n from t', [], 'large'))[0];
  const live = await rows();
  // No file may grow beyond this, nor may a log segment of 16 MB be kept from being made: for PostgreSQL a full disk.
  const { uid, gid } = statSync(join(server().folder, 'data'));
  const limit = (bytes: string) => {
    const { status, stderr } = spawnSync('prlimit', [`--pid=${server().pid}`, `--fsize=${bytes}:`], {
      encoding: 'utf8',
      // Only the server's own user may change its limits.
      ...(process.getuid?.() === 0 ? { uid, gid } : {}),
    });
    if (status !== 0) throw new Error(`prlimit (util-linux) is needed to fill the server's disk: ${stderr}`);
  };
  limit(`${17 * 1024 * 1024}`);
  const refused = await work.restore('large');
  limit('unlimited');
  expect(refused).toMatchObject({ code: 3, stdout: '' });
  expect(refused.stderr).toMatch(/could not (extend|write)[\s\S]*the live database was not touched/);
  expect(await rows()).toEqual(live);
  expect(await server().query("select 1 from pg_database where datname like 'large\\_\\_restore%'")).toEqual(
    [],
  );
  expect(await work.restore('large')).toMatchObject({ code: 0 });
  expect(await rows()).toEqual({ n: 24000 });
});
