// One flipped bit, any truncation, any exchange anywhere in an archive is detected: thousands of random ones, in one
// process, by the code that `verify` and `restore` run. SOVEREIGN_MUTATIONS=100000 tries more.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ArchiveStore } from '../../lambda/archive/store';
import { bundled } from '../support/bundled';
import { usePostgres } from '../support/postgres';
import { amount, seeded, seedOf } from '../support/random';
import { type Workspace, workspace } from '../support/tenants';
import type * as Module from './archive-code';
import { mutate, type Objects } from './mutations';

const { verifyArchive, readKeyFile, ObjectMissingError, openDump, openManifest } = bundled<typeof Module>(
  'test/faults/archive-code.ts',
);
const server = usePostgres();
const mutations = amount('SOVEREIGN_MUTATIONS', 2400);
let work: Workspace;
let key: Awaited<ReturnType<typeof readKeyFile>>;
/** Archives by the format that they have. */
const archives = new Map<string, { tenant: string; objects: Objects }>();

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
    archives.set(format, { tenant, objects: objectsOf(`local/${tenant}/${archive}`) });
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

function objectsOf(prefix: string): Objects {
  const objects: Objects = new Map();
  for (const name of readdirSync(join(work.store, prefix), { recursive: true }) as string[]) {
    const path = join(work.store, prefix, name);
    if (statSync(path).isFile()) objects.set(`${prefix}/${name}`, readFileSync(path));
  }
  return objects;
}

function storeOf(objects: Objects): ArchiveStore {
  const refuse = async () => {
    throw new Error('verifying writes nothing');
  };
  return {
    location: 'memory',
    async read(name) {
      const bytes = objects.get(name);
      if (!bytes) throw new ObjectMissingError(name, 'memory');
      return Readable.from(pieces(bytes), { objectMode: false });
    },
    async *list(prefix) {
      for (const name of [...objects.keys()].sort())
        if (name.startsWith(prefix)) yield { key: name, bytes: objects.get(name)!.length };
    },
    write: refuse,
    remove: refuse,
    sweep: refuse,
  };
}

/** Uneven pieces, as a network gives them. */
function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let from = 0; from < bytes.length; from += 61_001) yield bytes.subarray(from, from + 61_001);
}

const verified = (tenant: string, objects: Objects) =>
  verifyArchive({ tenant, regime: 'local', store: storeOf(objects), key }).catch((error: Error) => ({
    ok: false,
    problems: [error.message],
    refused: (error as { exitCode?: number }).exitCode,
  }));

test('the archives are of the formats that they are here for, and good', async () => {
  const shapes: Record<string, unknown> = {};
  for (const [format, { tenant, objects }] of archives) {
    expect(await verified(tenant, objects)).toMatchObject({ ok: true, problems: [] });
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
    const entries = [...archives];
    const undetected: string[] = [];
    const unclear: string[] = [];
    const kinds = new Set<string>();
    for (let count = 0; count < mutations; count += 1) {
      const [format, { tenant, objects }] = entries[count % entries.length]!;
      const others = entries.filter(([other]) => other !== format).map(([, other]) => other.objects);
      const { what, objects: changed } = mutate(objects, others, random);
      kinds.add(what);
      const result = await verified(tenant, changed);
      const said = result.problems.join('; ');
      if (result.ok || said === '') undetected.push(`${format}: ${what}`);
      else if (/undefined|is not a|Cannot read|ERR_|\n/.test(said))
        unclear.push(`${format}: ${what}: ${said}`);
      if ('refused' in result && ![2, 3].includes(result.refused!)) unclear.push(`${what}: ${said}`);
    }
    expect(undetected).toEqual([]);
    expect(unclear).toEqual([]);
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
  const mine = objectsOf(`local/little/${newest}`);
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
