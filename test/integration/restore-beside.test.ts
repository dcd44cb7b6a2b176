import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { bundled } from '../support/bundled';
import { CLI, runCli } from '../support/cli';
import type * as Local from '../support/local';
import { usePostgres } from '../support/postgres';
import { fingerprint, type Workspace, workspace } from '../support/tenants';

const local = bundled<typeof Local>('test/support/local.ts');
const server = usePostgres();
let work: Workspace;
let before: string;
beforeAll(async () => {
  work = await workspace(server);
  await server().query('create database acme');
  await server().query(
    `create table orders (id int primary key, note text);
     insert into orders select n, md5(n::text) from generate_series(1, 500) n`,
    [],
    'acme',
  );
  before = await fingerprint(server(), 'acme');
  await work.dump('acme');
  await server().query('delete from orders where id > 100', [], 'acme');
});
afterAll(() => work?.remove());

const databases = async () =>
  (await server().query<{ datname: string }>('select datname from pg_database order by 1')).map(
    (row) => row.datname,
  );
const restore = (args: string[], onServer = true) =>
  runCli([
    'restore',
    'acme',
    '--store',
    work.store,
    '--key-file',
    work.key,
    ...(onServer ? ['--server', server().url] : []),
    ...args,
  ]);
const dataFile = () => {
  const folder = join(work.store, 'local', 'acme');
  return join(folder, readdirSync(folder)[0]!, 'data');
};
async function whileDamaged(run: () => Promise<void>): Promise<void> {
  const whole = readFileSync(dataFile());
  const changed = Buffer.from(whole);
  changed[changed.length >> 1]! ^= 1;
  writeFileSync(dataFile(), changed);
  await run().finally(() => writeFileSync(dataFile(), whole));
}
/** Whatever runs, the live database and the list of databases are as before. */
async function untouched(run: () => Promise<void>): Promise<void> {
  const names = await databases();
  const live = await fingerprint(server(), 'acme');
  await run();
  expect(await databases()).toEqual(names);
  expect(await fingerprint(server(), 'acme')).toBe(live);
}

