import { readFileSync } from 'node:fs';
import { ok, type Ran, runCli } from '../support/cli';
import { usePostgres } from '../support/postgres';
import { createShared, reviewed, rowsOf, writeDescription } from '../support/shared';
import { type Workspace, workspace } from '../support/tenants';

const server = usePostgres();
let work: Workspace;
let file: string;
beforeAll(async () => {
  work = await workspace(server);
  await createShared(server(), 'app');
  const args = ['--server', server().url, '--database', 'app', '--column', 'tenant_id'];
  file = writeDescription(
    work.folder,
    'tenancy.yaml',
    reviewed((await runCli(['tenancy', 'infer', ...args])).stdout),
  );
  ok(await work.dump('1', rows()));
});
afterAll(() => work?.remove());

const rows = (...args: string[]) => ['--database', 'app', '--tenancy-file', file, ...args];
const run = (sql: string) => server().query(sql, [], 'app');

/** A description with one more table. */
const also = (name: string, table: string) =>
  writeDescription(work.folder, `${name}.yaml`, `${readFileSync(file, 'utf8')}${table}`);

/** Changes the database, runs, sees that nothing else has changed, and takes the change back. */
async function refused(change: string, back: string, act: () => Promise<Ran>): Promise<string> {
  await run(change);
  const before = await rowsOf(server(), 'app');
  const ran = await act();
  expect(await rowsOf(server(), 'app')).toEqual(before);
  await run(back);
  expect([2, 3]).toContain(ran.code);
  expect(ran.stderr).not.toMatch(/unexpected|at .*\.mjs/);
  return ran.stderr;
}
const dump = () => work.dump('1', rows());
const restore = () => work.restore('1', rows());

