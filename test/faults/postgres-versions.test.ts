// Client older than the server, archive newer than the client or the server: refused before the first byte, and with
// the versions. Clients and servers of other versions are played by programs that say so.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { usePostgres } from '../support/postgres';
import { type Workspace, workspace } from '../support/tenants';

const server = usePostgres();
let work: Workspace;
beforeAll(async () => {
  work = await workspace(server);
  await server().query('create database acme');
  await server().query('create table t as select 1 as n', [], 'acme');
});
afterAll(() => work?.remove());

/** The machine's clients under another version number; what they are asked to do is noted. */
function clients(version: string): { env: Record<string, string>; asked: string } {
  const folder = join(work.folder, `clients-${version}`);
  const asked = join(folder, 'asked');
  mkdirSync(folder);
  writeFileSync(asked, '');
  for (const tool of ['pg_dump', 'pg_restore']) {
    const real = join(server().bin, tool);
    const script = `#!/bin/bash
      if [ "$1" = --version ]; then echo '${tool} (PostgreSQL) ${version}'; exit; fi
      echo ${tool} >> '${asked}'
      exec '${real}' "\${@/--compress=zstd:*/--compress=1}"`;
    writeFileSync(join(folder, tool), script, { mode: 0o755 });
  }
  return { env: { SOVEREIGN_BACKUP_PG_BIN: folder }, asked };
}

test('clients older than the server: refused before they are run, and before anything is stored', async () => {
  const old = clients('12.22');
  for (const ran of [await work.dump('acme', [], old), await work.dump('acme', ['--json'], old)]) {
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain('there is 12.22 in');
    expect(ran.stderr).toContain(`is version ${server().version}`);
    expect(ran.stderr).toMatch(/apt-get install postgresql-client-\d+/);
  }
  expect(readFileSync(old.asked, 'utf8')).toBe('');
  expect(readdirSync(work.folder)).not.toContain('store');
});

test('an archive newer than the clients: refused before anything is made on the server', async () => {
  const newer = clients('99.1');
  expect(await work.dump('acme', [], newer)).toMatchObject({ code: 0 });
  const before = await server().query('select datname from pg_database order by 1');
  const refused = await work.restore('acme');
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toMatch(
    /the archive was written by pg_dump 99\.1, so version 99 or newer is needed/,
  );
  expect(await server().query('select datname from pg_database order by 1')).toEqual(before);
  // With clients as new as it, it is restored.
  expect(await work.restore('acme', [], newer)).toMatchObject({ code: 0 });
});

test('the nearest of several clients is taken: not older than needed, not newer than need be', async () => {
  const dumped = await work.dump('acme');
  expect(dumped).toMatchObject({ code: 0 });
  const folder = join(work.store, 'local/acme');
  const path = join(folder, readdirSync(folder).sort().at(-1)!, 'manifest.json');
  const { engine } = JSON.parse(readFileSync(path, 'utf8'));
  expect(engine.serverVersion).toBe(server().version);
  expect(Number.parseInt(engine.clientVersion, 10)).toBeGreaterThanOrEqual(server().major);
});

test('what each session of a newer pg_restore says of a setting that an older server does not know is no error', async () => {
  expect(await work.dump('acme')).toMatchObject({ code: 0 });
  const newer = (ends: string) => {
    const folder = mkdtempSync(join(work.folder, 'clients-'));
    symlinkSync(join(server().bin, 'pg_dump'), join(folder, 'pg_dump'));
    const said =
      'pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"\nCommand was: SET transaction_timeout = 0;\n';
    // As 17 has it against 16, by two sessions: theirs, that of before and that of afterwards, of which only these count.
    const script = `#!/bin/bash
      [ "$1" = --version ] && exec '${join(server().bin, 'pg_restore')}' "$@"
      printf '${said.repeat(4)}' >&2
      '${join(server().bin, 'pg_restore')}' "$@" 2>/dev/null
      ${ends}
      exit 1`;
    writeFileSync(join(folder, 'pg_restore'), script, { mode: 0o755 });
    return { env: { SOVEREIGN_BACKUP_PG_BIN: folder } };
  };
  const counted = (errors: number) =>
    newer(`echo 'pg_restore: warning: errors ignored on restore: ${errors}' >&2`);
  expect(await work.restore('acme', ['--jobs', '2'], counted(2))).toMatchObject({ code: 0 });
  // More than was said, or an end in the middle.
  for (const end of [counted(5), newer('')])
    expect(await work.restore('acme', ['--jobs', '2'], end)).toMatchObject({ code: 3, stdout: '' });
});
