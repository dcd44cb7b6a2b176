import { setTimeout as sleep } from 'node:timers/promises';
import { ok, runCli } from '../support/cli';
import { usePostgres } from '../support/postgres';
import { createShared, reviewed, rowsOf, writeDescription } from '../support/shared';
import { type Workspace, workspace } from '../support/tenants';

const server = usePostgres();
let work: Workspace;
let file: string;
let before: Record<string, string[]>;
beforeAll(async () => {
  work = await workspace(server);
  await createShared(server(), 'app');
  const args = ['--server', server().url, '--database', 'app', '--column', 'tenant_id'];
  file = writeDescription(
    work.folder,
    'tenancy.yaml',
    reviewed((await runCli(['tenancy', 'infer', ...args])).stdout),
  );
  before = await rowsOf(server(), 'app');
  ok(await work.dump('1', rows()));
});
afterAll(() => work?.remove());

const rows = () => ['--database', 'app', '--tenancy-file', file];
const run = (sql: string) => server().query(sql, [], 'app');
const ours = async () => (await rowsOf(server(), 'app')).events!.filter((row) => row.startsWith('(1,'));

/** Writes until it is stopped; returns what it wrote. */
function writer(tenant: number) {
  let stop = false;
  const written: string[] = [];
  const done = (async () => {
    const client = await server().connect('app');
    for (let n = 0; !stop; n += 1) {
      await client.query(
        `insert into events values ($1, '2026-07-01'::timestamptz + make_interval(secs => $2), 'w')`,
        [tenant, n],
      );
      written.push(String(n));
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

test('others go on writing, and lose nothing', async () => {
  const others = [writer(2), writer(3)];
  while (others.some(({ written }) => written.length < 3)) await sleep(20);
  const begun = others.map(({ written }) => written.length);
  await run('delete from events where tenant_id = 1');
  ok(await work.restore('1', rows()));
  for (const [at, other] of others.entries()) {
    expect(other.written.length).toBeGreaterThan(begun[at]!);
    await other.stop();
  }
  expect(await ours()).toEqual(before.events!.filter((row) => row.startsWith('(1,')));
  const counts = await run(
    `select tenant_id, count(*)::int as n from events where what = 'w' group by 1 order by 1`,
  );
  expect(counts).toEqual(others.map(({ written }, at) => ({ tenant_id: String(at + 2), n: written.length })));
  await run(`delete from events where what = 'w'`);
});

test('what is written to the tenant meanwhile is either put aside or keeps the restore from happening', async () => {
  const self = writer(1);
  while (self.written.length < 3) await sleep(20);
  const restored = await work.restore('1', rows());
  await self.stop();
  if (restored.code === 0) {
    // Only what came after the swap stands beside the restored rows.
    const left = (
      await run(
        `select extract(epoch from at - '2026-07-01'::timestamptz)::int as n from events where what = 'w' order by 1`,
      )
    ).map(({ n }) => Number(n));
    const first = left[0] ?? self.written.length;
    expect(left).toEqual(Array.from({ length: self.written.length - first }, (_, at) => first + at));
  } else expect(restored.stderr).toContain('the tenant is being written to');
  await run(`delete from events where what = 'w'`);
  expect(await rowsOf(server(), 'app')).toEqual(before);
});

test('a transaction that writes to a row that would stay is waited for, and what it wrote is put aside', async () => {
  const client = await server().connect('app');
  await client.query('begin');
  await client.query(`update users set email = 'late' where tenant_id = 1`);
  const restoring = work.restore('1', rows());
  const waiting = `select 1 from pg_stat_activity where datname = 'app' and wait_event_type = 'Lock'`;
  while ((await run(waiting)).length === 0) await sleep(20);
  await client.query('commit');
  await client.end();
  const restored = await restoring;
  ok(restored);
  expect(restored.stderr).toMatch(/ 0 change and 0 go; .*\n.*beginning again\n.* 4 change and 0 go/);
  expect(await rowsOf(server(), 'app')).toEqual(before);
  ok(await work.undo('1', ['--database', 'app', '--tenancy', 'rows']));
  expect(await run('select distinct email from users where tenant_id = 1')).toEqual([{ email: 'late' }]);
  ok(await work.undo('1', ['--database', 'app', '--tenancy', 'rows']));
  expect(await rowsOf(server(), 'app')).toEqual(before);
});

test('a transaction that stays open elsewhere leaves in doubt when rows were written, not what they are', async () => {
  const client = await server().connect();
  await client.query('begin');
  await client.query('select txid_current()');
  await run(`update users set email = 'just now' where tenant_id = 1`);
  const restored = await work.restore('1', rows());
  await client.end();
  ok(restored);
  expect(restored.stderr).not.toContain('beginning again');
  expect(await rowsOf(server(), 'app')).toEqual(before);
});

test('two restores at once both end well, one after the other', async () => {
  const both = await Promise.all([work.restore('1', rows()), work.restore('1', rows())]);
  for (const each of both) ok(each);
  expect(await rowsOf(server(), 'app')).toEqual(before);
});

test('killed at any moment, the tenant has its old rows or the restored ones', async () => {
  await run(
    `delete from events where tenant_id = 1 and what < 'e2'; update users set email = 'damaged' where tenant_id = 1`,
  );
  const damaged = JSON.stringify(await rowsOf(server(), 'app'));
  const good = JSON.stringify(before);
  const seen = new Set<string>();
  for (let moment = 1; moment <= 8; moment += 1) {
    const restoring = work.restore('1', rows(), {
      started: (child) => setTimeout(() => child.kill('SIGKILL'), 200 + moment * 60),
    });
    const { code } = await restoring;
    await sleep(150);
    const now = JSON.stringify(await rowsOf(server(), 'app'));
    expect([damaged, good]).toContain(now);
    if (code === 0) expect(now).toBe(good);
    seen.add(now);
    if (now === good) break;
  }
  ok(await work.restore('1', rows()));
  expect(JSON.stringify(await rowsOf(server(), 'app'))).toBe(good);
});
