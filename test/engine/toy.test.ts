// Adding an engine takes one file that implements the interface: whatever calls engines works with one it has never seen.
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { build } from 'esbuild';
import type * as Code from './toy-code';

const root = join(__dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'toy-'));
let code: typeof Code;
beforeAll(async () => {
  const outfile = join(folder, 'code.cjs');
  await build({
    entryPoints: [join(__dirname, 'toy-code.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['pg-native'],
    plugins: [
      {
        name: 'the one engine that there is',
        setup: (on) => {
          on.onLoad({ filter: /lambda\/engine\/engines\.ts$/ }, () => ({
            contents: `import { toy } from ${JSON.stringify(join(__dirname, 'toy.ts'))};
              export const engineFor = async () => toy;`,
            resolveDir: root,
          }));
        },
      },
    ],
  });
  code = require(outfile);
});

test('dump, list, verify, rehearse, restore, keep beside, write to a file, undo', async () => {
  const { databases } = code;
  const keyFile = join(folder, 'key');
  await code.generateKeyFile(keyFile);
  const said: string[] = [];
  const on = {
    tenant: 'acme',
    regime: 'local',
    store: new code.FolderStore(join(folder, 'store')),
    key: await code.readKeyFile(keyFile),
    server: { scheme: 'toy', host: 'here', options: {} },
    progress: ({ message }: { message?: string }) => void said.push(message ?? ''),
  };
  databases.set('acme', ['one', 'two']);
  const { archive } = await code.dumpTenant(on);
  expect((await code.listArchives(on)).archives).toMatchObject([{ archive, tables: [{ rows: 2 }] }]);
  expect(await code.verifyArchive(on)).toMatchObject({ ok: true });
  const [path] = readdirSync(join(folder, 'store/local/acme')).map((name) =>
    join(folder, 'store/local/acme', name, 'manifest.json'),
  );
  const manifest = JSON.parse(readFileSync(path!, 'utf8'));
  const schema = readFileSync(join(root, 'schema/manifest.schema.json'), 'utf8');
  const valid = new Ajv({ allowUnionTypes: true }).compile(JSON.parse(schema));
  expect(valid(manifest) ? [] : valid.errors).toEqual([]);
  // What shows only while the rows are read is told, too.
  expect(manifest.omitted).toEqual([{ what: 'colours', why: 'lines have none' }]);
  expect(said).toContain('not in the archive: colours (lines have none)');

  databases.set('acme', ['changed']);
  expect(await code.rehearseRestore(on)).toMatchObject({ ok: true, warnings: ['a toy'] });
  await expect(code.restoreTenant({ ...on, confirm: async () => 'other' })).rejects.toThrow('acme');
  await expect(code.compareTenant(on)).rejects.toThrow('cannot be compared');
  expect(databases.get('acme')).toEqual(['changed']);
  expect(await code.restoreTenant({ ...on, confirm: async () => 'acme' })).toHaveProperty('undo');
  expect(databases.get('acme')).toEqual(['one', 'two']);
  await code.undoRestore({ ...on, confirm: 'acme' });
  expect(databases.get('acme')).toEqual(['changed']);
  await code.restoreAs({ ...on, keepAs: 'friday' });
  expect(databases.get('friday')).toEqual(['one', 'two']);
  const file = join(folder, 'dump');
  await code.restoreToFile({ ...on, file });
  expect(readFileSync(file, 'utf8')).toBe('["one","two"]');
});

test('what it has not is refused before it is asked', async () => {
  const on = { tenant: 'acme', regime: 'local', server: { scheme: 'toy', host: 'here', options: {} } };
  const store = new code.FolderStore(join(folder, 'empty'));
  const key = await code.readKeyFile(join(folder, 'key'));
  await expect(code.dumpTenant({ ...on, store, key, options: { jobs: 2 } })).rejects.toThrow(
    'a dump of toy with tenancy "database" cannot have several sessions at once (--jobs)',
  );
});
