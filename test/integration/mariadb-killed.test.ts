// Processes killed, servers killed, sessions cut, disks full: afterwards live is whole, old or new, and the next run
// cleans up and succeeds. TEST_KILLS is how often in all; 12 unless it says otherwise.
import { type ChildProcess, execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLI } from '../support/cli';
import { useMariadb } from '../support/mariadb';
import { checksums, content, databases, mariadbWorkspace } from '../support/mariadb-tenants';
import { oneAtATime } from '../support/one-at-a-time';
import type { Workspace } from '../support/tenants';

const KILLS = Math.ceil(Number(process.env.TEST_KILLS ?? 12) / 4);
const server = useMariadb();
let work: Workspace;
/** The two states that live may be in, whole: tables, rows, view, routine, event, triggers. */
let archived: State;
let live: State;
let at: string;

interface State {
  readonly all: string;
  readonly tables: string;
}

const stateNow = async (): Promise<State> => ({
  all: content(server(), 'acme'),
  tables: JSON.stringify(await checksums(server(), 'acme')),
});

/** What must hold at any moment: in MySQL, views, routines, events and triggers are right only after the next run. */
const always = ({ all, tables }: State): string => (server().isMariadb ? all : tables);

const programs = (version: string) => `
  create or replace view told as select n, '${version}' as version from t;
  drop procedure if exists tell; create procedure tell() select '${version}';
  drop event if exists later; create event later on schedule every 1 day starts '2037-01-01' do set @x = '${version}';
  drop trigger if exists t_in; create trigger t_in before insert on t for each row set new.text = '${version}';
  drop trigger if exists u_in; create trigger u_in after insert on u for each row set @x = '${version}'`;

beforeAll(async () => {
  work = await mariadbWorkspace(server);
  await server().query(`create database acme; use acme;
    create table t (n int primary key, text varchar(999)) engine=InnoDB;
    create table u (id int primary key, n int, foreign key of_t (n) references t (n)) engine=InnoDB;
    insert into t with recursive n as (select 0 as i union all select i + 1 from n where i < 99)
      select a.i + 100 * b.i, repeat(sha2(a.i, 256), 10) from n a, n b;
    insert into u select n, n from t where n < 500`);
  await server().query(programs('old'), 'acme');
  const dumped = await work.dump('acme');
  expect(dumped).toMatchObject({ code: 0 });
  at = dumped.json<{ at: string }>().at;
  archived = await stateNow();
  await server().query(
    `delete from u where n % 2 = 0; delete from t where n % 2 = 0; ${programs('new')}`,
    'acme',
  );
  live = await stateNow();
});
afterAll(() => work?.remove());

const killAfter = (ms: number) => (child: ChildProcess) => {
  setTimeout(() => child.kill('SIGKILL'), ms);
};
/** From the moment that its standard error matches. */
const killAt = (said: RegExp, ms: number) => (child: ChildProcess) => {
  let begun = false;
  child.stderr?.on('data', (text) => {
    if (begun || !said.test(`${text}`)) return;
    begun = true;
    setTimeout(() => child.kill('SIGKILL'), ms);
  });
};
const copies = async (kind: string) =>
  (await databases(server())).filter((name) => name.includes(`__${kind}_`));

/** What stands under the live name, when nothing of ours is at work any more. */
async function state(): Promise<State> {
  for (let tries = 0; tries < 100; tries += 1) {
    const busy = await server().query(
      `select id as id from information_schema.processlist where id <> connection_id() and command in ('Query', 'Execute') and user = 'root'`,
    );
    if (busy.length === 0) break;
    await sleep(20);
  }
  return stateNow();
}

async function duration(run: () => Promise<{ code: number | null; stderr: string }>): Promise<number> {
  const began = performance.now();
  expect(await run()).toMatchObject({ code: 0, stderr: expect.not.stringContaining('sovereign-backup:') });
  return performance.now() - began;
}

test('a dump killed at any moment leaves only whole archives', async () => {
  const whole = await duration(() => work.dump('acme'));
  for (let round = 0; round < KILLS; round += 1)
    await work.dump('acme', [], { started: killAfter(whole * Math.random()) });
  expect(await work.dump('acme')).toMatchObject({ code: 0 });
  for (const archive of (await work.list(['acme'])).json<{ at: string }[]>().slice(0, 3))
    expect((await work.verify('acme', ['--at', archive.at])).json()).toMatchObject({ ok: true });
  const left = readdirSync(work.store, { recursive: true }).filter((name) => `${name}`.endsWith('.partial'));
  expect(left).toEqual([]);
});

