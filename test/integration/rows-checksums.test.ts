// The checksums of one tenant's rows of shared tables, on both engines: what a manifest says, and what a restore makes of it.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import type { Manifest } from '../../lambda/archive/manifest';
import { ok, runCli } from '../support/cli';
import { reseal } from '../support/reseal';
import { described, useShared } from '../support/shared-engines';
import type { Workspace } from '../support/tenants';

const engines = useShared();

describe.each(['postgresql', 'mariadb'] as const)('%s', (name) => {
  const { server, create, run, rowsOf, ...engine } = engines[name];
  let work: Workspace;
  let file: string;
  beforeAll(async () => {
    work = await engine.workspace();
    await create('app');
    file = await described(work, server());
  });
  afterAll(() => work?.remove());

  const rows = (...args: string[]) => ['--database', 'app', '--tenancy-file', file, ...args];
  /** Dumps the tenant, and gives the archive's folder and manifest. */
  async function dumped(...args: string[]) {
    const { archive } = ok(await work.dump('3', rows(...args))).json<{ archive: string }>();
    const folder = join(work.store, 'local/3', archive);
    const manifest: Manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
    const schema = readFileSync(join(__dirname, '../../schema/manifest.schema.json'), 'utf8');
    const validate = new Ajv().compile(JSON.parse(schema));
    expect(validate(manifest) ? [] : validate.errors).toEqual([]);
    return { folder, manifest };
  }
  const sums = ({ tables }: Manifest) =>
    Object.fromEntries(tables.map((table) => [table.name, table.checksum]));

  test('are those that sha256sum makes of the files, and tell which tables changed between two archives', async () => {
    const { manifest } = await dumped();
    expect(manifest.checksums?.method).toBe('sha256 of lines');
    const opened = join(work.folder, 'opened');
    mkdirSync(opened);
    const where = ['--store', work.store, '--key-file', work.key];
    ok(await runCli(['restore', '3', '--to-file', join(opened, 'dump'), ...where]));
    execFileSync('tar', ['-xf', 'dump'], { cwd: opened });
    const { tables } = JSON.parse(readFileSync(join(opened, 'tables.json'), 'utf8'));
    const public_ = tables.map(({ folder, table }: { folder: string; table: string }) => {
      const sum = execFileSync('sh', ['-c', 'cat "$1"/* | sha256sum', 'sh', folder], { cwd: opened });
      return [table, sum.toString().slice(0, 64)];
    });
    expect(public_.length).toBeGreaterThan(4);
    expect(sums(manifest)).toEqual(Object.fromEntries(public_));

    expect(sums((await dumped()).manifest)).toEqual(sums(manifest));
    await run(`update users set email = 'changed' where tenant_id = 3`);
    const later = sums((await dumped()).manifest);
    expect(later).toEqual({ ...sums(manifest), users: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(later.users).not.toBe(sums(manifest).users);
  });

  test('hold a restore to what the manifest says, unless their number is enough', async () => {
    const { folder, manifest } = await dumped();
    await run(`update users set email = 'later' where tenant_id = 3`);
    const before = await rowsOf();
    const [first, second] = manifest.tables.map(({ checksum }) => checksum!);
    expect(first).not.toBe(second);
    await reseal(folder, work.key, (sealed) => ({
      ...sealed,
      tables: sealed.tables.map((table, at) => (at === 0 ? { ...table, checksum: second! } : table)),
    }));
    const refused = await work.restore('3', rows());
    expect(refused).toMatchObject({ code: 3, stdout: '' });
    expect(refused.stderr).toContain(
      `${manifest.tables[0]!.name} has other rows in the archive than its manifest says; nothing was changed`,
    );
    expect(await rowsOf()).toEqual(before);
    ok(await work.restore('3', rows('--checksums', 'rows')));
    expect(await rowsOf()).not.toEqual(before);
  });

  test('are left out where the number of rows is asked for alone', async () => {
    const { manifest } = await dumped('--checksums', 'rows');
    expect(manifest.checksums).toBeUndefined();
    expect(sums(manifest)).toEqual(
      Object.fromEntries(manifest.tables.map((table) => [table.name, undefined])),
    );
    ok(await work.restore('3', rows()));
  });
});
