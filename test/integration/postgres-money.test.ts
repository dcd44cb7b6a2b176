// Sums of money are text in a dump, written as the session's lc_monetary has them; they come back to the same.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ok } from '../support/cli';
import { type PostgresServer, startPostgres } from '../support/postgres';
import { writeDescription } from '../support/shared';
import { type Workspace, workspace } from '../support/tenants';

/** Two locales that no machine need have installed, from the sources that come with PostgreSQL's package of Debian. */
function makeLocales(): string {
  const folder = mkdtempSync(join(tmpdir(), 'locales-'));
  chmodSync(folder, 0o755);
  for (const name of ['de_DE', 'ja_JP'])
    execFileSync('localedef', ['-i', name, '-f', 'UTF-8', join(folder, `${name}.UTF-8`)], { stdio: 'pipe' });
  return folder;
}

const { LOCPATH } = process.env;
let server: PostgresServer;
let work: Workspace;
beforeAll(async () => {
  process.env.LOCPATH = makeLocales();
  server = await startPostgres();
  work = await workspace(() => server);
});
afterAll(async () => {
  if (LOCPATH === undefined) delete process.env.LOCPATH;
  else process.env.LOCPATH = LOCPATH;
  work?.remove();
  await server?.stop();
});

const says = (place: string) => `alter database till set lc_monetary = '${place}'`;

test.each(['de_DE.UTF-8', 'ja_JP.UTF-8', 'C'])('under %s and then another', async (place) => {
  await server.query('drop database if exists till');
  await server.query('create database till');
  await server.query(
    `create table sums (id int primary key, tenant_id int not null, amount money, many money[]);
     create index on sums (tenant_id); create schema one; create domain one.price as money; create table one.sums (amount one.price)`,
    [],
    'till',
  );
  await server.query(says(place));
  await server.query(
    `insert into sums values (1, 1, 123456.78::numeric::money, array[1.5::numeric::money]), (2, 1, (-5)::money, null);
     insert into one.sums values (1234::money)`,
    [],
    'till',
  );
  const other = place === 'C' ? 'de_DE.UTF-8' : 'C';
  const bytes = () =>
    server.query(`select encode(cash_send(amount), 'hex') as sum from sums order by id`, [], 'till');
  const before = await bytes();
  const schema = ['--database', 'till', '--schema', 'one'];
  const description = writeDescription(
    work.folder,
    'tenancy.yaml',
    'schemaVersion: 1\ntables:\n  - { table: sums, column: tenant_id }\n  - { schema: one, table: sums, reference: true }\n',
  );
  const rows = ['--database', 'till', '--tenancy-file', description];
  ok(await work.dump('till'));
  ok(await work.dump('one', schema));
  ok(await work.dump('1', rows));
  await server.query(says(other));
  ok(await work.restore('till'));
  ok(await work.restore('one', schema));
  await server.query('delete from sums', [], 'till');
  ok(await work.restore('1', rows));
  expect(await bytes()).toEqual(before);
});
