// Checksums of what is in MariaDB's tables: what they see and do not mind, what a restore makes of them; and `compare`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { bundled } from '../support/bundled';
import { useMariadb } from '../support/mariadb';
import { content, databases, mariadbWorkspace, runCli } from '../support/mariadb-tenants';
import type * as Reseal from '../support/reseal';
import type { Workspace } from '../support/tenants';

const { reseal } = bundled<typeof Reseal>('test/support/reseal.ts');
// MySQL would rename tables with and without transactions in one statement no more.
const server = useMariadb({
  settings: { 'loose-gtid-mode': 'OFF', 'loose-enforce-gtid-consistency': 'OFF' },
});
let work: Workspace;
beforeAll(async () => {
  work = await mariadbWorkspace(server);
  await server().query('create database typed character set latin1');
  await query(TYPED);
  for (const [name, { table, rows }] of Object.entries(SEEN))
    await query(`create table ${name} (${table}) engine=InnoDB; insert into ${name} values ${rows}`);
});
afterAll(() => work?.remove());

const query = (sql: string) => server().query(sql, 'typed');
const valid = (schema: string, value: unknown) => {
  const text = readFileSync(join(__dirname, `../../schema/${schema}.schema.json`), 'utf8');
  const validate = new Ajv({ allowUnionTypes: true }).compile(JSON.parse(text));
  expect(validate(value) ? [] : validate.errors).toEqual([]);
};

const TYPED = `
  set sql_mode = '', time_zone = '+05:00';
  create table every (
    id int auto_increment primary key, whole bigint unsigned, exact decimal(30,10), f float, d double, day date,
    at datetime(6), stamp timestamp(3) null, span time(2), yr year, fixed char(8), narrow varchar(20) character set latin1,
    wide text character set utf8mb4 collate utf8mb4_bin, bytes longblob, four binary(4), bits bit(9),
    kind enum('a', 'it''s'), flags set('x', 'y'), doc json, place geometry,
    kept int generated always as (yr * 2) stored, virt int as (yr * 3) virtual) engine=InnoDB;
  insert into every (whole, exact, f, d, day, at, stamp, span, yr, fixed, narrow, wide, bytes, four, bits, kind, flags, doc, place)
  values
    (18446744073709551615, -99999999999999999999.5, 0.1, 1e0 / 7, '0000-00-00', '2026-02-03 04:05:06.789012', '2026-02-03 04:05:06.789',
     '-26:07:08.9', 2026, 'x ', 'é', '🎉 it''s \\\\ \\n', x'00ff270a5c', 'ab', b'100000001', 'it''s', 'x,y', '{"a": [1, "x"]}', point(1, 2)),
    (0, 0, -1.5e-30, 1.7976931348623157e308, '9999-12-31', '2026-01-01', null, '0', 0, '', '', '', '', '', b'0', 'a', '', 'null', null);
  insert into every () values ();
  create table hollow (a int) engine=InnoDB;
  create table flat (a int) engine=MyISAM; insert into flat values (7);
  create table wordy (t longtext); insert into wordy values (repeat('ab;(''', 400000));
  create table digits (few float, \`ma'ny\` float, exact float(9,7));
  insert into digits values (0.1, 16777216, 0.1234567), (-1.5e-30, 1e0 / 3, null), (null, 0.333333, 0);
  create table numbered (n int) engine=InnoDB partition by hash (n) partitions 3; insert into numbered values (1), (2), (3), (4)`;

