import { reasonOf } from '../../errors.js';
import { readCatalog } from './catalog.js';
import { type Connection, q } from './connect.js';
import { type Copy, copiesOf, type Mark, writeMark } from './marks.js';
import {
  createProgram,
  dropSql,
  find,
  type Program,
  readPrograms,
  sameProgram,
  without,
} from './programs.js';
import { dropCopy, swapped } from './swap.js';

/** A table without rows whose name is changed by the swap's own RENAME: by it is known whether that was done. */
export const PENDING = '__sovereign_pending';
export const SWAPPED = '__sovereign_swapped';

interface Marked {
  readonly name: string;
  readonly mark: Mark;
}

/** Finishes what a swap left that was killed, or takes it back; we hold the lock, so it is not under way. */
export async function recover(
  client: Connection,
  database: string,
  say: (message: string) => void,
): Promise<void> {
  for (const copy of await copiesOf(client, 'undo', database)) {
    if (isInterrupted(copy)) {
      if (await swapped(client, copy.name)) {
        say(`finishing the swap that was interrupted at ${copy.mark.at}`);
        const problems = await finish(client, copy);
        for (const problem of problems) say(`could not be finished: ${problem}`);
      } else {
        say(`taking back the swap that was interrupted at ${copy.mark.at}`);
        await rollBack(client, copy);
      }
    } else if (!copy.mark) await dropIfEmpty(client, copy.name);
  }
}

function isInterrupted(copy: Copy): copy is Marked {
  return copy.mark?.swap !== undefined;
}

/** Killed before it was noted what the copy is for: then nothing was moved into it. */
async function dropIfEmpty(client: Connection, name: string): Promise<void> {
  const catalog = await readCatalog(client, name);
  const foreign = catalog?.tables.filter((table) => table.name !== PENDING) ?? [];
  if (catalog && foreign.length + catalog.programs.length === 0) await dropCopy(client, name);
}

/** After the rename: gives the live database the programs that belong to its new tables. Resolves to what failed. */
export async function finish(client: Connection, { name, mark }: Marked): Promise<string[]> {
  const { database, swap } = mark;
  if (!swap) return [];
  const problems = await setPrograms(client, database, swap.programs);
  if (problems.length > 0) return problems;
  await dropEmptied(client, swap.next);
  if (swap.keep) {
    const { swap: _, ...kept } = mark;
    await writeMark(client, name, kept);
  } else await dropEmptied(client, name);
  return [];
}

/** Before the rename: the live tables were not moved, but may have lost triggers. */
export async function rollBack(client: Connection, { name, mark }: Marked): Promise<void> {
  const { database, programs = [], swap } = mark;
  const there = await readPrograms(client, database);
  for (const program of programs) {
    if (program.kind === 'TRIGGER' && !find(there, program)) await createProgram(client, program);
  }
  // It was made for the swap, and nothing was ever in it.
  if (swap && !swap.keep) await dropEmptied(client, database);
  await dropEmptied(client, name);
}

/** Makes a database's programs those of a list. What needs another one is tried again after it. */
export async function setPrograms(
  client: Connection,
  database: string,
  wanted: readonly Program[],
): Promise<string[]> {
  const there = await readPrograms(client, database);
  await client.query(`use ${q(database)}`);
  for (const program of without(there, wanted)) {
    if (program.kind !== 'VIEW' || !find(wanted, program)) await client.query(dropSql(program));
  }
  let missing = wanted.filter((program) => !sameProgram(program, find(there, program)));
  for (;;) {
    const failed: Program[] = [];
    const problems: string[] = [];
    for (const program of missing) {
      await createProgram(client, program).catch((error) => {
        failed.push(program);
        problems.push(`${program.kind.toLowerCase()} ${program.name}: ${reasonOf(error)}`);
      });
    }
    if (failed.length === 0 || failed.length === missing.length) return problems;
    missing = failed;
  }
}

/** Drops a copy whose tables have all been moved away; one that still has any is left alone. */
async function dropEmptied(client: Connection, name: string): Promise<void> {
  const catalog = await readCatalog(client, name);
  const tables = catalog?.tables.filter((table) => ![PENDING, SWAPPED].includes(table.name)) ?? [];
  if (catalog && tables.length === 0) await dropCopy(client, name);
}
