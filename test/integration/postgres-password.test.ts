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
  }
  expect(await work.dump('acme', [], env('se cret:\\x'))).toMatchObject({ code: 0 });
  const file = join(work.folder, 'pgpass');
  writeFileSync(file, 'localhost:*:*:*:no\n127.0.0.1:*:*:postgres:se cret\\:\\\\x\n', { mode: 0o600 });
  expect(await work.dump('acme', [], env(undefined, file))).toMatchObject({ code: 0 });
  expect(await work.restore('acme', [], env(undefined, file))).toMatchObject({ code: 0 });
});