describe('dump and restore fail closed', () => {
  test('on a table that the description does not know', async () => {
    for (const act of [dump, restore])
      expect(await refused('create table newcomer (tenant_id bigint)', 'drop table newcomer', act)).toContain(
        'table public.newcomer is not in the description',
      );
  });

  test.each([
    [
      'in another schema',
      'create schema other; create table other.t (x int)',
      'drop schema other cascade',
      'other.t',
    ],
    ['that is partitioned', 'create table p (x int) partition by list (x)', 'drop table p', 'public.p'],
    ['that no crash spares', 'create unlogged table u (x int)', 'drop table u', 'public.u'],
  ])('on one %s; undo, too', async (_what, change, back, table) => {
    const said = `table ${table} is not in the description`;
    expect(await refused(change, back, dump)).toContain(said);
    ok(await restore());
    const undo = () => work.undo('1', ['--database', 'app', '--tenancy', 'rows']);
    expect(await refused(change, back, undo)).toContain(said);
    ok(await undo());
  });

  test('on a circle of foreign keys that nothing opens', async () => {
    const said = await refused(
      `alter table groups alter constraint groups_head_member_fkey not deferrable, alter head_member set not null`,
      `alter table groups alter constraint groups_head_member_fkey deferrable, alter head_member drop not null`,
      restore,
    );
    expect(said).toContain(
      '(groups_head_member_fkey, members_group_id_fkey), and none of these foreign keys is deferrable',
    );
  });

  test('where row-level security would leave rows out', async () => {
    await run(`create role limited login; grant all on all tables in schema public to limited`);
    const as = ['--server', `postgres://limited@127.0.0.1:${server().port}`];
    const said = await refused(
      'alter table orders enable row level security; create policy none on orders using (false)',
      'alter table orders disable row level security; drop policy none on orders',
      () => work.dump('1', rows(...as)),
    );
    expect(said).toMatch(
      /query would be affected by row-level security policy for table "orders".*BYPASSRLS/,
    );
    await run('grant create, temporary on database app to limited');
    const restoring = await refused(
      'alter table orders enable row level security; create policy two on orders using (tenant_id = 2)',
      'alter table orders disable row level security; drop policy two on orders',
      () => work.restore('1', rows(...as)),
    );
    expect(restoring).toMatch(/query would be affected by row-level security policy for table "orders"/);
    // Its owner is under a policy only where that is forced.
    const forced = await refused(
      `alter table events owner to limited; alter table events enable row level security; alter table events force row level security`,
      `alter table events no force row level security`,
      () => work.dump('1', rows(...as)),
    );
    expect(forced).toMatch(/row-level security policy for table "events"/);
    ok(await work.dump('1', rows(...as)));
    await run('alter table events owner to postgres; alter table events disable row level security');
    await run('alter role limited set session_replication_role = replica');
    expect(await refused('select 1', 'select 1', () => work.dump('1', rows(...as)))).toMatch(
      /sessions of "limited" in database "app" .* begin with another session_replication_role than origin.*RESET session_replication_role/,
    );
  });

  test('without an index on the tenant column, unless that is accepted', async () => {
    expect(
      await refused(
        'drop index users_tenant_id_idx',
        'create index users_tenant_id_idx on users (tenant_id)',
        dump,
      ),
    ).toContain('table public.users has no index that begins with (tenant_id)');
  });

  test('on a tenant that is not there, or is written otherwise', async () => {
    for (const [value, said] of [
      ['77', 'there is no tenant "77" in public.tenants'],
      ['01', '"01" is written "1"'],
      ['', "the tenant column's value cannot be empty: a variable that nobody has set is, too"],
      ["1' or true --", 'cannot stand in public.'],
      ['x\u202e', 'cannot stand in public.'],
    ] as const)
      expect(
        await refused('select 1', 'select 1', () => work.dump('someone', rows(`--tenant-value=${value}`))),
      ).toContain(said);
  });

  test('on a partition that lies on another server', async () => {
    const described = also('far', '  - { table: far, column: tenant_id, unindexed: true }\n');
    const said = await refused(
      `create extension file_fdw; create server files foreign data wrapper file_fdw;
       create table far (tenant_id bigint, at date) partition by range (at); create table near partition of far default;
       create foreign table elsewhere partition of far for values from ('2030-01-01') to ('2031-01-01') server files options (filename '/dev/null')`,
      'drop table far; drop extension file_fdw cascade',
      () => work.dump('1', ['--database', 'app', '--tenancy-file', described]),
    );
    expect(said).toContain('table public.far is a foreign table, or has one for a partition');
  });

  test('on a rule that rewrites', async () => {
    const said = await refused(
      'create rule r as on delete to events do instead nothing',
      'drop rule r on events',
      restore,
    );
    expect(said).toContain('table public.events has the rule "r"');
  });
});

