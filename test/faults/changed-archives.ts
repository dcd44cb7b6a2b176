// Archives in memory, changed at random, and read by the code that `verify` and `restore` run.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ArchiveStore } from '../../lambda/archive/store';
import { bundled } from '../support/bundled';
import type * as Module from './archive-code';
import { mutate, type Objects } from './mutations';

export const code = bundled<typeof Module>('test/faults/archive-code.ts');
type Key = Awaited<ReturnType<typeof Module.readKeyFile>>;

export interface Archive {
  readonly tenant: string;
  readonly objects: Objects;
}

/** All files of an archive, by their names in the store. */
export function objectsOf(store: string, prefix: string): Objects {
  const objects: Objects = new Map();
  for (const name of readdirSync(join(store, prefix), { recursive: true }) as string[]) {
    const path = join(store, prefix, name);
    if (statSync(path).isFile()) objects.set(`${prefix}/${name}`, readFileSync(path));
  }
  return objects;
}

export function storeOf(objects: Objects): ArchiveStore {
  const refuse = async () => {
    throw new Error('verifying writes nothing');
  };
  return {
    location: 'memory',
    async read(name) {
      const bytes = objects.get(name);
      if (!bytes) throw new code.ObjectMissingError(name, 'memory');
      return Readable.from(pieces(bytes), { objectMode: false });
    },
    async *list(prefix) {
      for (const name of [...objects.keys()].sort())
        if (name.startsWith(prefix)) yield { key: name, bytes: objects.get(name)!.length };
    },
    folders: refuse,
    write: refuse,
    remove: refuse,
    sweep: refuse,
  };
}

/** Uneven pieces, as a network gives them. */
function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let from = 0; from < bytes.length; from += 61_001) yield bytes.subarray(from, from + 61_001);
}

export const verified = (tenant: string, objects: Objects, key: Key) =>
  code.verifyArchive({ tenant, regime: 'local', store: storeOf(objects), key }).catch((error: Error) => ({
    ok: false,
    problems: [error.message],
    refused: (error as { exitCode?: number }).exitCode,
  }));

/** Changes one archive after the other; parts of each other one may come into it. What is not as it should be is told. */
export async function changeAtRandom(request: {
  /** By what they are called in what is told. */
  readonly archives: ReadonlyMap<string, Archive>;
  readonly key: Key;
  readonly mutations: number;
  readonly random: () => number;
}) {
  const entries = [...request.archives];
  const undetected: string[] = [];
  const unclear: string[] = [];
  const kinds = new Set<string>();
  for (let count = 0; count < request.mutations; count += 1) {
    const [name, { tenant, objects }] = entries[count % entries.length]!;
    const others = entries.filter(([other]) => other !== name).map(([, other]) => other.objects);
    const { what, objects: changed } = mutate(objects, others, request.random);
    kinds.add(what);
    const result = await verified(tenant, changed, request.key);
    const said = result.problems.join('; ');
    if (result.ok || said === '') undetected.push(`${name}: ${what}`);
    else if (/undefined|is not a|Cannot read|ERR_|\n/.test(said)) unclear.push(`${name}: ${what}: ${said}`);
    if ('refused' in result && ![2, 3].includes(result.refused!)) unclear.push(`${what}: ${said}`);
  }
  return { undetected, unclear, kinds };
}
