import { setTimeout as sleep } from 'node:timers/promises';
import { ok, runCli } from '../support/cli';
import { useMariadb } from '../support/mariadb';
import { createShared, rowsOf } from '../support/mariadb-shared';
import { databases, mariadbWorkspace } from '../support/mariadb-tenants';
import { reviewed, writeDescription } from '../support/shared';
import type { Workspace } from '../support/tenants';

// As from MariaDB 11.6.2 on by default; what is older or MySQL passes over it.
// With a query cache a statement that gives no row makes a snapshot, too.
const server = useMariadb({
  settings: {
    'loose-innodb-snapshot-isolation': 'ON',
    'loose-query-cache-type': 'ON',
    'loose-query-cache-size': '16M',
  },
});
let work: Workspace;
let file: string;
let before: Record<string, string[]>;
beforeAll(async () => {
  work = await mariadbWorkspace(server);
  await createShared(server(), 'app');
  const args = ['--server', server().url, '--database', 'app', '--column', 'tenant_id'];
  const inferred = await runCli(['tenancy', 'infer', ...args]);
  file = writeDescription(work.folder, 'tenancy.yaml', reviewed(inferred.stdout));
  before = await rowsOf(server(), 'app');
  ok(await work.dump('2', rows()));
});
afterAll(() => work?.remove());

const rows = () => ['--database', 'app', '--tenancy-file', file];
const undo = () => work.undo('2', ['--database', 'app', '--tenancy', 'rows']);
const run = <R = Record<string, unknown>>(sql: string) => server().query<R>(sql, 'app');

/** Writes until it is stopped; returns what it wrote. */
function writer(tenant: number) {
  let stop = false;
  const written: number[] = [];
  const done = (async () => {
    const client = await server().connect('app');
    for (let n = 0; !stop; n += 1) {
      await client.query(`insert into events values (?, '2026-07-01' + interval ? second, 'w')`, [tenant, n]);
      written.push(n);
      await sleep(5);
    }
    await client.end();
  })();
  return {
    written,
    async stop() {
      stop = true;
      await done;
    },
  };
}

test('others go on writing, and lose nothing; what the tenant writes is put aside, or comes after the swap', async () => {
  await run('delete from events where tenant_id = 2');
  // Its neighbours in every index, and itself.
  const all = [writer(1), writer(2), writer(3)];
  while (all.some(({ written }) => written.length < 3)) await sleep(20);
  ok(await work.restore('2', rows()));
  const begun = all.map(({ written }) => written.length);
  while (all.some(({ written }, at) => written.length < begun[at]! + 3)) await sleep(20);
  for (const each of all) await each.stop();
  const left = async (tenant: number) =>
    (
      await run<{ n: number }>(
        `select timestampdiff(second, '2026-07-01', at) as n from events where what = 'w' and tenant_id = ${tenant} order by 1`,
      )
    ).map(({ n }) => Number(n));
  const [one, two, three] = all;
  expect(await left(1)).toEqual(one!.written);
  expect(await left(3)).toEqual(three!.written);
  const later = await left(2);
  expect(later.length).toBeLessThan(two!.written.length);
  expect(later).toEqual(two!.written.slice(two!.written.length - later.length));
  const [copy] = (await databases(server())).filter((name) => name.startsWith('rows_of_2_'));
  const [kept] = await run<{ n: number }>(`select count(*) as n from ${copy}.t1 where what = 'w'`);
  expect(Number(kept!.n)).toBe(two!.written.length - later.length);
  await run(`delete from events where what = 'w'`);
  expect(await rowsOf(server(), 'app')).toEqual(before);
});

test('a transaction that has the tenant’s rows is waited for', async () => {
  const client = await server().connect('app');
  await client.query('start transaction');
  await client.query(`update users set email = 'late' where tenant_id = 2`);
  const restoring = work.restore('2', rows());
  const waiting = `select 1 from information_schema.innodb_trx where trx_state = 'LOCK WAIT'`;
  // The server tells nothing new to who asks more often than ten times a second.
  while ((await run(waiting)).length === 0) await sleep(150);
  await client.query('commit');
  await client.end();
  ok(await restoring);
  expect(await rowsOf(server(), 'app')).toEqual(before);
  ok(await undo());
  expect(await run(`select distinct email from users where tenant_id = 2`)).toEqual([{ email: 'late' }]);
  ok(await undo());
  expect(await rowsOf(server(), 'app')).toEqual(before);
});

test('rows that others hold are not in the way', async () => {
  // So large a part of the table is the tenant's that the server would rather read, and lock, all of it.
  await run(`insert into users (tenant_id, email) with recursive n as (select 1 as i union all select i + 1 from n where i < 400)
      select 2, concat('many', i) from n; analyze table users`);
  const client = await server().connect('app');
  await client.query('start transaction');
  // By their indexes: such small tables the server would read, and lock, whole.
  for (const [table, index, column, values] of [
    ['users', 'tenant_id', 'tenant_id', '4, 5'],
    ['orders', 'primary', 'tenant_id', '4, 5'],
    ['events', 'primary', 'tenant_id', '4, 5'],
    ['`groups`', 'tenant_id', 'tenant_id', '4, 5'],
    ['members', 'group_id', 'group_id', '40, 50'],
  ])
    await client.query(
      `select * from ${table} force index (${index}) where ${column} in (${values}) for update`,
    );
  const restored = await work.restore('2', rows());
  await client.query('rollback');
  await client.end();
  ok(restored);
  expect(await rowsOf(server(), 'app')).toEqual(before);
});

test('two restores at once both end well, one after the other', async () => {
  const both = await Promise.all([work.restore('2', rows()), work.restore('2', rows())]);
  for (const each of both) ok(each);
  expect(await rowsOf(server(), 'app')).toEqual(before);
});

test('killed at any moment, the tenant has its old rows or the restored ones, and the next run clears up', async () => {
  await run(
    `delete from events where tenant_id = 2 and what < 'e2'; update users set email = 'damaged' where tenant_id = 2`,
  );
  const damaged = JSON.stringify(await rowsOf(server(), 'app'));
  const good = JSON.stringify(before);
  const copies = async () => (await databases(server())).filter((name) => name.startsWith('rows_of_2_'));
  const known = (await copies()).length;
  for (let moment = 1; moment <= 8; moment += 1) {
    const restoring = work.restore('2', rows(), {
      started: (child) => setTimeout(() => child.kill('SIGKILL'), 250 + moment * 60),
    });
    const { code } = await restoring;
    await sleep(100);
    const now = JSON.stringify(await rowsOf(server(), 'app'));
    expect([damaged, good]).toContain(now);
    if (code === 0) expect(now).toBe(good);
    if (now === good) break;
  }
  const undone = JSON.stringify(await rowsOf(server(), 'app')) === damaged;
  ok(await work.restore('2', rows()));
  expect(JSON.stringify(await rowsOf(server(), 'app'))).toBe(good);
  // Of what was killed nothing is left but whole copies, and the last one has what was live before.
  expect(await copies()).toHaveLength(known + (undone ? 1 : 2));
  ok(await undo());
  if (undone) expect(JSON.stringify(await rowsOf(server(), 'app'))).toBe(damaged);
});
