// What is in a database comes back as it was, for a superuser and for the role of a managed service that is none.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { usePostgres } from '../support/postgres';
import { fingerprint, type Workspace, workspace } from '../support/tenants';

const server = usePostgres();
let work: Workspace;
beforeAll(async () => {
  work = await workspace(server);
});
afterAll(() => work?.remove());

const EVERYTHING = `
  create role reader_of_all nologin;
  create schema "Odd ""Schema""";
  create table "Odd ""Schema"""."Tab;le 'x'" ("co""l" int, "日本" text);
  insert into "Odd ""Schema"""."Tab;le 'x'" values (1, E'tab\\tnew\\nline\\\\');
  create sequence numbers start 41;
  select nextval('numbers'), nextval('numbers');
  create table people (
    id bigint generated always as identity primary key, name text not null,
    lower_name text generated always as (lower(name)) stored, born date, photo bytea, tags text[], doc jsonb);
  insert into people (name, born, photo, tags, doc)
    select 'Né ' || n, date '2000-01-01' + n, decode(md5(n::text), 'hex'), array['a', n::text], jsonb_build_object('n', n)
    from generate_series(1, 500) n;
  create table events (at date not null, what text) partition by range (at);
  create table events_2025 partition of events for values from ('2025-01-01') to ('2026-01-01');
  create table events_rest partition of events default;
  insert into events select date '2025-12-01' + n, 'e' || n from generate_series(1, 100) n;
  create table parent (a int);
  create table child (b int) inherits (parent);
  insert into parent values (1); insert into child values (2, 3);
  create unlogged table scratch as select 1 as x;
  create view grown as select * from people where born < '2001-01-01';
  create materialized view counted as select count(*) from people;
  create materialized view unpopulated as select 1 as one with no data;
  create function double(int) returns int language sql immutable as 'select $1 * 2';
  create function note() returns trigger language plpgsql as 'begin new.name := new.name || ''!''; return new; end';
  create trigger noting before insert on people for each row execute function note();
  create type mood as enum ('ok', 'odd'); create domain positive as int check (value > 0);
  alter table people enable row level security; alter table people force row level security;
  create policy own on people using (name like 'N%');
  comment on table people is 'it''s people';
  grant select on people to reader_of_all; alter default privileges grant select on tables to reader_of_all;
  create index on people (lower_name) where born is not null;
  create statistics together on name, born from people;
  select lo_from_bytea(0, 'a large object');
  create extension hstore version '1.4';
  create table own as select 1 as n; create materialized view own_counted as select count(*) from own;
  alter table own owner to reader_of_all; alter materialized view own_counted owner to reader_of_all;
  alter table own enable row level security; alter table own force row level security;
  create policy all_of_it on own using (true);
`;

/** What an application may have set for itself: it changes how dates, strings and names are written, and plans. */
const SETTINGS = `
  alter database full_one set datestyle = 'German'; alter database full_one set quote_all_identifiers = on;
  alter database full_one set standard_conforming_strings = off; alter database full_one set enable_seqscan = off;
  alter database full_one set default_transaction_isolation = 'serializable';
  alter database full_one set "app.jwt_secret" = 'hush hush'; alter database full_one set client_encoding = 'LATIN1';
`;

test('everything that a database can hold', async () => {
  await server().query('create database full_one');
  await server().query(EVERYTHING, undefined, 'full_one');
  await server().query('grant connect on database full_one to reader_of_all');
  const before = await fingerprint(server(), 'full_one');
  await server().query(SETTINGS);
  const dumped = await work.dump('full_one');
  expect(dumped).toMatchObject({ code: 0 });
  const { archive } = dumped.json<{ archive: string }>();
  const manifest = await readFile(join(work.store, 'local/full_one', archive, 'manifest.json'), 'utf8');
  expect(manifest).toMatch(/"datestyle=German"/i);
  expect(manifest).toContain('the value of setting app.jwt_secret');
  expect(manifest).not.toContain('hush');
  const { tables } = dumped.json<{ tables: { schema: string; name: string; rows: number }[] }>();
  const rows = Object.fromEntries(tables.map(({ schema, name, rows }) => [`${schema}.${name}`, rows]));
  expect(rows).toEqual({
    'Odd "Schema".Tab;le \'x\'': 1,
    'public.people': 500,
    'public.events_2025': 30,
    'public.events_rest': 70,
    'public.parent': 1,
    'public.child': 1,
    'public.scratch': 1,
    'public.own': 1,
    'pg_catalog.pg_largeobject_metadata': 1,
  });
  const restored = await work.restore('full_one');
  expect(restored).toMatchObject({ code: 0 });
  expect(restored.json()).toMatchObject({
    warnings: [expect.stringMatching(/^extension hstore has version \S+ now, and had 1\.4 in the archive$/)],
  });
  const settings = await server().query(
    `select setconfig::text from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
     where datname = 'full_one' or datname like 'full\\_one\\_\\_undo%'`,
  );
  expect(settings).toHaveLength(2);
  expect(settings[0]).toEqual(settings[1]);
  await server().query('alter database full_one reset all');
  expect(await fingerprint(server(), 'full_one')).toBe(before);
  const [acl] = await server().query<{ datacl: string }>(
    "select datacl::text from pg_database where datname = 'full_one'",
  );
  expect(acl!.datacl).toContain('reader_of_all=c/postgres');
});