/** Runs a command at a terminal; once it has said something presses a key, or sends the signal. */
const AT_TERMINAL = `
import os, pty, signal, sys
awaited, what, command = sys.argv[1].encode(), sys.argv[2], sys.argv[3:]
pid, terminal = pty.fork()
if pid == 0: os.execv(command[0], command)
seen = b''
try:
    while part := os.read(terminal, 4096):
        said = awaited in seen
        seen += part
        if said or awaited not in seen: continue
        if what == 'SIGTERM': os.kill(pid, signal.SIGTERM)
        else: os.write(terminal, what.encode())
except OSError: pass
sys.stdout.buffer.write(seen)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

const atTerminal = (awaited: string, what: string, args: string[]) =>
  spawnSync('python3', ['-c', AT_TERMINAL, awaited, what, process.execPath, CLI, ...args], {
    encoding: 'utf8',
    timeout: 30_000,
  });

test('stopped in the middle of a dump, it says so on a line of its own', async () => {
  await server().query('create database slow');
  await server().query(
    `create table t as select string_agg(md5(random()::text), '') from generate_series(1, 100000) i group by i % 1000`,
    [],
    'slow',
  );
  const args = ['dump', 'slow', '--store', work.store, '--key-file', work.key, '--server', server().url];
  const ran = atTerminal('dump: ', 'SIGTERM', [...args, '--limit-rate', '300k']);
  await server().query('drop database slow');
  expect(ran.status).toBe(3);
  expect(ran.stdout).toContain('B/s\r\u001b[Ksovereign-backup: stopped by SIGTERM; nothing was changed');
});

test.each([
  ['\u0003', 'stopped at the question; nothing was changed'],
  ['SIGTERM', 'stopped by SIGTERM; nothing was changed'],
])('stopped at its question by %j, it ends at once and leaves nothing', async (what, message) => {
  await untouched(async () => {
    const args = ['restore', 'acme', '--store', work.store, '--key-file', work.key, '--server', server().url];
    const ran = atTerminal('ype the tenant', what, args);
    expect([ran.status, ran.stdout]).toEqual([
      3,
      expect.stringContaining(`\n\r\u001b[Ksovereign-backup: ${message}`),
    ]);
    // Who is asked knows what it does to those who work there.
    expect(ran.stdout).toContain('The swap ends the sessions that are on the live one.');
  });
});

test('the time in which somebody types the name is none of the restore', async () => {
  await server().query('create database waited');
  await server().query('create table t as select 1 as n', [], 'waited');
  await work.dump('waited');
  // A clock that only goes while the name is waited for.
  const clock = jest.spyOn(process, 'uptime').mockReturnValue(1000);
  const on = { tenant: 'waited', server: local.parseServer(server().url) };
  const archive = {
    regime: 'local',
    store: new local.FolderStore(work.store),
    key: await local.readKeyFile(work.key),
  };
  const typed = async () => {
    clock.mockReturnValue(process.uptime() + 3600);
    return 'waited';
  };
  try {
    expect(await local.restoreTenant({ ...on, ...archive, confirm: typed })).toMatchObject({ seconds: 0 });
    const copies: Local.UndoPreview[] = [];
    const confirm = async (copy: Local.UndoPreview) => {
      copies.push(copy);
      return typed();
    };
    const undone = await local.undoRestore({ ...on, confirm });
    expect(undone).toMatchObject({ seconds: 0 });
    const [copy] = copies;
    expect(copy).toEqual({
      tenant: 'waited',
      database: 'waited',
      copy: expect.stringMatching(/^waited__undo_/),
      keptSince: undone.keptSince,
      bytes: expect.any(Number),
    });
    await expect(local.undoRestore({ ...on, confirm: async () => 'other' })).rejects.toThrow(
      /the name given to confirm is "other".*not touched/,
    );
  } finally {
    clock.mockRestore();
  }
});

test('an undo says which copy it would put back, and then asks', async () => {
  await server().query('create database asked');
  await server().query('create table t as select 1 as n', [], 'asked');
  await work.dump('asked');
  const kept = (await work.restore('asked')).json<{ undo: string }>().undo;
  const names = await databases();
  const ran = atTerminal('ype the tenant', 'other\r', ['undo', 'asked', '--server', server().url]);
  expect(ran.status).toBe(2);
  const said =
    /put aside at \S+Z is kept as "(.*)" \([\d.]+ [kM]B on disk\).*\r\nType the tenant's name/.exec(
      ran.stdout,
    );
  expect(said?.[1]).toBe(kept);
  expect(ran.stdout).not.toContain('putting back');
  expect(await databases()).toEqual(names);
  const done = atTerminal('ype the tenant', 'asked\r', ['undo', 'asked', '--server', server().url]);
  expect([done.status, done.stdout]).toEqual([
    0,
    expect.stringContaining('asked is again what was put aside'),
  ]);
  for (const name of await databases())
    if (/^(asked|waited)/.test(name)) await server().query(`drop database ${name}`);
});

describe('--verify-only', () => {
  test('restores beside, checks, and leaves nothing', () =>
    untouched(async () => {
      const ran = await restore(['--verify-only', '--json']);
      expect(ran).toMatchObject({ code: 0 });
      expect(ran.json()).toMatchObject({
        ok: true,
        tenant: 'acme',
        problems: [],
        tables: [{ schema: 'public', name: 'orders', rows: 500 }],
      });
      expect((await restore(['--verify-only'])).stdout).toMatch(/restores: 1 table /);
    }));

  test('finds a damaged archive, with exit code 1', () =>
    untouched(() =>
      whileDamaged(async () => {
        const ran = await restore(['--verify-only', '--json']);
        expect(ran).toMatchObject({ code: 1 });
        expect(ran.json()).toMatchObject({
          ok: false,
          problems: [expect.stringMatching(/is damaged.*live database was not touched/)],
        });
      }),
    ));

  test('is exit code 3 when the server cannot be reached: the archive may be good', async () => {
    const ran = await restore(['--verify-only', '--json', '--server', 'postgres://x@127.0.0.1:1'], false);
    expect(ran).toMatchObject({ code: 3, stdout: '' });
  });
});

describe('--to', () => {
  test('makes another database of it, with its settings, and leaves the live one alone', async () => {
    await server().query(`alter database acme set work_mem = '7MB'; comment on database acme is 'ours'`);
    const live = await fingerprint(server(), 'acme');
    const ran = await restore(['--to', 'acme friday', '--json']);
    expect(ran).toMatchObject({ code: 0 });
    expect(ran.json()).toMatchObject({ tenant: 'acme', database: 'acme friday' });
    expect(await fingerprint(server(), 'acme friday')).toBe(before);
    expect(await fingerprint(server(), 'acme')).toBe(live);
    const [made] = await server().query(
      `select setconfig, shobj_description(d.oid, 'pg_database') as comment from pg_database d
       join pg_db_role_setting s on s.setdatabase = d.oid where datname = 'acme friday'`,
    );
    expect(made).toEqual({ setconfig: ['work_mem=7MB'], comment: 'ours' });
    expect((await databases()).filter((name) => name.includes('__'))).toEqual([]);
  });

  test('refuses a name that is taken, before anything is loaded', () =>
    untouched(async () => {
      const ran = await restore(['--to', 'postgres']);
      expect(ran).toMatchObject({ code: 2, stdout: '' });
      expect(ran.stderr).toContain('database "postgres" exists and was not touched');
      expect(ran.stderr).not.toContain('restoring into');
    }));
});

describe('--to-file', () => {
  test("writes what the database's own tool reads, for its owner alone, and never over a file", async () => {
    const file = join(work.folder, 'acme.dump');
    const ran = await restore(['--to-file', file, '--json'], false);
    expect(ran).toMatchObject({ code: 0 });
    expect(ran.json()).toMatchObject({ file, format: 'pg_dump custom', plainBytes: statSync(file).size });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const sql = execFileSync(join(server().bin, 'pg_restore'), ['-f', '-', file], { encoding: 'utf8' });
    expect(sql).toContain('CREATE TABLE public.orders');
    const again = await restore(['--to-file', file], false);
    expect(again).toMatchObject({ code: 2, stdout: '' });
    expect(again.stderr).toContain('exists, and no file is overwritten');
  });

  test('leaves nothing when the archive is damaged, nor what a killed run left', () =>
    whileDamaged(async () => {
      const file = join(work.folder, 'never.dump');
      // So a run of this machine that is dead now names what it is writing.
      const host = Buffer.from(hostname()).toString('hex').slice(0, 64);
      writeFileSync(join(work.folder, `.never.dump.${host}-999999-0a1b2c3d.partial`), 'x');
      const ran = await restore(['--to-file', file], false);
      expect(ran).toMatchObject({ code: 3, stdout: '' });
      expect(ran.stderr).toContain('is damaged');
      expect(readdirSync(work.folder).filter((name) => name.includes('never'))).toEqual([]);
    }));

  test.each([
    [['--to-file', '/nonexistent/x'], false, /the folder \/nonexistent is not there/],
    [['--to-file', 'x'], true, /leave out --server/],
    [['--to-file', 'x', '--to', 'y'], false, /--to and --to-file say different things/],
    [['--verify-only', '--confirm', 'acme'], true, /not for --verify-only/],
    [['--verify-only'], false, /--server is missing/],
    [['--to', ''], true, /cannot be empty/],
  ] as const)('bad input: %j', async (args, onServer, message) => {
    const ran = await restore([...args], onServer);
    expect(ran).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
  });
});

test('a copy with a subscription is dropped like any other, and one that a killed restore left, too', async () => {
  await server().query('create database receiving');
  const subscribe = `create subscription coming connection 'host=elsewhere.invalid' publication p with (connect = false, slot_name = 'coming')`;
  await server().query(`create table t as select 1 as n; ${subscribe}`, [], 'receiving');
  expect(await work.dump('receiving')).toMatchObject({ code: 0 });
  const names = await databases();
  const on = ['--server', server().url, '--store', work.store, '--key-file', work.key];
  expect(await runCli(['compare', 'receiving', ...on])).toMatchObject({ code: 0 });
  expect(await databases()).toEqual(names);
  // As a killed one leaves it.
  expect(await runCli(['restore', 'receiving', ...on, '--to', 'left'])).toMatchObject({ code: 0 });
  const mark = {
    tool: 'sovereign-backup',
    kind: 'restore',
    tenant: 'receiving',
    database: 'receiving',
    at: '',
  };
  await server().query(
    `alter database "left" rename to receiving__restore_0a1b2c3d; comment on database receiving__restore_0a1b2c3d is '${JSON.stringify(mark)}'`,
  );
  expect(await runCli(['restore', 'receiving', ...on, '--verify-only'])).toMatchObject({ code: 0 });
  expect(await databases()).toEqual(names);
});