test('a restore killed at any moment, also inside the swap, leaves live old or new', async () => {
  const states = [archived, live];
  const whole = await duration(() => work.restore('acme', ['--at', at]));
  expect(await state()).toEqual(archived);
  expect(await work.undo('acme')).toMatchObject({ code: 0 });
  expect(await state()).toEqual(live);
  for (let round = 0; round < KILLS; round += 1) {
    await work.restore('acme', ['--at', at], { started: killAfter(whole * (0.2 + 0.7 * Math.random())) });
    expect(states.map(always)).toContain(always(await state()));
  }
  for (let round = 0; round < KILLS; round += 1) {
    const started = killAt(/the copy is good/, 200 * Math.random());
    await work.restore('acme', ['--at', at], { started });
    expect(states.map(always)).toContain(always(await state()));
  }
  expect(await work.restore('acme', ['--at', at])).toMatchObject({ code: 0 });
  expect(await state()).toEqual(archived);
  expect(await copies('restore')).toEqual([]);
});

test('an undo killed at any moment leaves live old or new', async () => {
  const before = await state();
  expect(await work.undo('acme')).toMatchObject({ code: 0 });
  const states = [before, await state()];
  const kept = (await copies('undo')).length;
  for (let round = 0; round < KILLS; round += 1) {
    await work.undo('acme', [], { started: killAt(/putting back/, 200 * Math.random()) });
    expect(states.map(always)).toContain(always(await state()));
  }
  expect(await work.undo('acme')).toMatchObject({ code: 0 });
  expect(states).toContainEqual(await state());
  expect(await copies('undo')).toHaveLength(kept);
});

test('a server killed in the middle of the swap: the next run finishes it or takes it back', async () => {
  for (const delay of [0, 30, 80]) {
    const before = always(await state()) === always(live) ? 'live' : 'archived';
    let crashed: Promise<void> | undefined;
    const ran = await work.restore('acme', ['--at', at], {
      started: (child) =>
        child.stderr?.on('data', (text) => {
          if (!crashed && `${text}`.includes('the copy is good'))
            crashed = sleep(delay).then(() => server().crash());
        }),
    });
    await crashed;
    expect([0, 3]).toContain(ran.code);
    expect(ran.stderr).not.toMatch(/unexpected|\n {4}at /);
    const again = await work.restore('acme', ['--at', at]);
    expect({ before, delay, ...again }).toMatchObject({ code: 0 });
    expect(await state()).toEqual(archived);
    expect(await copies('restore')).toEqual([]);
  }
});

test('of three restores at once one waits in vain and is refused, one waits and ends well, and nothing is left over', async () => {
  const holder = await server().connect();
  await holder.query('flush tables with read lock');
  await oneAtATime(work, holder, () => work.restore('acme'));
  expect([archived, live].map(always)).toContain(always(await state()));
  expect(await copies('restore')).toEqual([]);
});

test('a dump and a restore whose sessions are cut: one error, live untouched', async () => {
  const before = await state();
  const cut = async () => {
    for (let tries = 0; tries < 400; tries += 1) {
      const found = await server().query<{ id: number }>(
        `select id as id from information_schema.processlist where command = 'Query' and id <> connection_id() and (info like 'INSERT INTO%' or info like 'SELECT /*!40001%')`,
      );
      for (const { id } of found)
        await server()
          .query(`kill ${id}`)
          .catch(() => {});
      if (found.length > 0) return;
      await sleep(5);
    }
  };
  const archives = (await work.list(['acme'])).json<unknown[]>().length;
  const [dumped] = await Promise.all([work.dump('acme'), cut()]);
  if (dumped.code !== 0) {
    expect(dumped).toMatchObject({ code: 3, stdout: '' });
    expect((await work.list(['acme'])).json<unknown[]>()).toHaveLength(archives);
  }
  const [restored] = await Promise.all([work.restore('acme'), cut()]);
  if (restored.code !== 0) {
    expect(restored).toMatchObject({ code: 3, stdout: '' });
    expect(restored.stderr).toMatch(/the live database was not touched/);
    expect(await state()).toEqual(before);
  }
  expect(await copies('restore')).toEqual([]);
});

test('a full disk, and being told to stop: one error, nothing left over', async () => {
  // A file size limit fails the write as a full disk does, and needs no rights.
  const small = join(work.folder, 'small');
  mkdirSync(small);
  const limited = `trap '' XFSZ; ulimit -f 8; exec "$0" "$@"`;
  const where = ['--server', server().url, '--store', small, '--key-file', work.key];
  let failed: { status?: number | null; stderr?: string } = {};
  try {
    execFileSync('sh', ['-c', limited, process.execPath, CLI, 'dump', 'acme', ...where], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env },
    });
  } catch (error) {
    failed = error as typeof failed;
  }
  expect(failed.status).toBe(3);
  expect(failed.stderr).not.toMatch(/unexpected/);
  expect(readdirSync(small)).toEqual([]);
  const stopped = await work.restore('acme', [], {
    started: (child) =>
      child.stderr?.on('data', (text) => `${text}`.includes('restoring into') && child.kill('SIGTERM')),
  });
  expect(stopped).toMatchObject({ code: 3, stdout: '' });
  expect(stopped.stderr).toMatch(/stopped by SIGTERM/);
  expect(await copies('restore')).toEqual([]);
});
