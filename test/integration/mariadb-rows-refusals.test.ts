import { Readable } from 'node:stream';
import type { dumpRows as DumpRows } from '../../lambda/engine/mariadb/rows/dump';
import type { prepareRows as PrepareRows } from '../../lambda/engine/mariadb/rows/restore';
import { parseServer } from '../../lambda/engine/server';
import { readDescription } from '../../lambda/tenancy/read';
import { bundled } from '../support/bundled';
import { ok, type Ran, runCli } from '../support/cli';
import { useMariadb } from '../support/mariadb';
import { createShared, rowsOf } from '../support/mariadb-shared';
import { databases, mariadbWorkspace } from '../support/mariadb-tenants';
import { reviewed, writeDescription } from '../support/shared';
import type { Workspace } from '../support/tenants';

const server = useMariadb();
let work: Workspace;
let described: string;
let file: string;
beforeAll(async () => {
  work = await mariadbWorkspace(server);
  await createShared(server(), 'app');
  const args = ['--server', server().url, '--database', 'app', '--column', 'tenant_id'];
  described = reviewed((await runCli(['tenancy', 'infer', ...args])).stdout);
  file = writeDescription(work.folder, 'tenancy.yaml', described);
  ok(await work.dump('1', rows()));
});
afterAll(() => work?.remove());

/** A table of whole numbers; sequences are MariaDB's alone. */
const numbers = (name: string, from: number, to: number) =>
  `(with recursive n as (select ${from} as i union all select i + 1 from n where i < ${to}) select i from n) ${name}`;
const rows = (...args: string[]) => ['--database', 'app', '--tenancy-file', file, ...args];
const run = <R = Record<string, unknown>>(sql: string) => server().query<R>(sql, 'app');
const dump = () => work.dump('1', rows());
const restore = () => work.restore('1', rows());

const kept = async () => (await databases(server())).filter((name) => name.startsWith('rows_of_'));
const forget = async () => {
  for (const name of await kept()) await run(`drop database ${name}`);
};

/** Changes the database, runs, sees that nothing else has changed and nothing was left, and takes the change back. */
async function refused(change: string, back: string, act: () => Promise<Ran>): Promise<string> {
  await run(change);
  const before = await rowsOf(server(), 'app');
  const ran = await act();
  expect(await rowsOf(server(), 'app')).toEqual(before);
  expect(await kept()).toEqual([]);
  await run(back);
  expect([2, 3]).toContain(ran.code);
  expect(ran.stderr).not.toMatch(/unexpected|at .*\.mjs/);
  return ran.stderr;
}

