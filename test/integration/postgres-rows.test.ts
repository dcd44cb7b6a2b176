import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ok, runCli } from '../support/cli';
import { usePostgres } from '../support/postgres';
import { createShared, reviewed, rowsOf, writeDescription } from '../support/shared';
import { type Workspace, workspace } from '../support/tenants';

const server = usePostgres({ settings: { wal_level: 'logical' } });
let work: Workspace;
let file: string;
beforeAll(async () => {
  work = await workspace(server);
  await createShared(server(), 'app');
  const inferred = await infer('app');
  file = writeDescription(work.folder, 'tenancy.yaml', reviewed(inferred.stdout));
});
afterAll(() => work?.remove());

const infer = (database: string, ...args: string[]) =>
  runCli([
    'tenancy',
    'infer',
    '--server',
    server().url,
    '--database',
    database,
    '--column',
    'tenant_id',
    ...args,
  ]);
const check = (database: string, path: string) =>
  runCli(['tenancy', 'check', path, '--server', server().url, '--database', database, '--json']);
const rows = (...args: string[]) => ['--database', 'app', '--tenancy-file', file, ...args];
const run = (sql: string, database = 'app') => server().query(sql, [], database);

test('infers whose the rows are, and says what a person has to decide', async () => {
  const inferred = await infer('app');
  expect(inferred.code).toBe(0);
  expect(inferred.stderr).toContain('to decide: public.schema_migrations');
  expect(inferred.stdout).toMatchSnapshot();
  const undecided = writeDescription(work.folder, 'undecided.yaml', inferred.stdout);
  const refused = await check('app', undecided);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('(public.schema_migrations) is undecided');
  const good = await check('app', file);
  expect(good.json()).toMatchObject({
    ok: true,
    problems: [],
    references: ['public.countries', 'public.schema_migrations'],
  });
});

