import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { runCli } from '../support/cli';
import { inTerminal } from '../support/in-terminal';
import { usePostgres } from '../support/postgres';
import { fingerprint, type Workspace, workspace } from '../support/tenants';

interface Table {
  name: string;
  state: string;
  [field: string]: unknown;
}
interface Comparison {
  same: boolean;
  tables: Table[];
}

const server = usePostgres();
let work: Workspace;
beforeAll(async () => {
  work = await workspace(server);
});
afterAll(() => work?.remove());

const on = (sql: string, database: string) => server().query(sql, [], database);
const run = (command: string, tenant: string, args: string[] = []) =>
  runCli([command, tenant, '--server', server().url, '--store', work.store, '--key-file', work.key, ...args]);

/** The comparison, checked against the shipped schema; the live database and the list of databases are as before. */
async function compare(
  tenant: string,
  args: string[] = [],
): Promise<{ code: number | null; told: Comparison }> {
  const names = 'select array_agg(datname order by datname) as names from pg_database';
  const before = [await fingerprint(server(), tenant), await server().query(names)];
  const ran = await run('compare', tenant, ['--json', ...args]);
  if (ran.stdout === '') throw new Error(ran.stderr);
  const schema = readFileSync(join(__dirname, '../../schema/comparison.schema.json'), 'utf8');
  const validate = new Ajv({ allowUnionTypes: true }).compile(JSON.parse(schema));
  expect(validate(ran.json()) ? [] : validate.errors).toEqual([]);
  expect([await fingerprint(server(), tenant), await server().query(names)]).toEqual(before);
  return { code: ran.code, told: ran.json() };
}
const table = ({ tables }: Comparison, name: string) => tables.find((each) => each.name === name);

test('rows added, removed and changed, tables and columns that came and went', async () => {
  await server().query('create database acme');
  await on(
    `create table orders (id bigint primary key, note text, at timestamptz default now());
     insert into orders select n, md5(n::text) from generate_series(1, 5000) n;
     create table lines (a int, b text, c float8, primary key (b, a));
     insert into lines select n, 'x' || n % 3, n / 7.0 from generate_series(1, 300) n;
     create table plain (v text); insert into plain values ('twice'), ('twice'), ('once');
     create table "old ""t" (x int); insert into "old ""t" values (1);
     create table cols (id int primary key, gone text, kind int); insert into cols values (1, 'a', 2);
     create table stays (id int primary key, j jsonb); insert into stays values (1, '{"a": 1}');
     select lo_from_bytea(7, 'abc'), lo_from_bytea(8, 'def')`,
    'acme',
  );
  expect(await run('dump', 'acme')).toMatchObject({ code: 0 });
  expect(await compare('acme')).toMatchObject({ code: 0, told: { same: true } });

  // What databases are set to must not look like a difference.
  await server().query(
    `alter database acme set datestyle = 'German'; alter database acme set timezone = 'Asia/Tokyo'`,
  );
  expect(await compare('acme')).toMatchObject({ code: 0, told: { same: true } });

  await on(
    `delete from orders where id <= 40; update orders set note = 'edited' where id in (50, 51, 52);
     insert into orders select n from generate_series(9007199254740993, 9007199254740994) n;
     update lines set c = c + 1e-12 where b = 'x1' and a = 1;
     insert into plain values ('once'); delete from plain where ctid = (select min(ctid) from plain where v = 'twice');
     drop table "old ""t"; create table fresh (x int); insert into fresh values (1), (2);
     alter table cols drop column gone, add column extra int default 5, alter column kind type bigint;
     select lo_put(7, 0, 'z'), lo_unlink(8), lo_from_bytea(9, 'new')`,
    'acme',
  );
  const { code, told } = await compare('acme', ['--sample', '2']);
  expect(code).toBe(1);
  expect(told.same).toBe(false);
  expect(table(told, 'orders')).toMatchObject({
    state: 'changed',
    archiveRows: 5000,
    liveRows: 4962,
    rows: { added: 2, removed: 40, changed: 3 },
    key: ['id'],
    columns: [],
    sample: {
      added: expect.arrayContaining([{ id: '9007199254740993' }, { id: '9007199254740994' }]),
      removed: [{ id: expect.any(String) }, { id: expect.any(String) }],
      changed: [{ id: expect.stringMatching(/^5[012]$/) }, { id: expect.stringMatching(/^5[012]$/) }],
    },
  });
  expect(table(told, 'lines')).toMatchObject({
    rows: { added: 0, removed: 0, changed: 1 },
    key: ['b', 'a'],
    sample: { changed: [{ a: '1', b: 'x1' }] },
  });
  expect(table(told, 'plain')).toMatchObject({
    rows: { added: 1, removed: 1, changed: 0 },
    key: null,
    sample: { added: [], removed: [], changed: [] },
  });
  expect(table(told, 'old "t')).toMatchObject({ state: 'removed', archiveRows: 1, liveRows: null });
  expect(table(told, 'fresh')).toMatchObject({ state: 'added', archiveRows: null, liveRows: 2 });
  expect(table(told, 'cols')).toMatchObject({
    state: 'changed',
    rows: { added: 0, removed: 0, changed: 0 },
    columns: [
      { name: 'gone', archive: 'text', live: null },
      { name: 'kind', archive: 'integer', live: 'bigint' },
      { name: 'extra', archive: null, live: 'integer default 5' },
    ],
  });
  expect(table(told, 'pg_largeobject_metadata')).toMatchObject({
    rows: { added: 1, removed: 1, changed: 1 },
    sample: { added: [{ oid: '9' }], removed: [{ oid: '8' }], changed: [{ oid: '7' }] },
  });
  expect(table(told, 'stays')).toMatchObject({ state: 'same' });

  const text = await run('compare', 'acme');
  expect(text.code).toBe(1);
  expect(text.stdout).toMatch(/public\.orders +5000 +4962 +2 +40 +3\n {4}added: id=\d+, id=\d+\n/);
  expect(text.stdout).toContain('column kind: integer became bigint');
  expect(text.stdout).not.toContain('public.stays');
});

