// The swap drops triggers and makes them again: what becomes of those that cannot be made, and of the live database with them.
import { setTimeout as sleep } from 'node:timers/promises';
import { bundled } from '../support/bundled';
import { ok, runCli } from '../support/cli';
import type * as Local from '../support/local';
import { useMariadb } from '../support/mariadb';
import { content, databases, mariadbWorkspace, quotedText } from '../support/mariadb-tenants';
import type { Workspace } from '../support/tenants';

const code = bundled<typeof Local>('test/support/local.ts');
// With a binary log, who is no superuser makes triggers only where the server trusts them.
const server = useMariadb({ settings: { 'log-bin': 'log', 'server-id': '1' } });
let work: Workspace;
let app: Workspace;
beforeAll(async () => {
  work = await mariadbWorkspace(server);
  app = await mariadbWorkspace(server, 'app');
  const databaseRights = 'all on `a\\_%`.*';
  await server().query(`create user app; grant ${databaseRights} to app; grant reload, process on *.* to app;
    create user gone; set global log_bin_trust_function_creators = 1`);
});
afterAll(() => {
  work?.remove();
  app?.remove();
});

interface Trigger {
  readonly name: string;
  readonly definer: string;
}

/** In the order of their firing. */
const triggers = (database: string) =>
  server().query<Trigger>(
    `select trigger_name as name, definer as definer from information_schema.triggers where trigger_schema = '${database}'
     order by event_object_table, action_timing, event_manipulation, action_order`,
  );
const names = async (database: string) => (await triggers(database)).map(({ name }) => name);
const copies = async (database: string, kind: string) =>
  (await databases(server())).filter((name) => name.startsWith(`${database}__${kind}_`));
const trust = (on: 0 | 1) => server().query(`set global log_bin_trust_function_creators = ${on}`);

/** A tenant without triggers in the archive, and with some in the live database. */
async function tenant(name: string, live: string[]): Promise<void> {
  await server().query(`create database ${name}; use ${name};
    create table t (n int primary key, gone int); insert into t values (1, 1)`);
  ok(await app.dump(name));
  for (const sql of live) await server().query(sql, name);
}
const before = (name: string, what = 'set @a = 1') =>
  `create trigger ${name} before insert on t for each row ${what}`;

/** A restore in which something is done between the question and the swap. */
async function restoreWith(name: string, user: string, meanwhile: (side: string) => Promise<unknown>) {
  return code.restoreTenant({
    tenant: name,
    regime: 'local',
    store: new code.FolderStore(app.store),
    key: await code.readKeyFile(app.key),
    server: code.parseServer(`mysql://${user}@127.0.0.1:${server().port}`),
    confirm: async ({ side }) => {
      await meanwhile(side);
      return name;
    },
  });
}
/** No table that has one goes into another database: so the rename fails, after the live triggers were dropped. */
const inTheWay = (side: string) => server().query(before('in_the_way'), side);

test('a swap that fails gives every trigger back, in order, although one between them was broken already', async () => {
  await tenant('a_back', [
    before('first'),
    before('broken', 'set new.gone = 1'),
    before('second'),
    before('zero').replace('row', 'row precedes first'),
    'alter table t drop column gone',
  ]);
  const failed = restoreWith('a_back', 'root', inTheWay);
  await expect(failed).rejects.toThrow(
    /could not be swapped: Trigger in wrong schema; database "a_back" is as it was, except for this: trigger broken: Unknown column 'gone' in 'NEW': it was broken already, and is lost; its definition was .*set new\.gone = 1/,
  );
  expect(await names('a_back')).toEqual(['zero', 'first', 'second']);
  expect([...(await copies('a_back', 'restore')), ...(await copies('a_back', 'undo'))]).toEqual([]);
  ok(await app.restore('a_back'));
  expect(await names('a_back')).toEqual([]);
  ok(await work.undo('a_back'));
  expect(await names('a_back')).toEqual(['zero', 'first', 'second']);
});

test('a broken trigger of the live database is told before the question, and stops no restore', async () => {
  await tenant('a_told', [before('broken', 'set new.gone = 1'), 'alter table t drop column gone']);
  const { warnings } = ok(await app.restore('a_told')).json<{ warnings: string[] }>();
  expect(warnings).toEqual([
    expect.stringMatching(/^trigger broken: .*it is broken in the live database.*set new\.gone = 1$/),
  ]);
});

