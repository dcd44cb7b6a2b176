// What `compare` and `restore --show-changes` tell of one tenant of shared tables, on both engines.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { ok, runCli } from '../support/cli';
import * as mariadb from '../support/mariadb-shared';
import { databases, quoted } from '../support/mariadb-tenants';
import { described, useShared } from '../support/shared-engines';
import type { Workspace } from '../support/tenants';

interface Table {
  schema: string;
  name: string;
  state: string;
  rows: { added: number; removed: number; changed: number };
  [field: string]: unknown;
}
interface Comparison {
  same: boolean;
  tables: Table[];
}

const HOSTILE = ["o'neil\\", '"; drop table notes; -- ', '\\N', '日本\u202e🐢'];
const shared = useShared({ settings: { 'sql-mode': 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES' } });
const { onPostgres, onMariadb } = shared;

const engines = {
  postgresql: {
    ...shared.postgresql,
    schema: 'public',
    hard: 'Order lines; drop table x',
    quote: (name: string) => `"${name}"`,
    hour: (hours: number) => `'2026-07-01'::timestamptz + make_interval(hours => ${hours})`,
    /** Databases, schemas and locks: whatever a comparison could leave. */
    traces: () =>
      onPostgres().query(
        `select (select array_agg(datname order by 1) from pg_database) as databases, (select array_agg(nspname order by 1)
           from pg_namespace where nspname !~ '^pg_(toast_)?temp') as schemas`,
        [],
        'app',
      ),
  },
  mariadb: {
    ...shared.mariadb,
    schema: 'app',
    hard: mariadb.HARD_NAME,
    quote: quoted,
    hour: (hours: number) => `'2026-07-01' + interval ${hours} hour`,
    traces: () => databases(onMariadb()),
  },
};

describe.each(['postgresql', 'mariadb'] as const)('%s', (name) => {
  const { schema, hard, quote, hour, server, create, run, rowsOf, traces, ...engine } = engines[name];
  let work: Workspace;
  let file: string;
  beforeAll(async () => {
    work = await engine.workspace();
    await create('app');
    file = await described(work, server());
    ok(await work.dump('3', rows()));
  });
  afterAll(() => work?.remove());

  const rows = (...args: string[]) => ['--database', 'app', '--tenancy-file', file, ...args];
  const command = (args: string[]) =>
    runCli([
      ...['compare', '--server', server().url, '--store', work.store, '--key-file', work.key],
      ...args,
    ]);

  /** Checked against the shipped schema; rows and whatever else a comparison could leave are as before. */
  async function compare(args: string[], database = 'app') {
    const before = [await rowsOf(database), await traces()];
    const ran = await command(['--json', ...args]);
    if (ran.stdout === '') throw new Error(ran.stderr);
    const path = join(__dirname, '../../schema/comparison.schema.json');
    const validate = new Ajv({ allowUnionTypes: true }).compile(JSON.parse(readFileSync(path, 'utf8')));
    expect(validate(ran.json()) ? [] : validate.errors).toEqual([]);
    expect([await rowsOf(database), await traces()]).toEqual(before);
    const told = ran.json<Comparison>();
    const of = (table: string) => told.tables.find((each) => each.name === table);
    return { code: ran.code, told, of };
  }

  test('tells what became of the tenant’s rows, and nothing of others’', async () => {
    // The description is in the archive.
    expect(await compare(['3'])).toMatchObject({ code: 0, told: { same: true } });
    await run(`
      update users set email = 'other' where tenant_id = 2; delete from events where tenant_id = 2;
      insert into events values (1, ${hour(0)}, 'of another tenant'); delete from members where group_id = 50 and id > 501`);
    const { code, told } = await compare(['3']);
    expect({ code, same: told.same }).toEqual({ code: 0, same: true });
    expect(told.tables.map(({ schema: in_ }) => in_)).toEqual(told.tables.map(() => schema));
    expect(told.tables.map((each) => each.name)).not.toContain('countries');

    await run(`
      delete from ${quote(hard)} where order_tenant = 3 and line = 4; update users set email = 'gone' where tenant_id = 3;
      update orders set user_id = null where tenant_id = 3 and day > '2026-01-05'; delete from events where tenant_id = 3;
      insert into events values (3, ${hour(1)}, 'new');
      insert into members values (3001, 30, 'n')`);
    const { of, ...changed } = await compare(['3', '--sample', '2']);
    expect(changed).toMatchObject({ code: 1, told: { same: false } });
    expect(of('events')).toMatchObject({
      state: 'changed',
      archiveRows: 40,
      liveRows: 1,
      rows: { added: 1, removed: 40, changed: 0 },
      key: ['tenant_id', 'at'],
      columns: [],
    });
    expect((of('events')!.sample as { removed: unknown[] }).removed).toHaveLength(2);
    expect(of('users')).toMatchObject({ archiveRows: 4, rows: { added: 0, removed: 0, changed: 4 } });
    expect(of('orders')).toMatchObject({ rows: { added: 0, removed: 0, changed: 1 } });
    expect(of(hard)).toMatchObject({ archiveRows: 20, rows: { added: 0, removed: 5, changed: 0 } });
    expect(of('members')).toMatchObject({
      rows: { added: 1, removed: 0, changed: 0 },
      sample: { added: [{ id: '3001' }], removed: [], changed: [] },
    });
    expect(of('tenants')).toMatchObject({ state: 'same', archiveRows: 1, liveRows: 1 });

    const said = await command(['3']);
    expect(said.code).toBe(1);
    expect(said.stdout).toContain('added: id=3001');
    expect(said.stdout).not.toContain('.tenants');
  });

  test('a restore shows what it would undo, then undoes it', async () => {
    const restored = ok(await work.restore('3', rows('--show-changes')));
    expect(restored.stderr).toMatch(/\.events +40 +1 +1 +40 +0/);
    expect(restored.stderr).toContain('added: id=3001');
    expect(await compare(['3'])).toMatchObject({ code: 0, told: { same: true } });
  });

  test('tables that have changed: columns are told, and so is a table of which nobody has rows', async () => {
    await run(
      `alter table members add added int default 7; create table fresh (tenant_id bigint not null primary key)`,
    );
    const wider = await described(work, server());
    const { code, of } = await compare(['3', '--database', 'app', '--tenancy-file', wider]);
    expect(code).toBe(1);
    expect(of('members')).toMatchObject({
      state: 'changed',
      rows: { added: 0, removed: 0, changed: 0 },
      columns: [{ name: 'added', archive: null, live: expect.stringMatching(/^int/) }],
    });
    expect(of('fresh')).toMatchObject({ state: 'added', archiveRows: null, liveRows: 0 });
    // What a restore would refuse is no comparison either.
    await run('insert into fresh values (3)');
    const refused = await command(['3', '--database', 'app', '--tenancy-file', wider]);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('fresh is not in the archive, and the tenant has 1 rows in it');
    await run('drop table fresh; alter table members drop added');
  });

  test('of a wrong tenant, or of a table that nobody described, nothing is told', async () => {
    const other = await command(['3', ...rows('--tenant-value', '2')]);
    expect(other).toMatchObject({ code: 2, stdout: '' });
    expect(other.stderr).toContain('is of the rows of "3", and the rows of "2" was asked for');
    await run('create table newcomer (tenant_id bigint)');
    const unknown = await command(['3']);
    expect(unknown).toMatchObject({ code: 2, stdout: '' });
    expect(unknown.stderr).toContain('newcomer is not in the description');
    await run('drop table newcomer');
  });

  test('hostile values, and rows without a key', async () => {
    const text = (value: string) =>
      name === 'mariadb' ? `'${value.replace(/[\\']/g, '\\$&')}'` : `'${value.replaceAll("'", "''")}'`;
    await run(`create database texts ${name === 'mariadb' ? 'default character set utf8mb4' : ''}`);
    await run(
      `create table notes (id varchar(50) primary key, tenant varchar(50) not null, body text, f float4);
       create index by_tenant on notes (tenant); create table plain (tenant varchar(50) not null, v text);
       create index by_tenant2 on plain (tenant);
       ${HOSTILE.map(
         (value, at) =>
           `insert into notes values (${text(`${value}\u001b[31m1`)}, ${text(value)}, ${text(value)}, 0.1), (${text(`${value}2`)}, ${text(value)}, null, 16777216);
            insert into plain values (${text(value)}, ${text(value)}), (${text(value)}, ${text(value)}), (${text(value)}, '${at}')`,
       ).join(';')}`.replaceAll('float4', name === 'mariadb' ? 'float' : 'real'),
      'texts',
    );
    const texts = await described(work, server(), { database: 'texts', column: 'tenant' });
    for (const [at, value] of HOSTILE.entries()) {
      const of = ['--database', 'texts', '--tenancy-file', texts, `--tenant-value=${value}`];
      ok(await work.dump(`hostile${at}`, of));
      expect(await compare([`hostile${at}`, ...of], 'texts')).toMatchObject({ code: 0 });
      await run(
        `update notes set body = '' where body is null and tenant = ${text(value)};
         update notes set f = 16777217 where f > 1 and tenant = ${text(value)};
         update notes set f = 0.10000001 where f < 1 and tenant = ${text(value)};
         delete from plain where tenant = ${text(value)} and v = '${at}'; insert into plain values (${text(value)}, ${text(value)})`,
        'texts',
      );
      const told = await compare([`hostile${at}`, ...of], 'texts');
      // 0.1 and 0.10000001 are two floats; 16777216 and 16777217 are one.
      expect(told.of('notes')).toMatchObject({
        rows: { added: 0, removed: 0, changed: 2 },
        sample: { changed: expect.arrayContaining([{ id: `${value}\u001b[31m1` }, { id: `${value}2` }]) },
      });
      expect(told.of('plain')).toMatchObject({ key: null, rows: { added: 1, removed: 1, changed: 0 } });
      if (at < HOSTILE.length - 1) continue;
      const said = await command([`hostile${at}`, ...of]);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: keys must not steer a terminal
      expect(said.stdout).not.toMatch(/[\u001b\u202e]/);
    }
  });
});
