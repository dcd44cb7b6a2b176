// Connections cut at many points, sessions ended, the server killed or stopped at once: the live database is whole,
// nothing partial is listed, and the next run cleans up and succeeds. Limits of time and locks that others have set.
import { addressOf, ConnectionLostError, connect } from '../../lambda/engine/postgresql/connect';
import { parseServer } from '../../lambda/engine/server';
import { type CuttingProxy, startCuttingProxy } from '../support/cutting-proxy';
import { liveState } from '../support/live-state';
import { oneAtATime } from '../support/one-at-a-time';
import { usePostgres } from '../support/postgres';
import { seeded, seedOf } from '../support/random';
import { type Workspace, workspace } from '../support/tenants';

// A server that answers before it has written: what is lost when it is killed is what nobody waited for.
const server = usePostgres({ settings: { max_prepared_transactions: '5', wal_writer_delay: '10s' } });
const random = seeded(seedOf('connections'));
let work: Workspace;
let proxy: CuttingProxy;
let states: string[];

beforeAll(async () => {
  work = await workspace(server);
  proxy = await startCuttingProxy(server().port);
  await server().query('create database acme');
  await server().query(
    `create table t as select n, repeat(md5(n::text), 20) as text from generate_series(1, 5000) n;
     alter table t add primary key (n)`,
    undefined,
    'acme',
  );
  expect(await work.dump('acme')).toMatchObject({ code: 0 });
  const archived = await state();
  // So that there is something to undo.
  expect(await work.restore('acme')).toMatchObject({ code: 0 });
  await server().query('delete from t where n % 2 = 0', [], 'acme');
  states = [archived, await state()];
});
afterAll(async () => {
  await proxy?.stop();
  work?.remove();
});

const state = () => liveState(server(), 'acme');

const sides = () => server().query("select datname from pg_database where datname like 'acme\\_\\_restore%'");
const archives = async () => (await work.list(['acme'])).json<{ archive: string }[]>().length;
const through = () => ['--server', `postgres://postgres@127.0.0.1:${proxy.port}?sslmode=disable`];
const NO_STACK = /unexpected failure|node:internal|\n {4}at /;

test('a session that the server ends between two queries says why at the next one', async () => {
  const address = addressOf(parseServer(`postgres://postgres@127.0.0.1:${server().port}`));
  const client = await connect(address, 'acme');
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const ended = new Promise((resolve) => void client.once('end', () => resolve(undefined)));
  await server().query('select pg_terminate_backend($1)', [rows[0]!.pid]);
  await ended;
  await expect(client.query('select')).rejects.toThrow(ConnectionLostError);
  await expect(client.query('select')).rejects.toThrow('terminating connection due to administrator command');
});

describe.each(['dump', 'restore', 'undo'] as const)('%s', (name) => {
  test('ends in one clear error wherever its connections are cut', async () => {
    proxy.arm();
    expect(await work[name]('acme', through())).toMatchObject({ code: 0 });
    const whole = proxy.passed();
    const points = name === 'undo' ? 4 : 5;
    let cuts = 0;
    for (let round = 0; round < points; round += 1) {
      const before = await archives();
      proxy.arm(Math.floor((whole * (round + random())) / points));
      const ran = await work[name]('acme', through());
      proxy.arm();
      expect(states).toContain(await state());
      if (ran.code === 0) continue;
      cuts += 1;
      expect(ran).toMatchObject({ code: 3, stdout: '' });
      expect(ran.stderr).not.toMatch(NO_STACK);
      expect(await archives()).toBe(before);
    }
    expect(cuts).toBeGreaterThanOrEqual(points - 3);
    expect(await work[name]('acme', through())).toMatchObject({ code: 0 });
    expect(await sides()).toEqual([]);
  });
});

test('a swap whose answer was lost is told as what it became', async () => {
  // The last bytes of an undo are the answer to its commit and the farewells: cut there, byte by byte.
  proxy.arm();
  await work.undo('acme', through());
  const whole = proxy.passed();
  for (const left of [10, 30, 100, 300]) {
    const before = await state();
    proxy.arm(whole - left);
    const ran = await work.undo('acme', ['--server', `${through()[1]}&connect_timeout=2`]);
    proxy.arm();
    const swapped = (await state()) !== before;
    // The way back to the server is cut, too: it may say that it does not know, and never the wrong thing.
    if (ran.code === 0) expect(swapped).toBe(true);
    else if (/is as it was/.test(ran.stderr)) expect(swapped).toBe(false);
    else expect(ran.stderr).toMatch(/the old one or the new one/);
  }
});

describe('the server', () => {
  test('killed right after a restore or an undo, has done what was said to be done', async () => {
    for (const name of ['restore', 'undo'] as const) {
      expect(await work[name]('acme')).toMatchObject({ code: 0 });
      const told = await state();
      await server().crash('SIGKILL');
      await server().restart();
      expect([name, await state(), await sides()]).toEqual([name, told, []]);
    }
  });

  test.each([
    ['killed while it is dumped', 'dump', 'snapshot of', 'SIGKILL'],
    ['stopped at once while it is dumped', 'dump', 'snapshot of', 'SIGQUIT'],
    ['killed while a copy is loaded', 'restore', 'restoring into', 'SIGKILL'],
    ['killed when the copy is ready to be swapped in', 'restore', 'the copy is good', 'SIGKILL'],
    ['stopped at once at that moment', 'restore', 'the copy is good', 'SIGQUIT'],
    ['killed while a swap is undone', 'undo', 'putting back', 'SIGKILL'],
  ] as const)('is %s', async (_, name, moment, signal) => {
    const before = await archives();
    let crashed: Promise<void> | undefined;
    const ran = await work[name]('acme', [], {
      started: (child) =>
        child.stderr!.on('data', (text) => {
          if (`${text}`.includes(moment)) crashed ??= server().crash(signal);
        }),
    });
    expect(crashed).toBeDefined();
    await crashed;
    await server().restart();
    expect(states).toContain(await state());
    if (ran.code !== 0) {
      expect(ran).toMatchObject({ code: 3, stdout: '' });
      expect(ran.stderr).not.toMatch(NO_STACK);
      if (name === 'dump') expect(await archives()).toBe(before);
    }
    expect(await work[name]('acme')).toMatchObject({ code: 0 });
    expect(await sides()).toEqual([]);
    expect(states).toContain(await state());
  });
});