describe('dump and restore fail closed', () => {
  test.each([
    [
      'a table that the description does not know',
      'create table newcomer (tenant_id bigint)',
      'drop table newcomer',
      'table newcomer is not in the description',
    ],
    [
      'a table without transactions',
      'alter table events engine = Aria',
      'alter table events engine = InnoDB',
      'table events has the engine Aria, which cannot take back what a restore has begun',
    ],
    [
      'a table that keeps its history',
      'alter table members add system versioning',
      'alter table members drop system versioning',
      'table members is system-versioned',
    ],
    [
      'a trigger that nobody accepted',
      'create trigger shout after insert on members for each row set @shout = 1',
      'drop trigger shout',
      'table members has triggers that run when rows are restored (shout), and nothing can turn them off',
    ],
    [
      'a tenant column without an index',
      'alter table `groups` drop key tenant_id',
      'alter table `groups` add key tenant_id (tenant_id)',
      'table groups has no index that begins with (tenant_id)',
    ],
    [
      "another database's rows that hang on tenants'",
      'create database elsewhere; create table elsewhere.t (id int primary key, member int, foreign key (member) references app.members (id))',
      'drop database elsewhere',
      'table elsewhere.t of another database refers to members by the foreign key',
    ],
    [
      'a circle that cannot be opened',
      'set foreign_key_checks = 0; alter table `groups` modify head_member int not null',
      'set foreign_key_checks = 0; alter table `groups` modify head_member int null',
      'refer to one another in a circle (head, members_ibfk_1), and none of these foreign keys can be null',
    ],
  ])('on %s', async (_what, change, back, said) => {
    // MySQL has no such tables.
    if (!server().isMariadb && /Aria|versioning/.test(change)) return;
    // Both ask the same question; the first case sees that both do.
    const acts = change.includes('newcomer') ? [dump, restore] : [restore];
    for (const act of acts) expect(await refused(change, back, act)).toContain(said);
  });

  test.each([
    ['77', 'there is no tenant "77" in tenants'],
    ['01', '"01" is written "1"'],
    ["1' or true -- ", 'it is no whole number'],
    ['1e0', 'it is no whole number'],
    ['99999999999999999999', 'it is out of range'],
  ])('on the tenant %j', async (value, said) => {
    expect(
      await refused('do 0', 'do 0', () => work.dump('someone', rows(`--tenant-value=${value}`))),
    ).toContain(said);
  });

  test('to a user to whom the server does not show everything', async () => {
    await run(`create user limited@'127.0.0.1'; grant select on app.orders to limited@'127.0.0.1'`);
    const as = ['--server', `mysql://limited@127.0.0.1:${server().port}`];
    const blind = await refused('do 0', 'do 0', () => work.dump('1', rows(...as)));
    expect(blind).toContain('the user lacks SELECT, TRIGGER on database "app"');
    await run(`grant select, trigger on app.* to limited@'127.0.0.1'`);
    ok(await work.dump('1', rows(...as)));
    expect(await refused('do 0', 'do 0', () => work.restore('1', rows(...as)))).toMatch(
      /CREATE TEMPORARY TABLES/,
    );
    await run(`grant insert, update, delete, create temporary tables on app.* to limited@'127.0.0.1'`);
    expect(await refused('do 0', 'do 0', () => work.restore('1', rows(...as)))).toMatch(
      /the user may not do this: .*GRANT ALL ON `rows\\_of\\_%`/,
    );
    await run("grant all on `rows\\_of\\_%`.* to limited@'127.0.0.1'");
    const before = await rowsOf(server(), 'app');
    ok(await work.restore('1', rows(...as)));
    ok(await work.undo('1', ['--database', 'app', '--tenancy', 'rows', ...as]));
    expect(await rowsOf(server(), 'app')).toEqual(before);
    await forget();
  });
});