test('who could not make the live triggers again is refused before anything is loaded', async () => {
  await tenant('a_refused', [before('kept'), before('kept_too')]);
  await trust(0);
  const was = content(server(), 'a_refused');
  const refused = await app.restore('a_refused');
  expect(refused).toMatchObject({ code: 3, stdout: '' });
  expect(refused.stderr).toMatch(
    /this user cannot: trigger kept: .*SUPER.*; trigger kept_too: .*not touched/,
  );
  expect(refused.stderr).not.toContain('loaded');
  // By who may, it is done; and taken back only by who may.
  const archive = ['--store', app.store, '--key-file', app.key];
  ok(await work.restore('a_refused', archive));
  await server().query(before('newer'), 'a_refused');
  const undone = await app.undo('a_refused');
  expect(undone).toMatchObject({ code: 3, stdout: '' });
  expect(undone.stderr).toMatch(/cannot.*nothing was changed/);
  ok(await work.undo('a_refused'));
  expect(content(server(), 'a_refused')).toBe(was);
  await server().query('drop trigger kept; drop trigger kept_too', 'a_refused');
  const live = await app.undo('a_refused');
  expect(live.stderr).toMatch(/cannot.*trigger newer/);
  ok(await work.undo('a_refused'));
  // Now the copy has no triggers, and what is live has one.
  const again = await app.undo('a_refused');
  expect(again).toMatchObject({ code: 3, stdout: '' });
  expect(again.stderr).toMatch(/makes them again where it fails, and this user cannot: trigger newer/);
  expect(await names('a_refused')).toEqual(['newer']);
  await trust(1);
  ok(await app.undo('a_refused'));
  expect(await names('a_refused')).toEqual([]);
  expect(await copies('a_refused', 'restore')).toEqual([]);
});

/** What a swap leaves that is killed after it has dropped triggers, and before the rename. */
async function interrupted(
  database: string,
  year: number,
  sql: string[],
  { keep = true, definer = 'app' } = {},
): Promise<string> {
  const copy = `${database}__undo_${year}0101000000_abcd`;
  const programs = sql.map((text) => ({
    kind: 'TRIGGER',
    name: /trigger (\w+)/.exec(text)![1],
    // As MySQL shows them, which writes all before the body itself.
    sql: text.replace(
      /create trigger (\w+) before insert on t for each row/,
      `CREATE DEFINER=\`${definer}\`@\`%\` TRIGGER \`$1\` BEFORE INSERT ON \`t\` FOR EACH ROW`,
    ),
    mode: '',
    charset: 'utf8mb4',
    collation: 'utf8mb4_general_ci',
  }));
  const at = `${year}-01-01T00:00:00.000Z`;
  const swap = { next: `${database}__restore_12345678`, programs: [], keep };
  const mark = { tool: 'sovereign-backup', kind: 'undo', tenant: database, database, at, programs, swap };
  await server().query(`create database ${copy}; use ${copy}; create table __sovereign_pending (id int primary key);
    create table __sovereign_backup (id int primary key, note longtext)`);
  await server().query(
    `insert into __sovereign_backup values (1, ${quotedText(JSON.stringify(mark))})`,
    copy,
  );
  return copy;
}

test('what a killed swap dropped is made again by the next run, but not over what somebody made meanwhile', async () => {
  await tenant('a_next', [before('taken', 'set @a = 2')]);
  await interrupted('a_next', 2025, [before('mine'), before('taken')]);
  await interrupted('a_next', 2026, [before('his')], { definer: 'gone' });
  const undone = await app.undo('a_next');
  // Nothing was put aside in it.
  expect(undone).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no kept copy') });
  expect(undone.stderr).toMatch(/trigger taken is another one now than before the swap, and was left/);
  expect(undone.stderr).toContain('trigger his runs in the name of this user now');
  expect(await triggers('a_next')).toEqual([
    { name: 'taken', definer: 'root@localhost' },
    { name: 'mine', definer: 'app@%' },
    { name: 'his', definer: 'app@%' },
  ]);
  expect(await copies('a_next', 'undo')).toEqual([]);
});