/** A change that keeps the number of rows, in a table each; the last one changes nothing but their order. */
const SEEN: Record<string, { table: string; rows: string; change: string; unseen?: true }> = {
  values_of_rows: { table: 'a int, b int', rows: '(1, 2), (3, 4)', change: 'update $t set b = 6 - b' },
  values_of_columns: { table: 'a int, b int', rows: '(1, 2)', change: 'update $t set a = 2, b = 1' },
  null_of_column: { table: 'a int, b int', rows: '(1, null)', change: 'update $t set a = null, b = 1' },
  null_or_empty: { table: 'a varchar(9)', rows: '(null)', change: "update $t set a = ''" },
  null_or_word: { table: 'a varchar(9)', rows: '(null)', change: "update $t set a = 'NULL'" },
  boundary: {
    table: 'a varchar(9), b varchar(9)',
    rows: "('x,', 'y')",
    change: "update $t set a = 'x', b = ',y'",
  },
  twins: { table: 'a int', rows: '(1), (1)', change: 'update $t set a = 2' },
  letter_case: {
    table: 'a varchar(9) collate latin1_swedish_ci',
    rows: "('a')",
    change: "update $t set a = 'A'",
  },
  blank: { table: 'a varchar(9)', rows: "('a')", change: "update $t set a = 'a '" },
  one_bit: { table: 'a blob', rows: "(x'00ff')", change: "update $t set a = x'01ff'" },
  fraction: { table: 'a double', rows: '(0.1)', change: 'update $t set a = 0.1 + 1e-16' },
  moment: {
    table: 'a datetime(6)',
    rows: "('2026-01-01')",
    change: 'update $t set a = a + interval 1 microsecond',
  },
  order_of_rows: {
    table: 'a int, b int',
    rows: '(1, 2), (3, 4)',
    change:
      'create temporary table o as select * from $t order by a desc; delete from $t; insert into $t select * from o; drop table o',
    unseen: true,
  },
};

interface Table {
  readonly name: string;
  readonly rows: number;
  readonly checksum?: string;
}

async function dumped(
  args: string[] = [],
): Promise<{ archive: string; tables: Record<string, Table>; stderr: string }> {
  const run = await work.dump('typed', args);
  expect(run).toMatchObject({ code: 0 });
  const { archive, tables } = run.json<{ archive: string; tables: Table[] }>();
  return {
    archive,
    tables: Object.fromEntries(tables.map((table) => [table.name, table])),
    stderr: run.stderr,
  };
}
const lostDigits = ({ omitted }: { omitted: { what: string }[] }) =>
  omitted.map(({ what }) => what).filter((what) => what.startsWith('digits'));
const folderOf = (archive: string) => join(work.store, 'local', 'typed', archive);

test('every table has one, the same after a restore under other settings', async () => {
  const { archive, tables, stderr } = await dumped();
  expect(Object.keys(tables)).toEqual(
    expect.arrayContaining(['every', 'flat', 'hollow', 'numbered', 'wordy']),
  );
  for (const { checksum } of Object.values(tables)) expect(checksum).toMatch(/^\d+$/);
  expect(tables.hollow!.checksum).toBe('0');
  const manifest = JSON.parse(readFileSync(join(folderOf(archive), 'manifest.json'), 'utf8'));
  expect(manifest.checksums).toMatchObject({ method: 'mariadb columns 1' });
  valid('manifest', manifest);
  expect(lostDigits(manifest)).toEqual(["digits beyond the sixth of digits.ma'ny"]);
  expect(stderr).toContain("not in the archive: digits beyond the sixth of digits.ma'ny");

  const before = content(server(), 'typed');
  await server().query(
    `delete from typed.every; set global time_zone = '-09:00', sql_mode = 'PAD_CHAR_TO_FULL_LENGTH,ANSI_QUOTES',
       character_set_server = utf16, div_precision_increment = 9`,
  );
  const restored = await work.restore('typed');
  expect(restored).toMatchObject({ code: 0 });
  expect(restored.json()).toMatchObject({ warnings: [] });
  expect((await dumped()).tables).toEqual(tables);
  await server().query(
    'set global time_zone = default, sql_mode = default, character_set_server = default, div_precision_increment = default',
  );
  expect(content(server(), 'typed')).toBe(before);
});

test('they see every change of content, and not the order of rows', async () => {
  const { tables: before } = await dumped();
  for (const [name, { change }] of Object.entries(SEEN)) await query(change.replaceAll('$t', name));
  const { tables: after } = await dumped();
  const changed = Object.keys(before).filter((name) => after[name]!.checksum !== before[name]!.checksum);
  expect(changed.sort()).toEqual(
    Object.keys(SEEN)
      .filter((name) => !SEEN[name]!.unseen)
      .sort(),
  );
  for (const name of Object.keys(before)) expect(after[name]!.rows).toBe(before[name]!.rows);
});

