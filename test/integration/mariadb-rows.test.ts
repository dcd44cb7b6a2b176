import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { ok, runCli } from '../support/cli';
import { useMariadb } from '../support/mariadb';
import { createShared, HARD_NAME, rowsOf } from '../support/mariadb-shared';
import { databases, mariadbWorkspace, quoted, quotedText } from '../support/mariadb-tenants';
import { reviewed, writeDescription } from '../support/shared';
import type { Workspace } from '../support/tenants';

// Modes in which a careless statement would mean something else, one session for all that is written, and, up to where it is
// set otherwise, no streams of lines.
const server = useMariadb({
  settings: {
    'sql-mode': 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES',
    'local-infile': 'OFF',
    'binlog-format': 'STATEMENT',
  },
});
let work: Workspace;
let file: string;
beforeAll(async () => {
  work = await mariadbWorkspace(server);
  await createShared(server(), 'app');
  file = writeDescription(work.folder, 'tenancy.yaml', reviewed((await infer('app')).stdout));
});
afterAll(() => work?.remove());

const infer = (database: string, column = 'tenant_id') =>
  runCli(['tenancy', 'infer', '--server', server().url, '--database', database, '--column', column]);
const rows = (...args: string[]) => ['--database', 'app', '--tenancy-file', file, ...args];
const undo = ['--database', 'app', '--tenancy', 'rows'];
const run = <R = Record<string, unknown>>(sql: string, database = 'app') =>
  server().query<R>(`set sql_mode = ''; ${sql}`, database);
const nextNumbers = () =>
  run(`select table_name as name, auto_increment as next from information_schema.tables
       where table_schema = 'app' and auto_increment is not null order by 1`);

test('infers whose the rows are, and says what a person has to decide', async () => {
  const inferred = await infer('app');
  expect(inferred.code).toBe(0);
  expect(inferred.stderr).toContain('to decide: schema_migrations');
  // MySQL gives whole numbers no width.
  expect(inferred.stdout.replaceAll('bigint(20)', 'bigint')).toMatchSnapshot();
  const check = ['tenancy', 'check', file, '--server', server().url, '--database', 'app', '--json'];
  expect((await runCli(check)).json()).toMatchObject({
    ok: true,
    problems: [],
    references: ['countries', 'schema_migrations'],
  });
});

