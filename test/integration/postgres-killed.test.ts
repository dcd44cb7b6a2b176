// Processes killed, servers killed, connections cut, disks full: afterwards live is whole, old or new, and the next
// run cleans up and succeeds.
import { type ChildProcess, execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { usePostgres } from '../support/postgres';
import { fingerprint, type Workspace, workspace } from '../support/tenants';

const server = usePostgres({ settings: { max_prepared_transactions: '5' } });
let work: Workspace;
/** The two states that live may be in. */
let archived: string;
let live: string;

beforeAll(async () => {
  work = await workspace(server);
  await server().query('create database acme');
  await server().query(
    `create table t as select n, repeat(md5(n::text), 20) as text from generate_series(1, 20000) n`,
    [],
    'acme',
  );
  await server().query('alter table t add primary key (n)', [], 'acme');
  expect(await work.dump('acme')).toMatchObject({ code: 0 });
  archived = await fingerprint(server(), 'acme');
  await server().query('delete from t where n % 2 = 0', [], 'acme');
  live = await fingerprint(server(), 'acme');
});
afterAll(() => work?.remove());

const killAfter = (ms: number) => (child: ChildProcess) => {
  setTimeout(() => child.kill('SIGKILL'), ms);
};
const databases = async () =>
  (
    await server().query<{ datname: string }>("select datname from pg_database where datname like 'acme%'")
  ).map((row) => row.datname);
const newest = async () => (await work.list(['acme'])).json<{ at: string }[]>()[0]!.at;

/** How long it takes undisturbed, of which the random moments are shares. */
async function duration(run: () => Promise<{ code: number | null; stderr: string }>): Promise<number> {
  const began = performance.now();
  expect(await run()).toMatchObject({ code: 0 });
  return performance.now() - began;
}

test('a dump killed at any moment leaves only whole archives, and the next one cleans up', async () => {
  const whole = await duration(() => work.dump('acme'));
  for (let round = 0; round < 15; round += 1) {
    await work.dump('acme', [], { started: killAfter(whole * Math.random()) });
    for (const { at } of (await work.list(['acme'])).json<{ at: string }[]>().slice(0, 1))
      expect((await work.verify('acme', ['--at', at])).json()).toMatchObject({ problems: expect.any(Array) });
  }
  const before = (await work.list(['acme'])).json<unknown[]>().length;
  expect(await work.dump('acme')).toMatchObject({ code: 0 });
  expect((await work.list(['acme'])).json<unknown[]>()).toHaveLength(before + 1);
  expect((await work.verify('acme')).json()).toMatchObject({ ok: true });
  const partial = readdirSync(work.store, { recursive: true }).filter((name) =>
    String(name).endsWith('.partial'),
  );
  expect(partial).toEqual([]);
  for (const { at } of (await work.list(['acme'])).json<{ at: string }[]>())
    expect((await work.verify('acme', ['--at', at])).json()).toMatchObject({ ok: true });
});

test('a restore killed at any moment leaves live old or new, and the next one succeeds', async () => {
  const at = await newest();
  const states = [archived, live, await fingerprint(server(), 'acme')];
  const whole = await duration(() => work.restore('acme', ['--at', at]));
  for (let round = 0; round < 15; round += 1) {
    await work.restore('acme', ['--at', at], { started: killAfter(whole * (0.2 + Math.random())) });
    expect(states).toContain(await fingerprint(server(), 'acme'));
  }
  expect(await work.restore('acme', ['--at', at])).toMatchObject({ code: 0 });
  expect((await databases()).filter((name) => name.includes('__restore_'))).toEqual([]);
  expect(await databases()).toContain('acme');
});

test('an undo killed at any moment leaves live old or new, and the next one succeeds', async () => {
  const whole = await duration(() => work.undo('acme'));
  const count = (await databases()).length;
  for (let round = 0; round < 10; round += 1) {
    await work.undo('acme', [], { started: killAfter(whole * (0.3 + Math.random())) });
    expect(await fingerprint(server(), 'acme')).toContain('CREATE TABLE public.t');
    expect(await databases()).toHaveLength(count);
  }
  expect(await work.undo('acme')).toMatchObject({ code: 0 });
});

test('of two restores at once, both end well or one is refused, and nothing is left over', async () => {
  const both = await Promise.all([work.restore('acme'), work.restore('acme')]);
  expect(both.map(({ code }) => code)).toContain(0);
  for (const { code, stderr } of both) if (code !== 0) expect(stderr).toMatch(/another restore or undo/);
  expect((await databases()).filter((name) => name.includes('__restore_'))).toEqual([]);
});

test('a dump whose sessions are cut, a restore whose sessions are cut: one error, live untouched', async () => {
  const before = await fingerprint(server(), 'acme');
  const archives = (await work.list(['acme'])).json<unknown[]>().length;
  const cut = (what: string) => async () => {
    for (let tries = 0; tries < 400; tries += 1) {
      const rows = await server().query(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname like 'acme%' and application_name = 'sovereign-backup' and query ilike '${what}'`,
      );
      if (rows.length > 0) return;
      await sleep(5);
    }
  };
  const [dumped] = await Promise.all([work.dump('acme'), cut('COPY%')()]);
  if (dumped.code !== 0) {
    expect(dumped).toMatchObject({ code: 3, stdout: '' });
    expect((await work.list(['acme'])).json<unknown[]>()).toHaveLength(archives);
  }
  const [restored] = await Promise.all([work.restore('acme'), cut('COPY%')()]);
  if (restored.code !== 0) {
    expect(restored).toMatchObject({ code: 3, stdout: '' });
    expect(await fingerprint(server(), 'acme')).toBe(before);
  }
  expect(await work.dump('acme')).toMatchObject({ code: 0 });
  expect(await work.restore('acme')).toMatchObject({ code: 0 });
});

test('a full disk: one error, nothing kept', async () => {
  // A file size limit fails the write as a full disk does, and needs no rights.
  const small = join(work.folder, 'small');
  mkdirSync(small);
  const { CLI } = await import('../support/cli');
  let failed: { status?: number | null; stderr?: string } = {};
  try {
    execFileSync(
      'sh',
      [
        '-c',
        `trap '' XFSZ; ulimit -f 64; exec "$0" "$@"`,
        process.execPath,
        CLI,
        'dump',
        'acme',
        '--server',
        server().url,
        '--store',
        small,
        '--key-file',
        work.key,
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    );
  } catch (error) {
    failed = error as typeof failed;
  }
  expect(failed.status).toBe(3);
  expect(failed.stderr).not.toMatch(/unexpected/);
  expect(readdirSync(small)).toEqual([]);
});

test('a prepared transaction stops the swap with a clear message, and live stays', async () => {
  const other = await server().connect('acme');
  await other.query(`begin; create table prepared (x int); prepare transaction 'half'`);
  await other.end();
  const restored = await work.restore('acme');
  expect(restored).toMatchObject({ code: 3, stdout: '' });
  expect(restored.stderr).toMatch(/prepared transaction "half".*commit it or roll it back/);
  await server().query(`rollback prepared 'half'`, [], 'acme');
  expect(await work.restore('acme')).toMatchObject({ code: 0 });
});

test('told to stop, it leaves nothing behind', async () => {
  const began = (await work.list(['acme'])).json<unknown[]>().length;
  const stopped = await work.restore('acme', [], {
    started: (child) =>
      child.stderr?.on('data', (text) => `${text}`.includes('restoring into') && child.kill('SIGTERM')),
  });
  expect(stopped).toMatchObject({ code: 3, stdout: '' });
  expect(stopped.stderr).toMatch(/stopped by SIGTERM/);
  expect((await databases()).filter((name) => name.includes('__restore_'))).toEqual([]);
  const dumped = await work.dump('acme', [], {
    started: (child) => child.stderr?.once('data', () => child.kill('SIGTERM')),
  });
  expect(dumped.code).toBe(3);
  expect((await work.list(['acme'])).json<unknown[]>()).toHaveLength(began);
});