describe('a restore refuses', () => {
  test("another tenant's archive", async () => {
    expect(
      await refused('select 1', 'select 1', () => work.restore('1', rows('--tenant-value', '2'))),
    ).toContain('is of the rows of "1", and the rows of "2" was asked for');
  });

  test("to reach other tenants' rows that hang on this one's", async () => {
    const said = await refused(
      'update users set manager_id = 1 where tenant_id = 2',
      'update users u set manager_id = (select min(id) from users m where m.tenant_id = 2) where tenant_id = 2',
      restore,
    );
    expect(said).toMatch(/4 rows of public\.users that are not the tenant's refer by users_manager_id_fkey/);
  });

  test.each(['cascade', 'set null', 'set default', 'restrict'])(
    "to reach them by a foreign key on delete %s, another tenant's or a shared table's",
    async (action) => {
      const key = (table: string, column: string) =>
        `alter table ${table} add constraint crossing foreign key (${column}) references users (id) on delete ${action}`;
      const orders = await refused(
        `alter table orders add by bigint; ${key('orders', 'by')};
         update orders set by = (select min(id) from users where tenant_id = 1) where tenant_id = 2`,
        'alter table orders drop by',
        restore,
      );
      expect(orders).toContain(
        `5 rows of public.orders that are not the tenant's refer by crossing (on delete ${action}) to its rows in public.users`,
      );
      const countries = await refused(
        `alter table countries add by bigint; ${key('countries', 'by')};
         update countries set by = (select min(id) from users where tenant_id = 1)`,
        'alter table countries drop by',
        restore,
      );
      expect(countries).toContain("2 rows of public.countries that are not the tenant's refer by crossing");
    },
  );

  test('to write what no partition takes any more', async () => {
    const described = also('away', '  - table: away\n    reference: true\n    why: put away\n');
    const said = await refused(
      'alter table events detach partition events_2025; alter table events_2025 rename to away',
      `alter table away rename to events_2025; alter table events attach partition events_2025 for values from ('2025-01-01') to ('2026-01-01')`,
      () => work.restore('1', ['--database', 'app', '--tenancy-file', described]),
    );
    expect(said).toMatch(/no partition of relation "events" found for row.*nothing was changed/);
  });

  // What no check can foresee: the definitions themselves write elsewhere.
  test.each([
    [
      "another tenant's row",
      "update users set note = 'hit' where tenant_id = 2",
      /would have changed other rows of public\.users than the tenant's: .* 12 updated/,
    ],
    [
      'a shared table',
      "insert into countries values ('xx', 'X') on conflict do nothing",
      /would have changed public\.countries, which is not the tenant's \(1 rows inserted/,
    ],
    [
      "another tenant's row, of tables too large to read",
      "update users set note = 'hit' where tenant_id = 2",
      /would have changed other rows of public\.users than the tenant's/,
    ],
  ])('to commit a transaction in which %s was changed', async (what, meddle, said) => {
    const large = what.endsWith('to read');
    if (large)
      await run(
        `insert into events select 2, '2026-05-01'::timestamptz + make_interval(secs => n), repeat('x', 2000) from generate_series(1, 20000) n`,
      );
    await run("update members set name = 'changed' where group_id = 10");
    expect(
      await refused(
        `create function meddle(int) returns bool language plpgsql set search_path = public as $f$ begin ${meddle}; return true; end $f$;
         alter table members add constraint meddle check (meddle(id)) not valid`,
        `alter table members drop constraint meddle; drop function meddle(int); delete from events where what like 'xxx%';
         update members set name = 'm' || (id - 100) where group_id = 10`,
        restore,
      ),
    ).toMatch(said);
  });

  test('primary keys that are another tenant’s by now', async () => {
    const said = await refused(
      'update members set group_id = 20 where id = 102',
      'update members set group_id = 10 where id = 102',
      restore,
    );
    expect(said).toMatch(/public\.members has rows of other tenants under primary keys.*\(102\)/);
  });

  test('values that a type no longer has, without telling them', async () => {
    await run(
      `create type mood as enum ('glad', 'sad'); alter table members add mood mood; update members set mood = 'sad' where group_id = 10`,
    );
    ok(await dump());
    const said = await refused(
      `update members set mood = null; alter type mood rename value 'sad' to 'blue'`,
      `alter type mood rename value 'blue' to 'sad'`,
      restore,
    );
    expect(said).toContain(
      'public.members: a row of the archive does not fit the live table: invalid input value for enum public.mood (line 1, column mood)',
    );
    await run('alter table members drop mood');
    ok(await dump());
  });

  test.each([
    [
      'a column that cannot be empty was added',
      'alter table members add x int; update members set x = 1; alter table members alter x set not null',
      'alter table members drop x',
      'public.members.x was added since, cannot be null and has no default',
    ],
    [
      'a column with values is gone',
      'alter table members rename name to called',
      'alter table members rename called to name',
      'public.members.name was dropped, and 3 rows',
    ],
    [
      'a type has another meaning',
      'alter table orders alter day type timestamptz using day',
      'alter table orders alter day type date',
      'public.orders.day is timestamp with time zone now, and was date',
    ],
    [
      'a number gets too small',
      'alter table members alter id type smallint',
      'alter table members alter id type int',
      'public.members.id is smallint now, and was integer',
    ],
  ])('when %s', async (_what, change, back, said) => {
    expect(await refused(change, back, restore)).toContain(said);
  });
});

test('reads and writes what the archive has, whatever the database sets for the application', async () => {
  await run(
    `alter table users add names text[], add day date, add at timestamptz, add check (day = at::date);
     alter database app set array_nulls = off; alter database app set timezone = 'Asia/Kolkata'`,
  );
  await run(
    `update users set names = array[null, 'NULL'], at = '2026-01-01 20:00Z', day = '2026-01-02' where tenant_id = 1`,
  );
  const before = await rowsOf(server(), 'app');
  ok(await dump());
  await run('update users set names = null, at = null where tenant_id = 1');
  ok(await restore());
  expect(await rowsOf(server(), 'app')).toEqual(before);
  await run(
    `alter database app reset array_nulls; alter database app reset timezone; alter table users drop names, drop day, drop at`,
  );
  ok(await dump());
});

test('bears changes of tables that lose nothing', async () => {
  await run(`alter table members add added int default 7, alter id type bigint; alter table users drop note`);
  const said = await work.restore('1', rows());
  // users.note holds its default in the archive.
  expect(said.code).toBe(2);
  expect(said.stderr).toContain('public.users.note was dropped, and 4 rows');
  await run(`alter table users add note text default 'none'`);
  const good = await work.restore('1', rows());
  ok(good);
  expect(good.stderr).toContain('public.members.id is bigint now, and was integer');
  expect(await run('select distinct added from members where group_id = 10')).toEqual([{ added: 7 }]);
});

test('triggers do not run, and are on again afterwards; event triggers may write down what is defined', async () => {
  await run(`
    create table audit (what text); create function note() returns trigger language plpgsql as
      $f$ begin insert into audit values (tg_op); update users set email = 'hit' where tenant_id = 2; return coalesce(new, old); end $f$;
    create trigger note before insert or delete on orders for each row execute function note();
    create trigger always after insert on events for each row execute function note();
    alter table events enable always trigger always; alter table events_2025 disable trigger always;
    create trigger partly after insert on events for each row execute function note();
    alter table events disable trigger partly; alter table events_2026 enable trigger partly;
    create function log() returns event_trigger language plpgsql set search_path = public as
      $f$ begin insert into audit values (tg_tag); end $f$;
    create event trigger log on ddl_command_end execute function log();`);
  const described = also('audit', '  - table: audit\n    reference: true\n');
  const before = await rowsOf(server(), 'app');
  await run(
    `update users set email = 'x' where tenant_id = 1; delete from events where tenant_id = 1 and at >= '2026-01-01'`,
  );
  const restoring = () => work.restore('1', ['--database', 'app', '--tenancy-file', described]);
  const restored = await restoring();
  ok(restored);
  expect(restored.stderr).toContain('event trigger "log" of the database may run');
  expect({ ...(await rowsOf(server(), 'app')), audit: [] }).toEqual({ ...before, audit: [] });
  const logged = (await run('select distinct what from audit')).map(({ what }) => what);
  expect(logged).toEqual(expect.arrayContaining(['CREATE TABLE AS', 'ALTER TABLE']));
  expect(logged).not.toContain('INSERT');
  ok(await work.undo('1', ['--database', 'app', '--tenancy', 'rows', '--tenancy-file', described]));
  await run('alter function log() reset search_path');
  const failed = await restoring();
  expect(failed.code).toBe(2);
  expect(failed.stderr).toMatch(
    /event trigger "log" of the database, .*, failed: relation "audit" does not exist; .*ALTER EVENT TRIGGER … DISABLE/,
  );
  // What it does to others' rows stays no business of a restore.
  await run(
    `create or replace function log() returns event_trigger language plpgsql set search_path = public as
       $f$ begin update users set note = 'hit' where tenant_id = 2; end $f$`,
  );
  const meddled = await restoring();
  expect(meddled.code).not.toBe(0);
  expect(meddled.stderr).toMatch(
    /of public\.users than the tenant's: .*; if that is the work of event trigger "log"/,
  );
  await run('drop event trigger log');
  await run(`update users set note = 'none' where note = 'hit'`);
  ok(await restoring());
  expect(
    await run(
      `select c.relname, t.tgenabled from pg_trigger t join pg_class c on c.oid = t.tgrelid where tgname in ('note', 'always', 'partly') order by 1, tgname`,
    ),
  ).toEqual([
    { relname: 'events', tgenabled: 'A' },
    { relname: 'events', tgenabled: 'D' },
    { relname: 'events_2025', tgenabled: 'D' },
    { relname: 'events_2025', tgenabled: 'D' },
    { relname: 'events_2026', tgenabled: 'A' },
    { relname: 'events_2026', tgenabled: 'O' },
    { relname: 'orders', tgenabled: 'O' },
  ]);
  await run('drop function note() cascade; drop function log(); drop table audit');
});

test('sequences go on, never back', async () => {
  const last = async () => Number((await run(`select last_value from orders_id_seq`))[0]!.last_value);
  await run(`select setval('orders_id_seq', 1)`);
  ok(await restore());
  expect(await last()).toBeGreaterThanOrEqual(5);
  await run(`select setval('orders_id_seq', 1000000)`);
  ok(await restore());
  expect(await last()).toBe(1000000);
});

test('sequences that count down go on, too, never to their end, and a column that the server computes may be the key', async () => {
  await run(`
    create sequence down increment -1 start -1 minvalue -1000000;
    create table debts (id int not null default nextval('down'), tenant_id bigint not null,
      label text generated always as ('d' || tenant_id || '-' || (-id)) stored primary key, note text);
    alter sequence down owned by debts.id; create index on debts (tenant_id);
    insert into debts (tenant_id) select 1 from generate_series(1, 5);
    alter table debts alter note set default 'N' || nextval('down'); update debts set note = 'N7';
    insert into debts values (-1000000, 1);`);
  const described = also('debts', '  - table: debts\n    column: tenant_id\n');
  const args = ['--database', 'app', '--tenancy-file', described, '--tenant-value', '1'];
  const last = async () => Number((await run('select last_value from down'))[0]!.last_value);
  try {
    ok(await work.dump('debtor', args));
    const before = await rowsOf(server(), 'app');
    await run(`delete from debts; select setval('down', -2)`);
    ok(await work.restore('debtor', args));
    expect(await rowsOf(server(), 'app')).toEqual(before);
    // The last number that there is was somebody's choice, and a text with a number in it tells none.
    expect(await last()).toBeLessThanOrEqual(-5);
    expect(await last()).toBeGreaterThan(-10);
    await run(`select setval('down', -1000); update debts set id = -77 where id = -3`);
    ok(await work.restore('debtor', args));
    expect(await rowsOf(server(), 'app')).toEqual(before);
    expect(await last()).toBe(-1000);
  } finally {
    await run('drop table debts');
  }
});

test('rows that fill a page come back, too, though nothing fits in beside them', async () => {
  await run(`
    do $$ begin execute (select format('create table full_rows (id int primary key, tenant_id bigint not null, note int, %s);
      create index on full_rows (tenant_id)', string_agg(format('p%s point not null default ''(1,2)''', n), ', '))
      from generate_series(1, 507) n); end $$;
    insert into full_rows values (1, 1, 1), (2, 2, 2);`);
  const described = also('full', '  - table: full_rows\n    column: tenant_id\n');
  const args = ['--database', 'app', '--tenancy-file', described, '--tenant-value', '1'];
  try {
    ok(await work.dump('full', args));
    const before = await rowsOf(server(), 'app');
    await run('update full_rows set note = 3 where id = 1');
    const restored = await work.restore('full', args);
    ok(restored);
    expect(restored.stderr).toContain("replacing all of the tenant's rows");
    expect(await rowsOf(server(), 'app')).toEqual(before);
  } finally {
    await run('drop table full_rows');
  }
});