test('a copy whose content is another is not swapped in, unless rows alone are to be compared', async () => {
  const { archive } = await dumped();
  await reseal(folderOf(archive), work.key, (manifest) => ({
    ...manifest,
    tables: manifest.tables.map((table) => (table.name === 'twins' ? { ...table, checksum: '123' } : table)),
  }));
  const names = await databases(server());
  const refused = await work.restore('typed');
  expect(refused).toMatchObject({ code: 3, stdout: '' });
  expect(refused.stderr).toContain(
    'typed.twins has the right number of rows, but their content is another; the live database was not touched',
  );
  expect(await databases(server())).toEqual(names);
  expect(await work.restore('typed', ['--checksums', 'rows'])).toMatchObject({ code: 0 });
});

test('what the server computed in another time zone than UTC is named', async () => {
  const omitted = async (zone: string) => {
    await server().query(
      `drop database if exists zoned; create database zoned; use zoned; set time_zone = '${zone}';
       create table t (id int primary key, at timestamp not null, day date as (cast(at as date)) stored, seen date as (cast(at as date)) virtual,
         twice int as (id * 2) stored);
       insert into t (id, at) values (1, '2026-01-02 01:00:00')`,
    );
    return (await work.dump('zoned')).stderr;
  };
  expect(await omitted('+05:30')).toMatch(
    /not in the archive: .*the stored values of t\.day \(a restore computes them anew/,
  );
  expect(await omitted('+00:00')).not.toContain('stored values');
  const description = join(work.folder, 'zoned.yaml');
  writeFileSync(description, 'schemaVersion: 1\ntables: [{ table: t, column: id }]\n');
  const rows = await work.dump('1', ['--database', 'zoned', '--tenancy-file', description]);
  expect(rows.stderr).toContain(
    'the stored values of t.day, where they differ (a restore computes them anew',
  );
  expect(rows.stderr).not.toContain('t.twice');
});

test('a server that hashes otherwise compares rows alone, and says so; a dump may be of rows alone', async () => {
  const { archive } = await dumped();
  await reseal(folderOf(archive), work.key, (manifest) => ({
    ...manifest,
    checksums: { ...manifest.checksums!, probe: '0' },
  }));
  const restored = await work.restore('typed');
  expect(restored).toMatchObject({ code: 0 });
  expect(restored.stderr).toContain('this server hashes in another way');

  const { archive: plain, tables } = await dumped(['--checksums', 'rows']);
  expect(tables.twins).toEqual({ schema: 'typed', name: 'twins', rows: 2 });
  const manifest = readFileSync(join(folderOf(plain), 'manifest.json'), 'utf8');
  expect(manifest).not.toContain('checksum');
  // What nobody looked at may lose something.
  expect(lostDigits(JSON.parse(manifest))).toContain('digits beyond the sixth of every.f, where it has any');
});

describe('compare', () => {
  interface Comparison {
    same: boolean;
    tables: { schema: string; name: string; state: string; [field: string]: unknown }[];
  }
  const run = (tenant: string, args: string[] = []) =>
    runCli([
      'compare',
      tenant,
      '--server',
      server().url,
      '--store',
      work.store,
      '--key-file',
      work.key,
      ...args,
    ]);
  /** Checked against the shipped schema; the live database and the list of databases are as before. */
  async function compare(args: string[] = []): Promise<{ code: number | null; told: Comparison }> {
    const before = [content(server(), 'shop'), await databases(server())];
    const ran = await run('shop', ['--json', ...args]);
    if (ran.stdout === '') throw new Error(ran.stderr);
    valid('comparison', ran.json());
    expect([content(server(), 'shop'), await databases(server())]).toEqual(before);
    return { code: ran.code, told: ran.json() };
  }

  test('rows added, removed and changed, tables and columns that came and went', async () => {
    await server().query(
      `create database shop; use shop;
       create table orders (id bigint unsigned primary key, note text, at timestamp(6) null) engine=InnoDB;
       insert into orders with recursive n as (select 1 as i union all select i + 1 from n where i < 900) select i, left(sha2(i, 256), 32), now() from n;
       create table uses (a int, b varchar(20) character set latin1, c double, big longblob, primary key (b, a)) engine=InnoDB;
       insert into uses values (1, 'é', 0.1, repeat('x', 3000000)), (2, 'é', 0.1, repeat('x', 3000000)), (1, 'f', null, '');
       create table bytes (id binary(3), bit1 bit(9), n int, primary key (id, bit1)) engine=InnoDB; insert into bytes values (x'00ff80', b'1', 1);
       create table plain (v varchar(9), k int default 1) engine=InnoDB; insert into plain (v) values ('twice'), ('twice'), ('once');
       create table \`old \`\`t\` (x int) engine=InnoDB; insert into \`old \`\`t\` values (1);
       create table cols (id int primary key, gone text, kind int, kept int default 3) engine=InnoDB; insert into cols values (1, 'a', 2, 3);
       create table stays (id int primary key, doc json, twice int as (id * 2) stored) engine=InnoDB; insert into stays (id, doc) values (1, '{"a": 1}');
       create view seen as select * from stays`,
    );
    expect(await work.dump('shop')).toMatchObject({ code: 0 });
    expect(await compare()).toMatchObject({ code: 0, told: { same: true } });

    await server().query(
      `use shop;
       delete from orders where id <= 40; update orders set note = 'edited' where id in (50, 51, 52);
       insert into orders (id) values (9007199254740993), (18446744073709551615);
       update uses set big = concat(substr(big, 2), 'y') where a = 1 and b = 'é';
       update bytes set n = 2;
       insert into plain (v) values ('once'); delete from plain where v = 'twice' limit 1;
       drop table \`old \`\`t\`; create table fresh (x int); insert into fresh values (1), (2);
       alter table cols drop column gone, add column extra varchar(9) collate utf8mb4_bin not null default 'x', modify kind bigint`,
    );
    const { code, told } = await compare(['--sample', '2']);
    expect([code, told.same]).toEqual([1, false]);
    expect(new Set(told.tables.map(({ schema }) => schema))).toEqual(new Set(['shop']));
    const table = (name: string) => told.tables.find((each) => each.name === name);
    expect(table('orders')).toMatchObject({
      state: 'changed',
      archiveRows: 900,
      liveRows: 862,
      rows: { added: 2, removed: 40, changed: 3 },
      key: ['id'],
      columns: [],
      sample: {
        added: expect.arrayContaining([{ id: '9007199254740993' }, { id: '18446744073709551615' }]),
        removed: [{ id: expect.any(String) }, { id: expect.any(String) }],
        changed: [{ id: expect.stringMatching(/^5[012]$/) }, { id: expect.stringMatching(/^5[012]$/) }],
      },
    });
    expect(table('uses')).toMatchObject({
      rows: { added: 0, removed: 0, changed: 1 },
      key: ['b', 'a'],
      sample: { changed: [{ a: '1', b: 'é' }] },
    });
    expect(table('bytes')).toMatchObject({ sample: { changed: [{ id: '0x00FF80', bit1: '0x1' }] } });
    expect(table('plain')).toMatchObject({ rows: { added: 1, removed: 1, changed: 0 }, key: null });
    expect(table('old `t')).toMatchObject({ state: 'removed', archiveRows: 1, liveRows: null });
    expect(table('fresh')).toMatchObject({ state: 'added', archiveRows: null, liveRows: 2 });
    expect(table('cols')).toMatchObject({
      state: 'changed',
      rows: { added: 0, removed: 0, changed: 0 },
      columns: [
        { name: 'gone', archive: expect.stringMatching(/^text collate /), live: null },
        { name: 'kind', archive: expect.stringMatching(/^int/), live: expect.stringMatching(/^bigint/) },
        {
          name: 'extra',
          archive: null,
          live: expect.stringMatching(/^varchar\(9\) collate utf8mb4_bin not null default '?x'?$/),
        },
      ],
    });
    expect(table('stays')).toMatchObject({ state: 'same', liveRows: 1 });
    expect(table('seen')).toBeUndefined();

    const text = await run('shop');
    expect(text.code).toBe(1);
    expect(text.stdout).toMatch(/shop\.orders +900 +862 +2 +40 +3\n {4}added: id=\d+, id=\d+\n/);
    expect(text.stdout).not.toContain('shop.stays');
  });

  test('a restore shows what it would undo before it swaps', async () => {
    const ran = await work.restore('shop', ['--show-changes']);
    expect(ran).toMatchObject({ code: 0 });
    expect(ran.stderr).toMatch(/shop\.orders +900 +862 +2 +40 +3/);
    expect(await compare()).toMatchObject({ code: 0, told: { same: true } });
  });

  test('a live database that is gone has nothing to be compared with', async () => {
    await server().query('drop database shop');
    const names = await databases(server());
    expect(await run('shop')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('nothing to compare'),
    });
    expect(await databases(server())).toEqual(names);
  });
});