test('a materialized view that cannot be computed stands in the way of no restore', async () => {
  await server().query('create database derived');
  await server().query(
    `create role without_rights; create table t as select 1 as n; create function total() returns int language plpgsql as 'begin return (select sum(n) from public.t); end';
     create materialized view by_path as select public.total() as total;
     create or replace function total() returns int language plpgsql as 'begin return (select sum(n) from t); end'; create materialized view on_it as select * from by_path;
     create materialized view denied as select * from t; alter materialized view denied owner to without_rights;
     create table zero (n int); create materialized view shares as select 1 / n as share from zero; insert into zero values (0);
     create table said (word text); create materialized view numbers as select word::int as n from said; insert into said values ('a secret')`,
    [],
    'derived',
  );
  expect(await work.dump('derived')).toMatchObject({ code: 0 });
  const restored = await work.restore('derived');
  expect(restored).toMatchObject({ code: 0 });
  const left = (view: string, reason: string) =>
    `materialized view public.${view} could not be computed and is empty, until REFRESH MATERIALIZED VIEW can be run: ${reason}`;
  const { warnings } = restored.json<{ warnings: string[] }>();
  expect(warnings).toContain(left('denied', 'permission denied for table t'));
  expect(warnings).toContain(left('shares', 'division by zero'));
  expect(warnings).toContain(left('numbers', 'invalid input syntax for type integer'));
  expect(warnings).toContain(left('by_path', 'relation "t" does not exist'));
  expect(warnings.join()).toContain(left('on_it', 'materialized view "by_path" has not been populated'));
});

test('what expressions mean, they mean under the settings of the database', async () => {
  await server().query('create database local');
  await server().query(
    `alter database local set timezone = 'Asia/Kolkata'; alter database local set default_text_search_config = 'german';
     alter database local set "app.region" = 'south'`,
  );
  await server().query(
    `create table visits (at timestamptz, day date check (day = at::date), region text check (region = current_setting('app.region')), said text);
     insert into visits values ('2026-01-01 20:00Z', '2026-01-02', 'south', 'die Häuser');
     create materialized view searched as select at::date as day, to_tsvector(said) as words from visits`,
    [],
    'local',
  );
  const computed = () =>
    server().query(
      'select day::text, words::text, current_setting($1) as region from searched',
      ['app.region'],
      'local',
    );
  const before = await computed();
  expect(before).toEqual([{ day: '2026-01-02', words: "'haus':2", region: 'south' }]);
  expect(await work.dump('local')).toMatchObject({ code: 0 });
  expect(await work.restore('local')).toMatchObject({ code: 0 });
  expect(await computed()).toEqual(before);
});

test('a text search configuration of its own comes too late for materialized views, which is told', async () => {
  await server().query('create database worded');
  await server().query(
    `create text search configuration words (copy = german); alter database worded set default_text_search_config = 'public.words';
     create materialized view searched as select to_tsvector('die Häuser') as words; create materialized view plain as select 1`,
    [],
    'worded',
  );
  expect(await work.dump('worded')).toMatchObject({ code: 0 });
  const { warnings } = (await work.restore('worded')).json<{ warnings: string[] }>();
  expect(warnings.join()).toMatch(
    /configuration is public\.words, .*REFRESH those that do not name one: public\.searched$/,
  );
});

