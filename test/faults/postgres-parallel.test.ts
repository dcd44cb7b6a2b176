// Dumps by several sessions, through a folder on disk: what is in them, what is left of that folder however they end,
// and what they are refused for.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { usePostgres } from '../support/postgres';
import { fingerprint, type Workspace, workspace } from '../support/tenants';

const server = usePostgres();
let work: Workspace;
let temporary: string;
beforeAll(async () => {
  work = await workspace(server);
  temporary = join(work.folder, 'temporary');
  mkdirSync(temporary);
  await server().query('create database acme');
  await server().query(
    `create table "odd; name" (n int primary key, text text);
     insert into "odd; name" select n, md5(n::text) from generate_series(1, 3000) n;
     create table large as select n, (select string_agg(md5(n::text || m), '') from generate_series(1, 80) m) as text
       from generate_series(1, 5000) n;
     create table none (n int references "odd; name"); create index on large (n);
     create view grown as select * from large where n > 10; select lo_from_bytea(0, 'a large object')`,
    undefined,
    'acme',
  );
});
afterAll(() => work?.remove());

const env = () => ({ env: { TMPDIR: temporary } });
const archives = async () => (await work.list(['acme'])).json<unknown[]>().length;
const folders = () => readdirSync(temporary);
/** Slow enough to be met while it is at work. */
const SLOW = ['--jobs', '2', '--limit-rate', '300k'];

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; !what() && tries < 1200; tries += 1) await sleep(50);
  expect(what()).toBe(true);
}

test('all of it comes back, and nothing is left of the folder', async () => {
  const before = await fingerprint(server(), 'acme');
  const dumped = await work.dump('acme', ['--jobs', '3'], env());
  expect(dumped).toMatchObject({ code: 0 });
  expect(folders()).toEqual([]);
  const { archive, tables } = dumped.json<{ archive: string; tables: { name: string; rows: number }[] }>();
  const manifest = readFileSync(join(work.store, 'local/acme', archive, 'manifest.json'), 'utf8');
  expect(JSON.parse(manifest).dump.format).toBe('pg_dump directory tar');
  expect(tables.map(({ name, rows }) => `${name} ${rows}`)).toEqual([
    'large 5000',
    'none 0',
    'odd; name 3000',
    'pg_largeobject_metadata 1',
  ]);
  expect((await work.verify('acme')).json()).toMatchObject({ ok: true, problems: [] });
  await server().query('delete from large where n > 10', [], 'acme');
  for (const jobs of ['1', '2']) {
    expect(await work.restore('acme', ['--jobs', jobs], env())).toMatchObject({ code: 0 });
    expect(await fingerprint(server(), 'acme')).toBe(before);
    expect(folders()).toEqual([]);
  }
});

test.each([
  ['killed', 'SIGKILL'],
  ['told to stop', 'SIGTERM'],
] as const)('%s while its folder is there, it leaves nothing of it, and no archive', async (_, signal) => {
  const before = await archives();
  let modes: number[] = [];
  const ran = await work.dump('acme', SLOW, {
    ...env(),
    started: (child) =>
      void until(() => folders().length > 0).then(() => {
        modes = folders().map((name) => statSync(join(temporary, name)).mode & 0o777);
        child.kill(signal);
      }),
  });
  expect(modes).toEqual([0o700]);
  if (signal === 'SIGKILL') expect(ran.signal).toBe(signal);
  else {
    expect(ran).toMatchObject({ code: 3, stdout: '' });
    expect(folders()).toEqual([]);
  }
  await until(() => folders().length === 0);
  expect(await archives()).toBe(before);
});

test('what a dead process has left is removed by the next dump and the next restore, and nothing else', async () => {
  const host = Buffer.from(hostname()).toString('hex').slice(0, 64);
  const dead = `.sovereign-dump-${host}-999999999-AbCdEf`;
  const living = `.sovereign-dump-${host}-${process.pid}-AbCdEf`;
  for (const name of [dead, living]) mkdirSync(join(temporary, name));
  expect(await work.dump('acme', ['--jobs', '2'], env())).toMatchObject({ code: 0 });
  expect(folders()).toEqual([living]);
  // Killed before its file lost its name.
  writeFileSync(join(temporary, dead), '');
  expect(await work.dump('acme')).toMatchObject({ code: 0 });
  expect(await work.restore('acme', ['--jobs', '2'], env())).toMatchObject({ code: 0 });
  expect(folders()).toEqual([living]);
});

test('a statement that takes longer than it may is cancelled, and says so', async () => {
  // One session sends no faster than the store takes it, once all buffers on the way are full.
  await server().query('create database huge');
  await server().query(
    `create table large as select n, (select string_agg(md5(n::text || m), '') from generate_series(1, 400) m) as text
     from generate_series(1, 5000) n`,
    undefined,
    'huge',
  );
  const limits = ['--statement-timeout', '1', '--limit-rate', '300k', '--checksums', 'rows'];
  const ran = await work.dump('huge', limits);
  expect(ran).toMatchObject({ code: 3, stdout: '' });
  expect(ran.stderr).toMatch(
    /reading public\.large took longer than the 1 s of --statement-timeout and was cancelled; nothing was kept/,
  );
  expect(ran.stderr).not.toMatch(/canceling statement/);
  expect((await work.list()).stdout).not.toContain('"huge"');
  expect(
    await server().query(`select from pg_stat_activity where application_name like 'sovereign%'`),
  ).toEqual([]);
  expect(await work.dump('acme', ['--statement-timeout', '60', '--jobs', '2'], env())).toMatchObject({
    code: 0,
  });
});

test.each([
  [['--jobs', '0'], /whole number from 1 to 64/],
  [['--statement-timeout', '0'], /whole number from 1 to/],
  [
    ['--jobs', '2', '--tenancy', 'rows', '--database', 'acme'],
    /postgresql with tenancy "rows" cannot have several sessions at once/,
  ],
  [
    ['--jobs', '2', '--server', 'mysql://root@127.0.0.1:1'],
    /mariadb with tenancy "database" cannot have several/,
  ],
  [['--statement-timeout', '5', '--server', 'mysql://root@127.0.0.1:1'], /cannot have a limit on the time/],
])('bad input: %j', async (args, message) => {
  const ran = await work.dump('acme', args);
  expect(ran).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
});
