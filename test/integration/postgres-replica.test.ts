// Dumps from a real streaming standby, and what happens when it does not give one.
import { usePostgres } from '../support/postgres';
import { type Standby, startStandby } from '../support/standby';
import { type Workspace, workspaceOf } from '../support/tenants';

// What is committed goes to the standby at once.
const server = usePostgres({ settings: { synchronous_commit: 'on' } });
let standby: Standby;
let nobody: Workspace;
let primary: Workspace;
beforeAll(async () => {
  await server().query('create database acme');
  // Bytes that do not compress, so that a slow dump of them takes its time.
  await server().query(
    `create table notes as select n, (select string_agg(md5(n::text || m), '') from generate_series(1, 40) m) as text
     from generate_series(1, 1000) n;
     create table busy as select n from generate_series(1, 1000) n;
     create unlogged table scratch as select 1 as x`,
    undefined,
    'acme',
  );
  // Whoever reads on the standby is in the way of its replay at once.
  standby = await startStandby(server(), ['max_standby_streaming_delay=0']);
  nobody = await workspaceOf(() => 'postgres://postgres@127.0.0.1:1');
  primary = await workspaceOf(() => `postgres://postgres@127.0.0.1:${server().port}`);
}, 60_000);
afterAll(async () => {
  await standby?.stop();
  nobody?.remove();
  primary?.remove();
});
const replica = () => ['--replica', `postgres://postgres@127.0.0.1:${standby.port}`];

test('a standby gives a whole dump, and the primary is not asked', async () => {
  const dumped = await nobody.dump('acme', replica());
  expect(dumped).toMatchObject({ code: 0 });
  const { tables } = dumped.json<{ tables: { name: string; rows: number; checksum: string }[] }>();
  expect(tables.map(({ name, rows }) => `${name} ${rows}`)).toEqual(['busy 1000', 'notes 1000']);
  const direct = (await primary.dump('acme')).json<{ tables: typeof tables }>();
  expect(direct.tables.filter(({ name }) => name !== 'scratch')).toEqual(tables);
});

test('a standby where sessions begin in an isolation level that no standby has gives one, too', async () => {
  const strict = await startStandby(server(), ['default_transaction_isolation=serializable']);
  try {
    const from = ['--replica', `postgres://postgres@127.0.0.1:${strict.port}`];
    expect(await nobody.dump('acme', from)).toMatchObject({ code: 0 });
    expect(await nobody.dump('acme', [...from, '--jobs', '2'])).toMatchObject({ code: 0 });
  } finally {
    await strict.stop();
  }
});

test('a replica that cannot be reached, or does not know the tenant', async () => {
  const dumped = await primary.dump('acme', ['--replica', 'postgres://postgres@127.0.0.1:1']);
  expect(dumped).toMatchObject({ code: 0 });
  expect(dumped.stderr).toContain('127.0.0.1:1 did not give a dump');
  expect(dumped.stderr).toContain(`dumping from postgres://postgres@127.0.0.1:${server().port}`);
  const unknown = await primary.dump('nobody', replica());
  expect(unknown).toMatchObject({ code: 2 });
  expect(unknown.stderr).toContain('there is no database "nobody"');
});

test('a replica that ends the dump again and again: the primary gives it', async () => {
  let over = false;
  const vacuuming = (async () => {
    while (!over) {
      await server().query('update busy set n = n', undefined, 'acme');
      await server().query('vacuum busy', undefined, 'acme');
    }
  })();
  const dumped = await primary.dump('acme', [...replica(), '--limit-rate', '400k']);
  over = true;
  await vacuuming;
  expect({ code: dumped.code, stderr: dumped.code === 0 ? '' : dumped.stderr }).toEqual({
    code: 0,
    stderr: '',
  });
  expect(dumped.stderr).toContain('as it does to replay what came in');
  expect(dumped.stderr).toContain('conflict with recovery');
  expect((await primary.verify('acme')).code).toBe(0);
}, 90_000);

test('a limit on the rate is kept, and has to be one', async () => {
  const { seconds, bytes } = (await primary.dump('acme', ['--limit-rate', '400k'])).json<{
    seconds: number;
    bytes: number;
  }>();
  // Of what passes: the dump, compressed.
  expect(seconds).toBeGreaterThan((bytes - 10_000) / 400_000);
  for (const wrong of ['0', '5', 'fast', '-1k', '1e6'])
    expect((await primary.dump('acme', [`--limit-rate=${wrong}`])).code).toBe(2);
});

test('every table is held until all are counted, so that nobody can empty one that pg_dump has let go of', async () => {
  await server().query('create database held');
  await server().query(
    'create table first as select n from generate_series(1, 1000000) n; create table last as select 1 as n',
    undefined,
    'held',
  );
  let over = false;
  const dumping = primary.dump('held').finally(() => {
    over = true;
  });
  let held = 0;
  while (!over) {
    const [row] = await server().query(
      `select count(*)::int as held from pg_locks l join pg_stat_activity a using (pid)
        where l.relation = 'last'::regclass and l.granted and a.query ~ '^select count.* from only "public"."first"$'`,
      undefined,
      'held',
    );
    held += row!.held;
  }
  expect((await dumping).code).toBe(0);
  expect(held).toBeGreaterThan(0);
});