test('what pg_dump leaves out without a word is told', async () => {
  await server().query('create database left_out');
  await server().query(
    `create extension hstore; create table adopted (id int); insert into adopted values (1); alter extension hstore add table adopted;
     create function pg_catalog.of_ours() returns int language sql as 'select 1'`,
    [],
    'left_out',
  );
  const dumped = await work.dump('left_out');
  expect(dumped).toMatchObject({ code: 0 });
  expect(dumped.stderr).toContain('the rows of table public.adopted (it belongs to extension hstore');
  expect(dumped.stderr).toMatch(
    /function (pg_catalog\.)?of_ours\(\) \(it lies in a schema of the server's own/,
  );
  await server().query('drop function pg_catalog.of_ours()', [], 'left_out');
});

test('what does not fit is told without the row', async () => {
  await server().query('create database unfit');
  await server().query(
    `create table secrets (id int primary key, said text check (current_database() = 'unfit')); insert into secrets values (1, 'hush hush')`,
    [],
    'unfit',
  );
  expect(await work.dump('unfit')).toMatchObject({ code: 0 });
  const restored = await work.restore('unfit');
  expect(restored).toMatchObject({ code: 3 });
  expect(restored.stderr).toContain('violates check constraint "secrets_check"');
  expect(restored.stderr).not.toContain('hush');
});

test('an empty database, and one that somebody has made anew meanwhile', async () => {
  await server().query('create database hollow');
  await server().query(
    `alter database hollow set "app.key" = 'x'; alter database hollow set work_mem = '5MB'`,
  );
  const before = await fingerprint(server(), 'hollow');
  expect((await work.dump('hollow')).json()).toMatchObject({ tables: [] });
  expect(await work.restore('hollow')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('"tables": []'),
  });
  expect(await fingerprint(server(), 'hollow')).toBe(before);
  await server().query('drop database hollow');
  expect((await work.restore('hollow')).json()).toMatchObject({
    warnings: ['setting app.key has to be made anew: its value is not in the archive'],
  });
  await server().query('drop database hollow');
  await server().query(`create database hollow encoding 'LATIN1' template template0`);
  const { warnings } = (await work.restore('hollow')).json<{ warnings: string[] }>();
  expect(warnings).toContain(
    'the encoding is that of the live database, "LATIN1"; in the archive it is "UTF8"',
  );
  expect(warnings.join()).toMatch(/settings .* are those of the live one/);
});

describe('as an owner with CREATEDB, not superuser', () => {
  let managed: Workspace;
  beforeAll(async () => {
    await server().query('create role app login createdb');
    await server().query('create database managed owner app');
    managed = await workspace(server, 'app');
  });
  afterAll(() => managed?.remove());

  test('dump, restore and undo work', async () => {
    await server().query('set role app; create table t as select generate_series(1, 10) as n', [], 'managed');
    const before = await fingerprint(server(), 'managed');
    expect(await managed.dump('managed')).toMatchObject({ code: 0 });
    await server().query('drop table t', [], 'managed');
    const restored = await managed.restore('managed');
    expect(restored).toMatchObject({ code: 0 });
    expect(restored.json()).toMatchObject({ warnings: [] });
    expect(await fingerprint(server(), 'managed')).toBe(before);
    expect(await managed.undo('managed')).toMatchObject({ code: 0 });
    expect(await server().query("select 1 from pg_class where relname = 't'", [], 'managed')).toEqual([]);
    await managed.undo('managed');
  });

  test('a session that it may not end keeps the swap out, and live stays', async () => {
    const before = await fingerprint(server(), 'managed');
    const holder = await server().connect('managed');
    const restored = await managed.restore('managed');
    await holder.end();
    expect(restored).toMatchObject({ code: 3, stdout: '' });
    expect(restored.stderr).toMatch(/still connected: postgres/);
    expect(await fingerprint(server(), 'managed')).toBe(before);
    expect(
      await server().query("select datname from pg_database where datname like 'managed\\_\\_restore%'"),
    ).toEqual([]);
  });

  test('row-level security never empties a dump silently', async () => {
    await server().query(
      `create table hidden as select 1 as x; alter table hidden enable row level security; grant select on hidden to app`,
      [],
      'managed',
    );
    const dumped = await managed.dump('managed');
    expect(dumped).toMatchObject({ code: 3, stdout: '' });
    expect(dumped.stderr).toMatch(/row-level security/);
    await server().query('drop table hidden', [], 'managed');
  });
});