test('a restore shows what it would undo before it swaps', async () => {
  await server().query('create database seen');
  await on("create table t (id text primary key); insert into t values (E'a\\x1b[31m'), ('b')", 'seen');
  await run('dump', 'seen');
  await on('truncate t', 'seen');
  const ran = await run('restore', 'seen', ['--show-changes', '--confirm', 'seen', '--json']);
  expect(ran).toMatchObject({ code: 0 });
  expect(ran.json()).toMatchObject({ tenant: 'seen' });
  expect(ran.stderr).toMatch(/public\.t +2 +0 +0 +2 +0/);
  // A key that would colour the terminal is written out.
  expect(ran.stderr).toContain('\\u001b[31m');
  expect(ran.stderr).not.toContain('\u001b[31m');
  expect(await on('select count(*)::int as n from t', 'seen')).toEqual([{ n: 2 }]);
});

test('many rows pass through little memory', async () => {
  await server().query('create database many');
  await on(
    'create table t (id) as select generate_series(1, 150000); alter table t add primary key (id)',
    'many',
  );
  await run('dump', 'many');
  await on('delete from t where id % 3 = 0', 'many');
  // Of this program alone: maxRSS would begin with what the process had that it was forked from.
  const peak =
    "import { readFileSync } from 'node:fs'; process.on('exit', () => process.stderr.write('peak ' + /VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]))";
  const where = ['--server', server().url, '--store', work.store, '--key-file', work.key];
  const ran = await runCli(['compare', 'many', ...where, '--json'], {
    env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(peak)}` },
  });
  expect(table(ran.json(), 't')).toMatchObject({ rows: { added: 0, removed: 50_000, changed: 0 } });
  expect(Number(/peak (\d+)$/.exec(ran.stderr)![1]) / 1024).toBeLessThan(200);
});

test('a live database that is gone has nothing to be compared with', async () => {
  await server().query('create database gone');
  await run('dump', 'gone');
  await server().query('drop database gone');
  const ran = await run('compare', 'gone');
  expect(ran).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('nothing to compare') });
  expect(await server().query("select datname from pg_database where datname like 'gone%'")).toEqual([]);
});

test('a schema: the same under its own names, and what became of it since', async () => {
  await server().query('create database shared');
  await on(
    `create schema acme; create schema other; create table other.t (id int primary key);
     create type acme.mood as enum ('good', 'bad');
     create table acme.orders (id serial primary key, note text default 'see acme.orders', mood acme.mood default 'good');
     insert into acme.orders (note) select md5(n::text) from generate_series(1, 500) n;
     create table acme.stays (id int primary key)`,
    'shared',
  );
  const at = ['--database', 'shared'];
  expect(await run('dump', 'acme', [...at, '--tenancy', 'schema'])).toMatchObject({ code: 0 });
  const same = await run('compare', 'acme', ['--json']);
  expect(same).toMatchObject({ code: 0 });
  expect(same.json<Comparison>()).toMatchObject({ same: true, database: 'shared' });
  expect(same.json<Comparison>().tables.map(({ schema, name }) => `${schema}.${name}`)).toEqual([
    'acme.orders',
    'acme.stays',
  ]);
  await on(
    `delete from acme.orders where id <= 3; update acme.orders set mood = 'bad' where id in (7, 8);
     create table acme.fresh as select 1 as n; insert into other.t values (1);
     alter table acme.stays alter column id type bigint, add column m acme.mood`,
    'shared',
  );
  const { code, stdout } = await run('compare', 'acme', ['--json']);
  expect(code).toBe(1);
  const told = JSON.parse(stdout) as Comparison;
  expect(table(told, 'orders')).toMatchObject({
    rows: { added: 0, removed: 3, changed: 2 },
    columns: [],
    sample: { changed: [{ id: expect.stringMatching(/[78]/) }, { id: expect.stringMatching(/[78]/) }] },
  });
  expect(table(told, 'fresh')).toMatchObject({ state: 'added', liveRows: 1 });
  expect(table(told, 'stays')).toMatchObject({
    columns: [
      { name: 'id', archive: 'integer not null', live: 'bigint not null' },
      { name: 'm', archive: null, live: 'acme.mood' },
    ],
  });
  expect(told.tables).toHaveLength(3);
  expect(await on(`select nspname from pg_namespace where nspname ~ 'restore|aside'`, 'shared')).toEqual([]);
  const shown = await run('restore', 'acme', ['--show-changes', '--confirm', 'acme']);
  expect(shown).toMatchObject({ code: 0, stderr: expect.stringMatching(/acme\.orders +500 +497 +0 +3 +2/) });
});

test('in a narrow terminal the numbers of a long name stand below it, and all fits', async () => {
  const name = 'a_table_with_a_name_that_is_nearly_as_long_as_a_name_may_be';
  await server().query('create database narrow');
  await on(`create table ${name} (id bigint primary key); create table short (id int primary key)`, 'narrow');
  expect(await run('dump', 'narrow')).toMatchObject({ code: 0 });
  await on(`insert into ${name} select generate_series(1, 5); insert into short values (1)`, 'narrow');
  const place = ['--server', server().url, '--store', work.store, '--key-file', work.key];
  const { code, lines } = await inTerminal(80, ['compare', 'narrow', ...place]);
  expect(code).toBe(1);
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  const at = lines.indexOf(`public.${name}`);
  expect(lines.slice(at, at + 3)).toEqual([
    `public.${name}`,
    expect.stringMatching(/^ +0 +5 +5 +0 +0$/),
    expect.stringMatching(/^ {4}added: (id=[1-5](, |$)){5}/),
  ]);
  expect((await run('compare', 'narrow')).stdout).toMatch(new RegExp(`^public.${name} +0 +5 +5 +0 +0$`, 'm'));
  const { lines: tenants } = await inTerminal(80, ['tenants', '--server', server().url]);
  expect(tenants).toContainEqual(expect.stringMatching(/^narrow +\S+ [kM]B$/));
});
