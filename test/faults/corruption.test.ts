// One flipped bit, any truncation, any exchange anywhere in an archive is detected: thousands of random ones, in one
// process, by the code that `verify` and `restore` run. SOVEREIGN_MUTATIONS=100000 tries more.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { usePostgres } from '../support/postgres';
import { amount, seeded, seedOf } from '../support/random';
import { type Workspace, workspace } from '../support/tenants';
import { type Archive, changeAtRandom, code, objectsOf, storeOf, verified } from './changed-archives';
import { mutate, type Objects } from './mutations';

const { readKeyFile, openDump, openManifest } = code;
const server = usePostgres();
const mutations = amount('SOVEREIGN_MUTATIONS', 2400);
let work: Workspace;
let key: Awaited<ReturnType<typeof readKeyFile>>;
/** Archives by the format that they have. */
const archives = new Map<string, Archive>();

beforeAll(async () => {
  work = await workspace(server);
  key = await readKeyFile(work.key);
  await server().query('create database little');
  await server().query('create table t as select n from generate_series(1, 20) n', [], 'little');
  await server().query('create database frames');
  // Random bytes stay as long as they are: several frames, the last one short.
  await server().query(
    `create table t as select n, decode(string_agg(md5(random()::text), ''), 'hex') as noise
     from generate_series(1, 700) n, generate_series(1, 60) m group by n`,
    [],
    'frames',
  );
  const inside = { env: { SOVEREIGN_BACKUP_PG_BIN: clientsThatCompress() } };
  for (const [format, tenant, options] of [
    ['compressed by us', 'little', {}],
    ['several frames', 'frames', {}],
    ['compressed by pg_dump', 'little', inside],
    ['several frames, compressed by pg_dump', 'frames', inside],
  ] as const) {
    const dumped = await work.dump(tenant, [], options);
    expect(dumped).toMatchObject({ code: 0 });
    const { archive } = dumped.json<{ archive: string }>();
    archives.set(format, { tenant, objects: objectsOf(work.store, `local/${tenant}/${archive}`) });
  }
});
afterAll(() => work?.remove());

/** The machine's own clients, which say that they are new enough to compress, and do so as well as they can. */
function clientsThatCompress(): string {
  const folder = join(work.folder, 'clients');
  mkdirSync(folder);
  for (const tool of ['pg_dump', 'pg_restore']) {
    const real = join(process.env.SOVEREIGN_BACKUP_PG_BIN ?? server().bin, tool);
    const script = `#!/bin/bash
      if [ "$1" = --version ]; then echo '${tool} (PostgreSQL) 99.0'; exit; fi
      exec '${real}' "\${@/--compress=zstd:*/--compress=1}"`;
    writeFileSync(join(folder, tool), script, { mode: 0o755 });
  }
  return folder;
}

test('the archives are of the formats that they are here for, and good', async () => {
  const shapes: Record<string, unknown> = {};
  for (const [format, { tenant, objects }] of archives) {
    expect(await verified(tenant, objects, key)).toMatchObject({ ok: true, problems: [] });
    const named = (part: string) => [...objects].find(([name]) => name.endsWith(`/${part}`))![1];
    const { compressed } = JSON.parse(named('manifest.json').toString());
    shapes[format] = [compressed.algorithm, named('data').length > 2 * 262_144];
  }
  expect(shapes).toMatchObject({
    'compressed by us': [expect.any(String), false],
    'several frames': [expect.any(String), true],
    'compressed by pg_dump': ['none', false],
    'several frames, compressed by pg_dump': ['none', true],
  });
});

test(
  `${mutations} random changes are all detected, each in words`,
  async () => {
    const random = seeded(seedOf('corruption'));
    const { kinds, ...faults } = await changeAtRandom({ archives, key, mutations, random });
    expect(faults).toEqual({ undetected: [], unclear: [] });
    // Of some sixty kinds of change, most must have come up, or the dice are loaded.
    expect(kinds.size).toBeGreaterThan(40);
  },
  120_000 + mutations * 10,
);

test('what restore reads ends in an error, too, before the last byte of a changed dump was given', async () => {
  const random = seeded(seedOf('corruption of data'));
  const { objects } = archives.get('several frames')!;
  const name = [...objects.keys()].find((each) => each.endsWith('/data'))!;
  const archive = name.split('/')[2]!;
  const place = { regime: 'local', tenant: 'frames', archive, at: timeOf(objects), objects: listed(objects) };
  const manifest = await openManifest({ store: storeOf(objects), key }, place);
  const read = async (changed: Objects) => {
    let bytes = 0;
    for await (const chunk of await openDump({ store: storeOf(changed), key }, place, manifest))
      bytes += (chunk as Buffer).length;
    return bytes;
  };
  expect(await read(objects)).toBe(manifest.dump.bytes);
  for (let count = 0; count < 150; count += 1) {
    const bytes = Buffer.from(objects.get(name)!);
    bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
    await expect(read(new Map([...objects, [name, bytes]]))).rejects.toThrow();
  }
});

function listed(objects: Objects) {
  return [...objects].map(([name, bytes]) => ({ key: name, bytes: bytes.length }));
}

function timeOf(objects: Objects): Date {
  const manifest = [...objects].find(([name]) => name.endsWith('/manifest.json'))![1];
  return new Date(JSON.parse(manifest.toString()).at);
}

test('a few of them through the command, which says so and exits 1', async () => {
  const random = seeded(seedOf('corruption through the command'));
  const { objects } = archives.get('compressed by us')!;
  const [newest] = readdirSync(join(work.store, 'local/little')).sort().slice(-1);
  const mine = objectsOf(work.store, `local/little/${newest}`);
  for (let count = 0; count < 6; count += 1) {
    const { what, objects: changed } = mutate(mine, [objects], random);
    const place = join(work.folder, `changed-${count}`);
    for (const [name, bytes] of changed) {
      const path = join(place, name);
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, bytes);
    }
    const ran = await work.verify('little', ['--store', place]);
    expect({ what, code: ran.code, ok: ran.json<{ ok: boolean }>().ok }).toEqual({
      what,
      code: 1,
      ok: false,
    });
  }
});
