import { type Ran, runCli } from '../support/cli';
import { usePostgres } from '../support/postgres';
import { createShared, reviewed, rowsOf, writeDescription } from '../support/shared';
import { type Workspace, workspace } from '../support/tenants';

const server = usePostgres();
const ok = (ran: Ran) => {
  if (ran.code !== 0) throw new Error(ran.stderr);
};
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
      ["1' or true --", 'cannot stand in public.'],
      ['x\u202e', 'cannot stand in public.'],
    ] as const)
      expect(
        await refused('select 1', 'select 1', () => work.dump('someone', rows(`--tenant-value=${value}`))),
      ).toContain(said);
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

  test('primary keys that are another tenant’s by now', async () => {
    const said = await refused(
      'update members set group_id = 20 where id = 102',
      'update members set group_id = 10 where id = 102',
      restore,
    );
    expect(said).toMatch(/public\.members has rows of other tenants under primary keys.*\(102\)/);
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

test('triggers do not run, and are on again afterwards', async () => {
  await run(`
    create table audit (what text); create function note() returns trigger language plpgsql as
      $f$ begin insert into audit values (tg_op); update users set email = 'hit' where tenant_id = 2; return coalesce(new, old); end $f$;
    create trigger note before insert or delete on orders for each row execute function note();
    create trigger always after insert on events for each row execute function note();
    alter table events enable always trigger always;`);
  const described = writeDescription(
    work.folder,
    'audit.yaml',
    `${(await import('node:fs')).readFileSync(file, 'utf8')}  - table: audit\n    reference: true\n`,
  );
  const before = await rowsOf(server(), 'app');
  ok(await work.restore('1', ['--database', 'app', '--tenancy-file', described]));
  expect(await rowsOf(server(), 'app')).toEqual(before);
  expect(
    await run(
      `select c.relname, t.tgenabled from pg_trigger t join pg_class c on c.oid = t.tgrelid where tgname in ('note', 'always') order by 1`,
    ),
  ).toEqual([
    { relname: 'events', tgenabled: 'A' },
    { relname: 'events_2025', tgenabled: 'A' },
    { relname: 'events_2026', tgenabled: 'A' },
    { relname: 'orders', tgenabled: 'O' },
  ]);
  await run('drop function note() cascade; drop table audit');
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
