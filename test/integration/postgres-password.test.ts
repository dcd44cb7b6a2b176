import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { usePostgres } from '../support/postgres';
import { type Workspace, workspace } from '../support/tenants';

const server = usePostgres({ password: 'se cret:\\x' });
let work: Workspace;
beforeAll(async () => {
  work = await workspace(server);
  await server().query('create database acme');
});
afterAll(() => work?.remove());

test('the password comes from the environment or the password file, and a wrong one is one clear error', async () => {
  const env = (PGPASSWORD?: string, PGPASSFILE = '/dev/null') => ({ env: { PGPASSWORD, PGPASSFILE } });
  for (const wrong of [env('guess'), env()]) {
    const ran = await work.dump('acme', [], wrong);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toMatch(/refused the login of "postgres"/);
    expect(ran.stderr).not.toContain('guess');
    if (wrong.env.PGPASSWORD === undefined)
      expect(ran.stderr).toContain('it asks for a password, and none was given; the user comes from the URL');
  }
  expect(await work.dump('acme', [], env('se cret:\\x'))).toMatchObject({ code: 0 });
  const file = join(work.folder, 'pgpass');
  writeFileSync(file, 'localhost:*:*:*:no\n127.0.0.1:*:*:postgres:se cret\\:\\\\x\n', { mode: 0o600 });
  expect(await work.dump('acme', [], env(undefined, file))).toMatchObject({ code: 0 });
  expect(await work.restore('acme', [], env(undefined, file))).toMatchObject({ code: 0 });
});

test('a server that has no session left is not taken for one that is not there, and a replica like that is passed over', async () => {
  await server().query(String.raw`create role full_house login password 'se cret:\x' connection limit 0`);
  const url = `postgres://full_house@127.0.0.1:${server().port}`;
  const env = { env: { PGPASSWORD: 'se cret:\\x' } };
  const ran = await work.dump('acme', ['--server', url], env);
  expect(ran).toMatchObject({ code: 3, stdout: '' });
  expect(ran.stderr).toMatch(/takes no session now: too many connections.*; run again when it does$/m);
  const passed = await work.dump('acme', ['--replica', url], env);
  expect(passed).toMatchObject({ code: 0 });
  expect(passed.stderr).toMatch(/did not give a dump \(.*takes no session now/);
});

test('a server without TLS says what to write instead', async () => {
  const url = `postgres://postgres@127.0.0.1:${server().port}?sslmode=verify-full`;
  const ran = await work.dump('acme', ['--server', url], { env: { PGPASSWORD: 'se cret:\\x' } });
  expect(ran).toMatchObject({ code: 2, stdout: '' });
  expect(ran.stderr).toMatch(/offers no encryption: .*; enable TLS on it, or write sslmode=disable$/m);
});
