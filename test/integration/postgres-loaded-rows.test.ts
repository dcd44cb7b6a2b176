// With row counts alone a restored database is not read once more where the server has counted what was loaded into it.
import { setTimeout as sleep } from 'node:timers/promises';
import { loadedRows } from '../../lambda/engine/postgresql/loaded-rows';
import { ownTables } from '../../lambda/engine/postgresql/tables';
import { ok } from '../support/cli';
import { usePostgres } from '../support/postgres';
import { type Workspace, workspace } from '../support/tenants';

const server = usePostgres({ settings: { log_statement: 'all' } });
let work: Workspace;
beforeAll(async () => {
  work = await workspace(server);
  await server().query('create database tally');
  await server().query(
    `create table items as select n as id from generate_series(1, 5000) n; create table "none" (id int);
     create table part (id int) partition by range (id); create table low partition of part for values from (0) to (10);
     insert into part values (1), (2)`,
    [],
    'tally',
  );
});
afterAll(() => work?.remove());

const TABLES = [
  { schema: 'public', name: 'items', rows: 5000 },
  { schema: 'public', name: 'low', rows: 2 },
  { schema: 'public', name: 'none', rows: 0 },
];

/** Before version 15 a server's counts can be late, and all is read. */
const read = () => (server().major >= 15 ? ['none'] : ['items', 'low', 'none']);

/** The tables that a restore of the newest archive counts by reading them. */
async function readBy(...args: string[]): Promise<string[]> {
  const before = (await server().log()).length;
  const restored = JSON.parse(ok(await work.restore('tally', args)).stdout);
  expect(
    restored.tables.map(({ schema, name, rows }: (typeof TABLES)[0]) => ({ schema, name, rows })),
  ).toEqual(TABLES);
  const said = (await server().log()).slice(before);
  return [...said.matchAll(/select count\(\*\) as rows.* from only "public"."(\w+)"/g)]
    .map(([, table]) => table!)
    .sort();
}

async function counting(state: 'on' | 'off'): Promise<void> {
  await server().query(`alter system set track_counts = ${state}`);
  await server().query('select pg_reload_conf()');
  while ((await server().query('show track_counts'))[0]!.track_counts !== state) await sleep(20);
}

test('what was loaded is not read again, but for tables without rows', async () => {
  ok(await work.dump('tally', ['--checksums', 'rows']));
  expect(await readBy()).toEqual(read());
});

test('it is read where the server does not count', async () => {
  await counting('off');
  try {
    expect(await readBy()).toEqual(['items', 'low', 'none']);
  } finally {
    await counting('on');
  }
});

test('it is read where checksums of content are compared', async () => {
  ok(await work.dump('tally'));
  expect(await readBy()).toEqual(['items', 'low', 'none']);
  expect(await readBy('--checksums', 'rows')).toEqual(read());
});

describe('the server is taken at its word only for tables', () => {
  beforeAll(async () => {
    await server().query('create database other');
    await server().query(
      `create table good as select n as id from generate_series(1, 7) n; create table less as table good;
       create table deleted as table good; create table changed as table good; create table dropped (id int)`,
      [],
      'other',
    );
    await server().query('delete from deleted where id = 1', [], 'other');
    await server().query('update changed set id = 0 where id = 1', [], 'other');
    await server().query('vacuum deleted, changed', [], 'other');
    // A statement that fails has counted what it wrote.
    await expect(
      server().query('insert into dropped select 1 / (7 - n) from generate_series(1, 7) n', [], 'other'),
    ).rejects.toThrow('division by zero');
    await server().query('insert into dropped select 1', [], 'other');
  });

  test('that got as many rows as the manifest says, and nothing else', async () => {
    const client = await server().connect('other');
    try {
      const tables = await ownTables(client);
      const expected = ['good', 'less', 'deleted', 'changed', 'dropped'].map((name) => ({
        schema: 'public',
        name,
        rows: name === 'less' ? 8 : 7,
      }));
      expect([...(await loadedRows(client, tables, expected)).values()]).toEqual(
        server().major >= 15 ? [expected[0]] : [],
      );
    } finally {
      await client.end();
    }
  });

  test('and not while the one that loaded is still there', async () => {
    const [client, loader] = [await server().connect('other'), await server().connect('other')];
    try {
      const good = [{ schema: 'public', name: 'good', rows: 7 }];
      expect((await loadedRows(client, await ownTables(client), good)).size).toBe(0);
      setTimeout(() => void loader.end(), 100);
      expect((await loadedRows(client, await ownTables(client), good)).size).toBe(
        server().major >= 15 ? 1 : 0,
      );
    } finally {
      await Promise.all([client.end(), loader.end()]);
    }
  });
});