test('dumps one tenant and restores it alone, whatever was done to it', async () => {
  const before = await rowsOf(server(), 'app');
  const dumped = await work.dump('3', rows());
  ok(dumped);
  expect(dumped.json<{ tables: unknown[] }>().tables).toContainEqual({
    schema: 'public',
    name: 'events',
    rows: 40,
    checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect((await work.verify('3')).json()).toMatchObject({ ok: true });
  await run(`
    delete from "Order lines; drop table x" where order_tenant = 3 and line > 1; update users set email = 'gone' where tenant_id = 3;
    update orders set user_id = null where tenant_id = 3; delete from events where tenant_id = 3;
    insert into orders (tenant_id, day) values (3, '2026-06-01');
    insert into events values (2, '2026-06-01', 'of another tenant');`);
  const damaged = await rowsOf(server(), 'app');
  const restored = await work.restore('3', rows());
  ok(restored);
  const after = await rowsOf(server(), 'app');
  expect({ ...after, events: [] }).toEqual({ ...before, events: [] });
  expect(after.events).toEqual(
    [...before.events!, '(2,"2026-06-01 00:00:00+00","of another tenant")'].sort(),
  );
  ok(await work.undo('3', ['--database', 'app', '--tenancy', 'rows']));
  expect(await rowsOf(server(), 'app')).toEqual(damaged);
  ok(await work.undo('3', ['--database', 'app', '--tenancy', 'rows']));
  expect(await rowsOf(server(), 'app')).toEqual(after);
});

test('says that large objects are not dumped', async () => {
  await run('create domain blob as oid; alter table users add photo blob');
  expect((await work.dump('2', rows())).stderr).toContain('large objects (they belong to the database');
  await run('alter table users drop photo; drop domain blob');
  expect((await work.dump('2', rows())).stderr).not.toContain('large objects');
});

test('tells who restores into another database that it is another', async () => {
  await createShared(server(), 'sibling');
  ok(await work.dump('2', rows()));
  const { warnings } = (await work.restore('2', ['--database', 'sibling'])).json<{ warnings: string[] }>();
  expect(warnings).toContain(
    'the archive is of database "app", and what it replaces is rows of database "sibling"',
  );
  expect((await work.restore('2', rows())).json()).toMatchObject({ warnings: [] });
});

test("takes for the tenant's what the column's own equality takes for it, and as many columns as a table can have", async () => {
  await server().query('create database caseless');
  await run(
    `create extension citext;
     create table tenants (id citext primary key);
     create table codes (code citext primary key, tenant_id citext not null references tenants);
     create index on codes (tenant_id);
     do $$ begin execute (select format('create table wide (id int primary key, tenant_id text not null, %s);
       create index on wide (tenant_id)', string_agg(format('c%s int', n), ', ')) from generate_series(1, 900) n); end $$;
     insert into wide (id, tenant_id, c900) values (1, 'acme', 7), (2, 'other', 8);
     create table uses (id int primary key, code citext not null references codes); create index on uses (code);
     create table lines (code citext references codes, line int, primary key (code, line));
     insert into tenants values ('acme'), ('other'); insert into codes values ('A', 'ACME'), ('B', 'Other');
     insert into uses values (1, 'a'), (2, 'A'), (3, 'b'); insert into lines values ('a', 1), ('A', 2), ('b', 1)`,
    'caseless',
  );
  const inferred = writeDescription(work.folder, 'caseless.yaml', (await infer('caseless')).stdout);
  const before = await rowsOf(server(), 'caseless');
  const dumped = await work.dump('acme', ['--database', 'caseless', '--tenancy-file', inferred]);
  const rowsIn = dumped.json<{ tables: { name: string; rows: number }[] }>().tables;
  expect(rowsIn.map(({ name, rows: count }) => `${name} ${count}`).sort()).toEqual([
    'codes 1',
    'lines 2',
    'tenants 1',
    'uses 2',
    'wide 1',
  ]);
  await run(
    `delete from uses where id < 3; delete from lines where code = 'A'; update codes set code = 'x' where code = 'A'; update wide set c900 = 1 where id = 1`,
    'caseless',
  );
  ok(await work.restore('acme', ['--database', 'caseless']));
  expect(await rowsOf(server(), 'caseless')).toEqual(before);
});

test('never sends subscribers of all tables what they do not have', async () => {
  await run('create publication everything for all tables', 'caseless');
  await run(`select pg_create_logical_replication_slot('reader', 'pgoutput')`, 'caseless');
  try {
    await run('delete from uses where id = 1', 'caseless');
    const restored = await work.restore('acme', ['--database', 'caseless']);
    ok(restored);
    expect(restored.stderr).toContain('publication "everything" is for all tables');
    const published = await run('select schemaname from pg_publication_tables', 'caseless');
    // One copy was kept before there was a publication.
    expect(new Set(published.map(({ schemaname }) => schemaname)).size).toBe(2);
    ok(await work.undo('acme', ['--database', 'caseless', '--tenancy', 'rows']));
    expect(await run('select from uses where id = 1', 'caseless')).toHaveLength(0);
    await run('create schema own; create table own.things (id int primary key)', 'caseless');
    ok(await work.dump('own', ['--database', 'caseless', '--tenancy', 'schema']));
    const refused = await work.restore('own', ['--database', 'caseless']);
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toMatch(/publication "everything" is for all tables.*nothing was loaded/);
  } finally {
    await run(`select pg_drop_replication_slot('reader')`, 'caseless');
  }
});

test('rows come in the order of their primary keys, also where these hang on those of others', async () => {
  await server().query('create database ordered');
  const shuffled = (columns: string, from: string) => `select ${columns} from ${from} order by random()`;
  await run(
    `create table boxes (id int primary key, tenant_id int not null); create index on boxes (tenant_id);
     insert into boxes ${shuffled('n, n % 2', 'generate_series(1, 400) n')};
     create table labels (box_id int primary key references boxes, text text);
     insert into labels ${shuffled('id, id::text', 'boxes where id % 3 = 0')};
     create table things (box_id int references boxes, thing int, primary key (box_id, thing));
     insert into things ${shuffled('id, n', 'boxes, generate_series(1, 5) n')};
     create table parts (box_id int, thing int, part int, primary key (box_id, thing, part), foreign key (box_id, thing) references things);
     insert into parts ${shuffled('box_id, thing, n', 'things, generate_series(1, 3) n')}; analyze`,
    'ordered',
  );
  const inferred = await infer('ordered');
  const description = writeDescription(work.folder, 'ordered.yaml', inferred.stdout);
  ok(await work.dump('1', ['--database', 'ordered', '--tenancy-file', description]));
  const folder = join(work.folder, 'ordered');
  mkdirSync(folder);
  const where = ['--store', work.store, '--key-file', work.key, '--to-file', join(folder, 'dump')];
  ok(await runCli(['restore', '1', ...where]));
  execFileSync('tar', ['-xf', 'dump'], { cwd: folder });
  const kept = (table: string) => {
    const [place] = readdirSync(join(folder, 'rows')).filter((name) => name.endsWith(table));
    return readFileSync(join(folder, 'rows', place!, '000001.copy'), 'utf8')
      .trim()
      .split('\n');
  };
  for (const [table, key] of Object.entries({
    boxes: 'id',
    labels: 'box_id',
    things: 'box_id, thing',
    parts: 'box_id, thing, part',
  })) {
    const mine = table === 'boxes' ? 'tenant_id = 1' : 'box_id % 2 = 1';
    const expected = await run(
      `select replace(trim('()' from t::text), ',', e'\\t') as line from ${table} t where ${mine} order by ${key}`,
      'ordered',
    );
    expect(kept(table)).toEqual(expected.map(({ line }) => line));
  }
});