describe('somebody else', () => {
  test('set limits of time for all sessions: they do not cut a backup short', async () => {
    await server().query('create database slow');
    await server().query(
      `create function slowly(int) returns int language sql immutable as 'select 1 from pg_sleep(0.8)';
       create table one as select 1 as n; create index on one (slowly(n))`,
      undefined,
      'slow',
    );
    await server().query(
      `alter role postgres set statement_timeout = '500ms'; alter role postgres set lock_timeout = '500ms';
       alter database slow set idle_in_transaction_session_timeout = '500ms';
       alter database slow set default_transaction_read_only = on;
       ${server().major >= 14 ? "alter role postgres set idle_session_timeout = '500ms';" : ''}
       ${server().major >= 17 ? "alter role postgres set transaction_timeout = '500ms';" : ''}
       alter role postgres set default_transaction_read_only = on`,
    );
    try {
      // The dump has to wait for longer than the limit, and so has the index of the restore.
      const holder = await server().connect('slow');
      await holder.query(
        `select set_config(name, '0', false) from pg_settings
         where name in ('idle_in_transaction_session_timeout', 'transaction_timeout')`,
      );
      await holder.query('begin read write; lock table one in access exclusive mode');
      const dumped = work.dump('slow', [], {
        started: (child) =>
          child.stderr!.once('data', () => setTimeout(() => holder.query('rollback').catch(() => {}), 1200)),
      });
      expect(await dumped).toMatchObject({ code: 0 });
      await holder.end();
      for (const name of ['restore', 'undo'] as const)
        expect(await work[name]('slow')).toMatchObject({ code: 0 });
    } finally {
      await server().query('begin read write; alter role postgres reset all; commit');
    }
  });

  test('holds a table locked: the dump waits as long as it was told, and then says which', async () => {
    const before = await archives();
    const holder = await server().connect('acme');
    await holder.query('begin; lock table t in access exclusive mode');
    const ran = await work.dump('acme', ['--server', `${server().url}?lock_timeout=1`]);
    await holder.query('rollback');
    await holder.end();
    expect(ran).toMatchObject({ code: 3, stdout: '' });
    expect(ran.stderr).toMatch(/somebody held a lock on public\.t for longer than 1 s/);
    expect(await archives()).toBe(before);
    expect((await work.dump('acme', ['--server', `${server().url}?lock_timeout=soon`])).code).toBe(2);
  });

  test('ends all sessions while a dump or a restore runs: one error, live as it was', async () => {
    const before = await state();
    const count = await archives();
    for (const [name, moment] of [
      ['dump', 'snapshot of'],
      ['restore', 'restoring into'],
    ] as const) {
      let ended: Promise<unknown> | undefined;
      const end = () =>
        server().query(
          "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'sovereign-backup%'",
        );
      const ran = await work[name]('acme', [], {
        started: (child) =>
          child.stderr!.on('data', (text) => {
            if (`${text}`.includes(moment)) ended ??= end();
          }),
      });
      await ended;
      expect(ran).toMatchObject({ code: 3, stdout: '' });
      expect(ran.stderr).not.toMatch(NO_STACK);
      expect(await state()).toBe(before);
      expect(await archives()).toBe(count);
    }
    expect(await work.restore('acme')).toMatchObject({ code: 0 });
    expect(await sides()).toEqual([]);
  });

  test('left a prepared transaction: it stops the swap with a clear message, and live stays', async () => {
    const other = await server().connect('acme');
    await other.query(`begin; create table prepared (x int); prepare transaction 'half'`);
    await other.end();
    const restored = await work.restore('acme', ['--no-owner']);
    expect(restored).toMatchObject({ code: 3, stdout: '' });
    // What the swap will not bring back is told before it, which is when the name is asked for.
    expect(restored.stderr).toMatch(
      /warning: restored without owners[\s\S]*prepared transaction "half".*commit it or roll it back/,
    );
    await server().query(`rollback prepared 'half'`, [], 'acme');
    expect(await work.restore('acme')).toMatchObject({ code: 0 });
  });

  test('restores the same tenant: waits in vain and is refused, or waits and ends well; nothing is left over', async () => {
    const holder = await server().connect();
    await holder.query('begin; lock table pg_database in share mode');
    await oneAtATime(work, holder, () => work.undo('acme'));
    expect(await sides()).toEqual([]);
    expect(states).toContain(await state());
  });

  test('tells it to stop: nothing is left behind', async () => {
    const before = await archives();
    for (const [name, moment] of [
      ['restore', 'restoring into'],
      ['dump', 'snapshot of'],
    ] as const) {
      const stopped = await work[name]('acme', [], {
        started: (child) =>
          child.stderr!.on('data', (text) => `${text}`.includes(moment) && child.kill('SIGTERM')),
      });
      expect(stopped).toMatchObject({ code: 3, stdout: '' });
      expect(stopped.stderr).toMatch(/stopped by SIGTERM/);
    }
    expect(await sides()).toEqual([]);
    expect(await archives()).toBe(before);
  });
});
