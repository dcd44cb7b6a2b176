import { reasonOf } from '../../errors.js';
import { readCatalog } from './catalog.js';
import { type Connection, q } from './connect.js';
import { inOwnName } from './definers.js';
import { createHead, eventStatus, splice } from './head.js';
import { type Copy, copiesOf, dropCopy, type Mark, writeMark } from './marks.js';
import {
  createProgram,
  dropProgram,
  find,
  type Program,
  readPrograms,
  sameProgram,
  triggersOf,
  without,
} from './programs.js';
import { PENDING, SWAPPED, swapped } from './swap-flag.js';

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
  await settleFormer(client, database);
  for (const copy of await copiesOf(client, 'undo', database)) {
    if (isInterrupted(copy)) {
      if (await swapped(client, copy.name)) {
        say(`finishing the swap that was interrupted at ${copy.mark.at}`);
        const problems = await finish(client, copy);
        for (const problem of problems) say(`could not be finished: ${problem}`);
      } else {
        say(`taking back the swap that was interrupted at ${copy.mark.at}`);
        for (const note of await rollBack(client, copy)) say(note);
      }
    } else if (copy.mark?.trial) await dropCopy(client, copy.name);
    else if (!copy.mark) await dropIfEmpty(client, copy.name);
  }
}

/** What `undo` may put back: a swap that was never done has put nothing aside. */
export async function keptCopies(client: Connection, database: string): Promise<Marked[]> {
  const kept: Marked[] = [];
  for (const { name, mark } of await copiesOf(client, 'undo', database))
    if (mark && (!mark.swap || (await swapped(client, name)))) kept.push({ name, mark });
  return kept;
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
  if (problems.length > 0) return problems.map(told);
  await close(client, { name, mark });
  return [];
}

/** Before the rename: the live tables were not moved, but may have lost triggers. Resolves to what is not as it was. */
export async function rollBack(client: Connection, { name, mark }: Marked): Promise<string[]> {
  const { database, programs = [], swap } = mark;
  const triggers = triggersOf(programs);
  const there = await readPrograms(client, database);
  const failures = await makeAll(
    client,
    triggers.filter((trigger) => !find(there, trigger)),
    createOrOwn,
  );
  const now = await readPrograms(client, database);
  // It was made for the swap, and nothing was ever in it.
  if (swap && !swap.keep) await dropEmptied(client, database);
  // Else the next run tries again.
  if (failures.every(wasBroken)) await dropEmptied(client, name);
  const others = without(triggers, now).filter((trigger) => find(now, trigger));
  return [
    ...failures.map(
      (failure) =>
        `${told(failure)}: ${wasBroken(failure) ? 'it was broken already, and is lost' : 'it is not there, until another run can make it'}; its definition was ${failure.program.sql}`,
    ),
    ...others.map((trigger) =>
      sameProgram(inOwnName(trigger), inOwnName(find(now, trigger)!))
        ? `trigger ${trigger.name} runs in the name of this user now, who may not make one in another's`
        : `trigger ${trigger.name} is another one now than before the swap, and was left; the definition was ${trigger.sql}`,
    ),
  ];
}

/** After the rename: what could not be finished, or taken back, of former swaps is what nobody waits for any more. */
export async function settle(client: Connection, { database, at }: Mark): Promise<void> {
  for (const copy of await copiesOf(client, 'undo', database))
    if (isInterrupted(copy) && copy.mark.at < at) await close(client, copy);
}

/** Killed right after the rename, when that was not yet done. */
async function settleFormer(client: Connection, database: string): Promise<void> {
  for (const copy of await copiesOf(client, 'undo', database))
    if (isInterrupted(copy) && (await swapped(client, copy.name))) await settle(client, copy.mark);
}

/** Ends a swap: the copy is one that can be put back, or, where nothing was live before or was moved, is no more. */
async function close(client: Connection, { name, mark }: Marked): Promise<void> {
  const { swap, ...kept } = mark;
  const done = await swapped(client, name);
  if (swap && done) await dropEmptied(client, swap.next);
  if (swap?.keep && done) await writeMark(client, name, kept);
  else await dropEmptied(client, name);
}

/** A program that could not be made or dropped, and why. */
export interface Failure {
  readonly program: Program;
  readonly error: unknown;
}

export const told = ({ program: { kind, name }, error }: Failure) =>
  `${kind.toLowerCase()} ${name}: ${reasonOf(error)}`;

/** What it reads is not there. In a copy that has all that was live it was so before, and nobody can make it. */
export const wasBroken = ({ error }: Failure) =>
  ['ER_NO_SUCH_TABLE', 'ER_BAD_FIELD_ERROR', 'ER_SP_DOES_NOT_EXIST'].includes(
    (error as { code?: string }).code ?? '',
  );

/** Whether this user can make all of the programs: makes them in a copy, with events asleep, and drops them again. */
export async function rehearse(
  client: Connection,
  copy: string,
  programs: readonly Program[],
): Promise<Failure[]> {
  const asleep = programs.map((program) => {
    const head = program.kind === 'EVENT' ? createHead(program.sql) : undefined;
    const status = head && eventStatus(head);
    return status ? { ...program, sql: splice(program.sql, status, 'DISABLE') } : program;
  });
  const problems = await setPrograms(client, copy, asleep);
  return [...problems, ...(await setPrograms(client, copy, []))];
}

/** Makes a database's programs those of a list. What needs another one is tried again after it. */
export async function setPrograms(
  client: Connection,
  database: string,
  wanted: readonly Program[],
): Promise<Failure[]> {
  const there = await readPrograms(client, database);
  await client.query(`use ${q(database)}`);
  const stays: Failure[] = [];
  for (const program of without(there, wanted)) {
    if (program.kind === 'VIEW' && find(wanted, program)) continue;
    await dropProgram(client, program).catch((error) => stays.push({ program, error }));
  }
  const missing = wanted.filter((program) => !sameProgram(program, find(there, program)));
  return [...stays, ...(await makeAll(client, missing, createProgram))];
}

/** Makes one by one; what needs another one is tried again after it. Resolves to those that failed. */
export async function makeAll(
  client: Connection,
  programs: readonly Program[],
  make: (client: Connection, program: Program) => Promise<void>,
): Promise<Failure[]> {
  let missing = programs;
  for (;;) {
    const failed: Failure[] = [];
    for (const program of missing)
      await make(client, program).catch((error) => failed.push({ program, error }));
    if (failed.length === 0 || failed.length === missing.length) return failed;
    missing = failed.map(({ program }) => program);
  }
}

/** One of another account is better in a wrong name than lost. */
export const createOrOwn = (client: Connection, program: Program): Promise<void> =>
  createProgram(client, program).catch(() => createProgram(client, inOwnName(program)));

/** Drops a copy whose tables have all been moved away; one that still has any is left alone. */
async function dropEmptied(client: Connection, name: string): Promise<void> {
  const catalog = await readCatalog(client, name);
  const tables = catalog?.tables.filter((table) => ![PENDING, SWAPPED].includes(table.name)) ?? [];
  if (catalog && tables.length === 0) await dropCopy(client, name);
}