test('what cannot be made again stops no later restore, which is the end of it', async () => {
  await tenant('a_over', []);
  await interrupted('a_over', 2025, [before('lost')]);
  await trust(0);
  const undone = await app.undo('a_over');
  expect(undone).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no kept copy') });
  expect(await copies('a_over', 'undo')).toHaveLength(1);
  const restored = ok(await app.restore('a_over'));
  expect(restored.stderr).toMatch(
    /trigger lost: .*not there, until another run can make it; its definition was/,
  );
  await trust(1);
  expect(await copies('a_over', 'undo')).toHaveLength(1);
  // Killed right after the rename: the new tables get no trigger of the former ones.
  await interrupted('a_over', 2025, [before('lost')]);
  const done = await interrupted('a_over', 2026, [], { keep: false });
  await server().query(`rename table __sovereign_pending to __sovereign_swapped`, done);
  ok(await app.undo('a_over'));
  ok(await app.undo('a_over'));
  expect(await names('a_over')).toEqual([]);
  expect(await copies('a_over', 'undo')).toHaveLength(1);
});

test('an archive with a trigger that was broken already is restored without it, and says so', async () => {
  await server().query(`create database a_broken; use a_broken; create table t (n int primary key, gone text);
    create table u (n int primary key)`);
  await server().query(before('good'), 'a_broken');
  await server().query(before('broken', "set new.gone = 'ä'"), 'a_broken');
  await server().query("insert into t values (1, ''); alter table t drop column gone", 'a_broken');
  ok(await work.dump('a_broken'));
  const archives = ['--store', work.store, '--key-file', work.key, '--json'];
  const beside = () =>
    runCli(['restore', 'a_broken', '--to', 'a_broken_2', '--server', server().url, ...archives]);
  const restored = ok(await beside());
  expect(restored.json()).toMatchObject({
    warnings: [
      expect.stringMatching(
        /^trigger broken: Unknown column 'gone' in 'NEW': it was broken already when it was dumped, .*set new\.gone = 'ä'/,
      ),
    ],
  });
  expect(await names('a_broken_2')).toEqual(['good']);
  // Any other error still ends it.
  await server().query("create procedure p() set @a = 'x'; create user leaver", 'a_broken');
  await server().query('create definer = leaver view v as select n from u', 'a_broken');
  ok(await work.dump('a_broken'));
  await server().query('drop database a_broken_2; drop user leaver');
  expect(await beside()).toMatchObject({ code: 2 });
  expect(await databases(server())).not.toContain('a_broken_2');
});

test('a table comes back where a view has its name, and the view by undo', async () => {
  await server().query(`create database a_view; use a_view; create table t (n int primary key); create table v (n int);
    insert into v values (1), (2)`);
  ok(await work.dump('a_view'));
  const archived = content(server(), 'a_view');
  await server().query(
    `drop table v; create view v as select n from t; create view w as select n from v`,
    'a_view',
  );
  await server().query(before('t_in'), 'a_view');
  const live = content(server(), 'a_view');
  ok(await work.restore('a_view'));
  expect(content(server(), 'a_view')).toBe(archived);
  ok(await work.undo('a_view'));
  expect(content(server(), 'a_view')).toBe(live);
  ok(await work.undo('a_view'));
  expect(content(server(), 'a_view')).toBe(archived);
});

test('killed while triggers are tried, a restore and an undo leave nothing behind', async () => {
  const many = Array.from({ length: 30 }, (_, n) => before(`m_${n}`));
  await tenant('a_killed', many);
  ok(await app.restore('a_killed'));
  for (const sql of many) await server().query(sql, 'a_killed');
  const was = content(server(), 'a_killed');
  for (const run of [app.restore, app.undo])
    for (let round = 0; round < 4; round += 1) {
      await run('a_killed', [], {
        started: (child) =>
          child.stderr?.on('data', (text) => {
            if (/restoring into|putting back/.test(`${text}`))
              setTimeout(() => child.kill('SIGKILL'), 20 * round);
          }),
      });
      await sleep(200);
    }
  ok(await app.undo('a_killed'));
  ok(await app.restore('a_killed'));
  expect(await copies('a_killed', 'restore')).toEqual([]);
  for (const copy of await copies('a_killed', 'undo'))
    expect(
      await server().query(`select note from ${copy}.__sovereign_backup where note like '%"trial"%'`),
    ).toEqual([]);
  expect(was).toContain('m_29');
});