test('dumps one tenant and restores it alone, whatever was done to it', async () => {
  await run(
    'insert into tenants values (0, "nought", null); insert into events values (0, "2026-01-02", "e")',
  );
  const before = await rowsOf(server(), 'app');
  const dumped = ok(await work.dump('3', rows()));
  expect(dumped.json<{ tables: unknown[] }>().tables).toContainEqual({
    schema: 'app',
    name: 'events',
    rows: 40,
    checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  const manifest = JSON.parse(
    readFileSync(
      join(work.store, 'local/3', dumped.json<{ archive: string }>().archive, 'manifest.json'),
      'utf8',
    ),
  );
  const schema = readFileSync(join(__dirname, '../../schema/manifest.schema.json'), 'utf8');
  const validate = new Ajv().compile(JSON.parse(schema));
  expect(validate(manifest) ? [] : validate.errors).toEqual([]);
  expect(manifest.dump.format).toBe('tsv tar');
  expect((await work.verify('3')).json()).toMatchObject({ ok: true });
  await run(`
    delete from ${quoted(HARD_NAME)} where order_tenant = 3 and line > 1; update users set email = 'gone' where tenant_id = 3;
    update orders set user_id = null where tenant_id = 3; delete from events where tenant_id = 3;
    insert into orders (tenant_id, day) values (3, '2026-06-01'); delete from members where group_id = 30 and id > 301;
    insert into events values (2, '2026-06-01', 'of another tenant')`);
  const damaged = await rowsOf(server(), 'app');
  const numbers = await nextNumbers();
  ok(await work.restore('3', rows()));
  const after = await rowsOf(server(), 'app');
  expect({ ...after, events: [] }).toEqual({ ...before, events: [] });
  expect(after.events).toEqual([...before.events!, '2|2026-06-01 00:00:00|of another tenant'].sort());
  expect(await nextNumbers()).toEqual(numbers);
  ok(await work.undo('3', undo));
  expect(await rowsOf(server(), 'app')).toEqual(damaged);
  ok(await work.undo('3', undo));
  expect(await rowsOf(server(), 'app')).toEqual(after);
  // One kept copy: what an undo brought back is no copy any more. And it is nobody's database.
  expect((await databases(server())).filter((name) => name.startsWith('rows_of_'))).toHaveLength(1);
  // Zero is a number like others, also where the server would give the next one instead.
  ok(await work.dump('0', rows()));
  ok(await work.restore('0', rows()));
  expect(await rowsOf(server(), 'app')).toEqual(after);
});

test('rows are restored where the server writes its logs into tables, which it counts as rows written', async () => {
  const before = await rowsOf(server(), 'app');
  ok(await work.dump('3', rows()));
  await run(`
    delete from events where tenant_id = 3; update users set email = 'gone' where tenant_id = 3;
    insert into orders (tenant_id, day) values (3, '2026-06-01')`);
  const damaged = await rowsOf(server(), 'app');
  await run(
    `set global log_output = 'TABLE', global general_log = 1, global slow_query_log = 1, global long_query_time = 0`,
  );
  try {
    ok(await work.restore('3', rows()));
    expect(await rowsOf(server(), 'app')).toEqual(before);
    ok(await work.undo('3', undo));
    expect(await rowsOf(server(), 'app')).toEqual(damaged);
    ok(await work.undo('3', undo));
    expect(await rowsOf(server(), 'app')).toEqual(before);
    const [logged] = await run<{ n: number }>('select count(*) as n from mysql.general_log');
    expect(Number(logged!.n)).toBeGreaterThan(100);
  } finally {
    await run(
      `set global log_output = 'FILE', global general_log = 0, global slow_query_log = 0, global long_query_time = 10`,
    );
  }
});

test('bytes that the server takes, and of which the digits would be more than it takes, are not lost', async () => {
  const large = writeDescription(
    work.folder,
    'large.yaml',
    'schemaVersion: 1\ntables:\n  - {table: files, column: tenant_id}\n',
  );
  const args = ['--database', 'large', '--tenancy-file', large];
  const limit = (size: number) => run(`set global max_allowed_packet = ${size}`);
  await server().query(`create database large; use large;
    create table files (id int primary key, tenant_id int not null, bytes longblob, kana longtext character set sjis, key (tenant_id)) engine=InnoDB;
    insert into files values (1, 1, repeat(unhex('00ff'), 1500000), null), (2, 2, null, repeat('x', 3000000))`);
  const sum = () => server().query('select sha2(bytes, 256) as sum from files where id = 1', 'large');
  const before = await sum();
  await limit(4_194_304);
  ok(await work.dump('1', args));
  await server().query("update files set bytes = 'y' where id = 1", 'large');
  // Without streams of lines the digits go into a statement.
  expect((await work.restore('1', args)).stderr).toMatch(
    /files: a row of the archive makes a statement of 6\d+ bytes, and max_allowed_packet is 4194304/,
  );
  await run('set global local_infile = on');
  ok(await work.restore('1', args));
  await run('set global local_infile = off');
  expect(await sum()).toEqual(before);
  await limit(2_097_152);
  const refused = await work.dump('2', args);
  await limit(1_073_741_824);
  // MySQL gives such a value as it is.
  if (!server().isMariadb) return void ok(refused);
  expect(refused).toMatchObject({ code: 3, stdout: '' });
  expect(refused.stderr).toMatch(/longer than max_allowed_packet; no archive was kept/);
});

test('an archive is restored with public tools alone, as the documentation says', async () => {
  const folder = join(work.folder, 'opened');
  mkdirSync(folder);
  ok(await work.dump('2', rows()));
  const where = ['--store', work.store, '--key-file', work.key];
  ok(await runCli(['restore', '2', '--to-file', join(folder, 'dump'), ...where]));
  execFileSync('tar', ['-xf', 'dump'], { cwd: folder });
  const head = JSON.parse(readFileSync(join(folder, 'tables.json'), 'utf8'));
  const before = await rowsOf(server(), 'app');
  await run(`set global local_infile = on; create database again; set foreign_key_checks = 0;
    ${head.tables.map(({ table }: { table: string }) => `create table again.${quoted(table)} like ${quoted(table)}`).join(';')}`);
  for (const { folder: place, table, columns } of head.tables) {
    const hex = columns.filter((column: { as?: string }) => column.as === 'hex');
    const list = columns.map(({ name }: { name: string }, at: number) =>
      columns[at].as === 'hex' ? `@v${at}` : quoted(name),
    );
    const set = hex.map(
      ({ name }: { name: string }) =>
        `${quoted(name)} = unhex(@v${columns.findIndex((each: { name: string }) => each.name === name)})`,
    );
    execFileSync(
      server().isMariadb ? 'mariadb' : 'mysql',
      [
        ...['--no-defaults', '--local-infile=1', '--protocol=tcp', '-h127.0.0.1', `-P${server().port}`],
        ...['-uroot', '--default-character-set=utf8mb4', '-e'],
        `set sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone = '+00:00', foreign_key_checks = 0;
         load data local infile ${quotedText(join(place, '000001.tsv'))} into table ${quoted(table)} character set utf8mb4
           (${list.join(', ')})${set.length > 0 ? ` set ${set.join(', ')}` : ''}`,
        'again',
      ],
      { cwd: folder },
    );
  }
  const again = await rowsOf(server(), 'again');
  for (const [table, all] of Object.entries(again))
    expect([table, all]).toEqual([table, before[table]!.filter((row) => all.includes(row))]);
  expect(again.users).toHaveLength(4);
  expect(again[HARD_NAME]).toHaveLength(20);
});

describe('a tenant that is known by text', () => {
  const HOSTILE = [
    "o'neil\\",
    '"; drop table notes; -- ',
    '`x`\\0%_',
    '日本\u202e🐢',
    "' or '1' = '1",
    '\\N',
  ];
  beforeAll(async () => {
    await run(
      `create database texts default character set utf8mb4; use texts;
       create table notes (id int primary key auto_increment, tenant varchar(100) not null, body text, key (tenant));
       ${[...HOSTILE, 'Acme'].map((name) => `insert into notes (tenant, body) values (${quotedText(name)}, ${quotedText(name)}), (${quotedText(name)}, 'x')`).join(';')}`,
    );
    file2 = writeDescription(work.folder, 'texts.yaml', (await infer('texts', 'tenant')).stdout);
  });
  let file2: string;
  const of = (value: string) => ['--database', 'texts', '--tenancy-file', file2, `--tenant-value=${value}`];

  test.each(HOSTILE)('as %j', async (name) => {
    const before = await rowsOf(server(), 'texts');
    const { tables } = ok(await work.dump('hostile', of(name))).json<{ tables: unknown[] }>();
    expect(tables).toEqual([expect.objectContaining({ schema: 'texts', name: 'notes', rows: 2 })]);
    await run(`delete from notes where tenant = ${quotedText(name)} limit 1`, 'texts');
    ok(await work.restore('hostile', of(name)));
    expect(await rowsOf(server(), 'texts')).toEqual(before);
  });

  test('is refused where it is spelled otherwise, and where two cannot be told apart', async () => {
    expect((await work.dump('acme', of('acme'))).stderr).toContain(
      'notes.tenant has "Acme", which its collation takes for the same as "acme"',
    );
    ok(await work.dump('acme', of('Acme')));
    await run(`insert into notes (tenant) values ('ACME')`, 'texts');
    const before = await rowsOf(server(), 'texts');
    for (const act of [work.dump, work.restore])
      expect(await act('acme', of('Acme'))).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('cannot be told apart as tenants'),
      });
    expect(await rowsOf(server(), 'texts')).toEqual(before);
    expect((await work.dump('nobody', of('nobody'))).stderr).toContain('no table has a row of "nobody"');
    await run('alter table notes modify tenant varchar(100) character set latin1 not null', 'texts').catch(
      async () => {
        await run(`delete from notes where tenant like '%日本%'`, 'texts');
        await run('alter table notes modify tenant varchar(100) character set latin1 not null', 'texts');
      },
    );
    expect(await work.dump('foreign', of('日本'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        "characters that the character set of the tenant's column does not have",
      ),
    });
  });
});