describe('a restore refuses', () => {
  test.each([
    [
      "to reach other tenants' rows that hang on this one's",
      'update users set manager_id = 1 where tenant_id = 2',
      'update users set manager_id = 2 where tenant_id = 2',
      "4 rows of users that are not the tenant's refer by manager (on delete",
    ],
    [
      "primary keys that are another tenant's by now",
      'update members set group_id = 20 where id = 102',
      'update members set group_id = 10 where id = 102',
      "members has rows of other tenants under primary keys that the archive's rows have: (102)",
    ],
    [
      'a column that cannot be empty',
      'alter table members add x int not null; alter table members alter x drop default',
      'alter table members drop x',
      'members.x was added since, cannot be null and has no default',
    ],
    [
      'to drop the values of a column that is gone',
      'alter table members rename column name to called',
      'alter table members rename column called to name',
      'members.name was dropped, and 3 rows',
    ],
    [
      'a type with another meaning',
      'alter table orders modify day datetime not null',
      'alter table orders modify day date not null',
      'orders.day is datetime now, and was date',
    ],
    [
      'values that no longer fit',
      'set global local_infile = on; alter table users modify note varchar(3)',
      "alter table users modify note varchar(20) default 'none'; update users set note = 'none'",
      'users: a row of the archive does not fit the live table: Data truncated',
    ],
    [
      'the same where lines are not taken as they are',
      'set global local_infile = off; alter table users modify note varchar(3)',
      "set global local_infile = on; alter table users modify note varchar(20) default 'none'; update users set note = 'none'",
      'users: a row of the archive does not fit the live table: Data too long',
    ],
  ])('%s', async (_what, change, back, said) => {
    expect(await refused(`set sql_mode = ''; ${change}`, `set sql_mode = ''; ${back}`, restore)).toContain(
      said,
    );
  });

  test.each(['cascade', 'set null', 'restrict'])(
    "to reach them by a foreign key on delete %s, another tenant's or a shared table's",
    async (action) => {
      const key = `add constraint crossing foreign key (hung) references users (id) on delete ${action}`;
      const back = (table: string) => `alter table ${table} drop foreign key crossing, drop column hung`;
      const orders = await refused(
        `alter table orders add hung bigint, ${key}; update orders set hung = 1 where tenant_id = 2`,
        back('orders'),
        restore,
      );
      expect(orders).toContain(
        `5 rows of orders that are not the tenant's refer by crossing (on delete ${action}) to its rows in users`,
      );
      const countries = await refused(
        `alter table countries add hung bigint, ${key}; update countries set hung = 1`,
        back('countries'),
        restore,
      );
      expect(countries).toContain("2 rows of countries that are not the tenant's refer by crossing");
    },
  );

  test('to write what no partition takes any more', async () => {
    const said = await refused(
      'alter table events drop partition p2026',
      `alter table events add partition (partition p2026 values less than (2027));
       insert into events select t.i, '2025-12-31' + interval h.i hour, concat('e', h.i) from ${numbers('t', 1, 5)}, ${numbers('h', 24, 40)}`,
      restore,
    );
    expect(said).toMatch(/Table has no partition for value|no partition/);
    expect(said).toContain('nothing was changed');
  });

  test("another tenant's archive", async () => {
    expect(await refused('do 0', 'do 0', () => work.restore('1', rows('--tenant-value', '2')))).toContain(
      'is of the rows of "1", and the rows of "2" was asked for',
    );
  });

  test('what a trigger does to other tenants, where triggers are accepted, and takes what does no harm', async () => {
    const accepting = writeDescription(
      work.folder,
      'triggers.yaml',
      described.replace('  - table: members\n', '  - table: members\n    triggersRun: true\n'),
    );
    const act = () => work.restore('1', ['--database', 'app', '--tenancy-file', accepting]);
    const said = await refused(
      `create trigger shout after insert on members for each row
         update users set note = 'hit' where tenant_id = 2 and @sovereign_backup_restore is null;
       create trigger reach after delete on members for each row update users set note = 'hit' where tenant_id = 2`,
      'drop trigger reach',
      act,
    );
    expect(said).toContain("other tenants' rows of users would have changed (16 before, 16 after)");
    const before = await rowsOf(server(), 'app');
    const good = await act();
    ok(good);
    expect(good.stderr).toContain('triggers of the tables run for every row that is replaced: shout');
    expect(await rowsOf(server(), 'app')).toEqual(before);
    await run('drop trigger shout');
    await forget();
  });
});

test('an undo fails closed on a table that the description does not know', async () => {
  ok(await restore());
  const undo = () => work.undo('1', ['--database', 'app', '--tenancy', 'rows']);
  const copies = await kept();
  await run('create table newcomer (tenant_id bigint)');
  const before = await rowsOf(server(), 'app');
  expect((await undo()).stderr).toContain('table newcomer is not in the description');
  expect(await rowsOf(server(), 'app')).toEqual(before);
  expect(await kept()).toEqual(copies);
  await run('drop table newcomer');
  ok(await undo());
  await forget();
});

test('counters go on, never back, and what the server computes it computes anew', async () => {
  const next = async () =>
    Number(
      (
        await run<{ next: string }>(
          `select auto_increment as next from information_schema.tables where table_schema = 'app' and table_name = 'users'`,
        )
      )[0]!.next,
    );
  await run('alter table users add loud varchar(200) as (upper(email)) virtual');
  const before = await rowsOf(server(), 'app');
  await run(
    'update tenants set owner_id = null where id = 1; update users set manager_id = null where tenant_id = 1',
  );
  await run('update orders set user_id = null where tenant_id = 1; delete from users where tenant_id = 1');
  const first = await next();
  ok(await restore());
  expect(await rowsOf(server(), 'app')).toEqual(before);
  expect(await next()).toBe(first);
  await run('alter table users auto_increment = 1000000');
  ok(await restore());
  expect(await next()).toBe(1_000_000);
  // A server that knows no more of the numbers than the rows that are left goes on past those that come back.
  await run(`update users set manager_id = null where tenant_id = 5; update tenants set owner_id = null where id = 5;
    update orders set user_id = null where tenant_id = 5`);
  ok(await work.dump('5', rows()));
  await run('delete from users where tenant_id = 5; alter table users auto_increment = 1');
  const low = await next();
  ok(await work.restore('5', rows()));
  expect(await next()).toBeGreaterThan(low);
  const [largest] = await run<{ id: string }>('select max(id) as id from users');
  expect(await next()).toBeGreaterThan(Number(largest!.id));
  await run('alter table users drop loud');
  await forget();
});

