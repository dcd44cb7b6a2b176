// Archives that are whole and lie where they do not belong, and folders that are not what they seem: refused.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { usePostgres } from '../support/postgres';
import { type Workspace, workspace } from '../support/tenants';

const server = usePostgres();
let work: Workspace;
let good: string;
beforeAll(async () => {
  work = await workspace(server);
  for (const name of ['acme', 'other']) {
    await server().query(`create database ${name}`);
    await server().query(`create table t as select '${name}'::text as whose`, [], name);
    expect(await work.dump(name)).toMatchObject({ code: 0 });
  }
  [good] = readdirSync(join(work.store, 'local/acme')) as [string];
  await server().query(`update t set whose = 'live'`, [], 'acme');
});
afterAll(() => work?.remove());

/** A store of its own, made from the good one. */
function spoiled(name: string, how: (store: string) => void): string {
  const store = join(work.folder, name);
  cpSync(work.store, store, { recursive: true });
  how(store);
  return store;
}

async function refused(store: string, args: string[] = []): Promise<string> {
  const verified = await work.verify('acme', ['--store', store, ...args]);
  expect([1, 2, 3]).toContain(verified.code);
  const restored = await work.restore('acme', ['--store', store, ...args]);
  expect([2, 3]).toContain(restored.code);
  expect(restored.stdout).toBe('');
  expect(restored.stderr).not.toMatch(/unexpected failure|\n {4}at /);
  expect(await server().query('select whose from t', [], 'acme')).toEqual([{ whose: 'live' }]);
  return restored.stderr;
}

test('under another time, from which an operator would think it newer', async () => {
  const later = good.replace(/^\d{4}/, '2099');
  const store = spoiled('time', (to) =>
    renameSync(join(to, 'local/acme', good), join(to, 'local/acme', later)),
  );
  expect(await refused(store)).toMatch(/archive/);
});

test('under the same time and other random digits', async () => {
  const twin = good.replace(/.{8}$/, '00000000');
  const store = spoiled('twin', (to) =>
    renameSync(join(to, 'local/acme', good), join(to, 'local/acme', twin)),
  );
  expect(await refused(store)).toMatch(/archive/);
});

test('under another regime', async () => {
  const store = spoiled('regime', (to) => renameSync(join(to, 'local'), join(to, 'eu')));
  expect(await refused(store, ['--regime', 'eu'])).toMatch(/regime/);
});

test('under another tenant', async () => {
  const store = spoiled('tenant', (to) => {
    rmSync(join(to, 'local/acme'), { recursive: true });
    renameSync(join(to, 'local/other'), join(to, 'local/acme'));
  });
  expect(await refused(store)).toMatch(/tenant/);
});

test.each(['data', 'manifest.json', 'manifest.seal'])('with a link in the place of its %s', async (part) => {
  const store = spoiled(`link-${part}`, (to) => {
    const path = join(to, 'local/acme', good, part);
    renameSync(path, join(work.folder, `outside-${part}`));
    symlinkSync(join(work.folder, `outside-${part}`), path);
  });
  await refused(store);
});

test('in a folder that is a link to somewhere else', async () => {
  const store = spoiled('folder', (to) => {
    renameSync(join(to, 'local/acme', good), join(work.folder, 'outside'));
    symlinkSync(join(work.folder, 'outside'), join(to, 'local/acme', good));
  });
  await refused(store);
});

test('with a pipe, which never ends, in the place of its data', async () => {
  const store = spoiled('pipe', (to) => {
    const path = join(to, 'local/acme', good, 'data');
    rmSync(path);
    execFileSync('mkfifo', [path]);
  });
  await refused(store);
});

test.each(['../acme', '..', '.', 'local/../acme', 'a/b', '/etc', 'acme/'])(
  'a tenant named %j reaches no other folder',
  async (name) => {
    const store = spoiled(`name-${Buffer.from(name).toString('hex')}`, (to) => {
      mkdirSync(join(to, 'etc'));
      writeFileSync(join(to, 'etc/data'), 'x');
    });
    for (const ran of [
      await work.verify(name, ['--store', store]),
      await work.restore(name, ['--store', store]),
    ]) {
      expect(ran.code).toBe(2);
      expect(ran.stderr).toMatch(/there is no archive of tenant/);
    }
  },
);