test('what depends on the time zone is computed and checked in the server’s own', async () => {
  await run(`set global time_zone = '+05:30'`);
  await run(
    `alter table users add at timestamp null, add day date as (cast(at as date)) stored, add told date, add constraint told check (told = cast(at as date))`,
  );
  await run(`update users set at = '2026-01-02 01:00:00', told = '2026-01-02' where tenant_id = 1`);
  const before = await rowsOf(server(), 'app');
  ok(await dump());
  await run('update users set at = null where tenant_id = 1');
  ok(await restore());
  expect(await rowsOf(server(), 'app')).toEqual(before);
  await run('delete from users where tenant_id = 1 and manager_id <> id');
  ok(await restore());
  expect(await rowsOf(server(), 'app')).toEqual(before);
  await run(
    'set global time_zone = default; alter table users drop constraint told; alter table users drop day, drop told, drop at',
  );
  ok(await dump());
  await forget();
});

test('bears changes of tables that lose nothing', async () => {
  await run('alter table members add added int not null default 7, modify name varchar(50)');
  const good = await restore();
  ok(good);
  expect(good.stderr).toContain('members.name is varchar(50) now, and was text');
  expect(await run('select distinct added from members where group_id = 10')).toEqual([{ added: 7 }]);
  await run('alter table members drop added, modify name text');
});

describe('definitions of tables', () => {
  const rowsScope = () => ({
    tenancy: 'rows' as const,
    value: '1',
    description: readDescription(described, 'tenancy.yaml'),
  });
  const alter = (column: string) =>
    run(`set session lock_wait_timeout = 1; alter table members add ${column} int`).then(
      () => 'altered',
      (error) => String(error.code),
    );

  test('are held as they are while a dump reads', async () => {
    const { dumpRows } = bundled<{ dumpRows: typeof DumpRows }>('lambda/engine/mariadb/rows/dump.ts');
    const dumping = await dumpRows(
      { server: parseServer(server().url), database: 'app', scope: rowsScope() },
      rowsScope(),
    );
    try {
      expect(await alter('held')).toBe('ER_LOCK_WAIT_TIMEOUT');
      for await (const _ of dumping.stream);
      expect((await dumping.finished).tables).toContainEqual(
        expect.objectContaining({ schema: 'app', name: 'members', rows: 3 }),
      );
    } finally {
      await dumping.close();
    }
  });

  test.each([
    ['a column', 'add typed int', 'drop typed'],
    // By which the tenant's rows are found and locked.
    ['an index', 'rename index group_id to typed', 'rename index typed to group_id'],
  ])('that change while a name is typed make the restore refuse: %s', async (_, change, back) => {
    const { dumpRows } = bundled<{ dumpRows: typeof DumpRows }>('lambda/engine/mariadb/rows/dump.ts');
    const { prepareRows } = bundled<{ prepareRows: typeof PrepareRows }>(
      'lambda/engine/mariadb/rows/restore.ts',
    );
    const to = { server: parseServer(server().url), database: 'app', scope: rowsScope() };
    const dumping = await dumpRows(to, rowsScope());
    const bytes: Buffer[] = [];
    for await (const chunk of dumping.stream) bytes.push(chunk as Buffer);
    const { tables } = await dumping.finished;
    await dumping.close();
    const prepared = await prepareRows(
      {
        ...to,
        tenant: '1',
        archive: 'none',
        at: dumping.facts.at,
        facts: dumping.facts,
        tables,
        noOwner: false,
        open: async () => Readable.from(bytes),
      },
      rowsScope(),
    );
    await run(`alter table members ${change}`);
    const before = await rowsOf(server(), 'app');
    const copies = await kept();
    await expect(prepared.swap()).rejects.toThrow(/tables of database "app" were altered meanwhile/);
    expect(await rowsOf(server(), 'app')).toEqual(before);
    expect(await kept()).toEqual(copies);
    await run(`alter table members ${back}`);
  });
});
