import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperationError, reasonOf } from '../../errors.js';
import { listed } from '../listed.js';
import { type DatabaseProperties, readCatalog } from './catalog.js';
import { type Connection, explained, literal, q, rows, type ServerFacts } from './connect.js';
import { inOwnName } from './definers.js';
import { type Mark, writeMark } from './marks.js';
import { undoName } from './names.js';
import {
  createStep,
  dropStep,
  find,
  type Program,
  readPrograms,
  type Step,
  take,
  triggersOf,
  without,
} from './programs.js';
import { finish, rollBack, settle } from './recover.js';
import { PENDING, SWAPPED, swapped } from './swap-flag.js';
import { tryTriggers } from './trial.js';

const ATTEMPTS = 3;
/** While the rename waits for open transactions, the tenant's other statements wait behind it. */
const PATIENCE_SECONDS = 5;
const LOCK_WAIT = 'ER_LOCK_WAIT_TIMEOUT';

export interface SwapRequest {
  /** Holds the lock on this database's restores. */
  readonly client: Connection;
  readonly server: ServerFacts;
  readonly tenant: string;
  readonly database: string;
  /** How to create the database where there is none. */
  readonly model: DatabaseProperties;
  /** From where the new tables come. */
  readonly next: string;
  /** What the live database is to have beside tables. */
  readonly programs: readonly Program[];
  readonly keep: boolean;
  /** Live triggers that were tried before; others are tried now. */
  readonly tried?: readonly Program[];
}

/**
 * Puts other tables in the place of the live ones by one RENAME TABLE, which is done whole or not at all: it is the
 * moment of the swap. Triggers forbid to move a table, so they are dropped right before and made anew right after;
 * what must be finished, or taken back, when all of us is killed in between, stands in the undo copy beforehand.
 */
export async function swapDatabases(request: SwapRequest): Promise<{ undo?: string }> {
  try {
    return await swapOnce(request);
  } catch (error) {
    throw explained(
      error,
      'the swap was interrupted',
      'the live database has its old tables or the new ones, all of them; restore again: that finishes it, or takes it back',
    );
  }
}

async function swapOnce(request: SwapRequest): Promise<{ undo?: string }> {
  const { client, database, model, next, programs, keep } = request;
  await refuseForeignReferences(client, database);
  if (!(await readCatalog(client, database))) await createDatabase(client, database, model);
  const old = await readPrograms(client, database);
  const now = new Date();
  const undo = undoName(database, now, randomBytes(2).toString('hex'));
  await createDatabase(client, undo, { ...model, comment: '' });
  const base = {
    tool: 'sovereign-backup',
    kind: 'undo',
    tenant: request.tenant,
    database,
    at: now.toISOString(),
  } as const;
  await writeMark(client, undo, { ...base, trial: true });
  await tryTriggers({
    client,
    database,
    copy: undo,
    triggers: without(triggersOf(old), request.tried ?? []),
  });
  await client.query(`create table ${q(undo, PENDING)} (id int primary key) engine=InnoDB`);
  const mark: Mark = { ...base, programs: old, swap: { next, programs, keep } };
  await writeMark(client, undo, mark);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await exchange(request, undo, old);
      break;
    } catch (error) {
      if (await swapped(client, undo)) break;
      if ((error as { code?: string }).code !== LOCK_WAIT || attempt === ATTEMPTS) {
        const why = await explain(request, error);
        const notes = await rollBack(client, { name: undo, mark });
        const state = `database ${JSON.stringify(database)} is as it was`;
        throw new OperationError(
          [why, notes.length === 0 ? state : `${state}, except for this: ${notes.join('; ')}`].join('; '),
        );
      }
      await sleep(500);
    }
  }
  await settle(client, mark);
  const problems = await finish(client, { name: undo, mark });
  if (problems.length > 0)
    throw new OperationError(
      `the tables of database ${JSON.stringify(database)} are those of the archive now, but not all else is: ${listed(problems)}; mend the cause and restore again, or undo`,
    );
  return keep ? { undo } : {};
}

export async function createDatabase(
  client: Connection,
  name: string,
  model: DatabaseProperties,
): Promise<void> {
  const comment = model.comment ? ` comment = ${literal(model.comment)}` : '';
  const word = (text: string) => text.replace(/\W/g, '');
  await client.query(
    `create database ${q(name)} character set ${word(model.charset)} collate ${word(model.collation)}${comment}`,
  );
}

/** A foreign key from elsewhere would follow the old tables into the undo copy. */
export async function refuseForeignReferences(client: Connection, database: string): Promise<void> {
  const found = await rows<{ name: string }>(
    client,
    `select distinct concat(table_schema, '.', table_name) as name from information_schema.key_column_usage
     where binary referenced_table_schema = ? and binary table_schema <> ?`,
    [database, database],
  );
  if (found.length > 0)
    throw new OperationError(
      `tables of other databases have foreign keys to this one: ${listed(found.map(({ name }) => name))}; they would follow the old tables, so drop them first and create them anew afterwards; the live database was not touched`,
    );
}

async function exchange(request: SwapRequest, undo: string, old: readonly Program[]): Promise<void> {
  const { client, server, database, next, programs } = request;
  const leaving = (await readCatalog(client, database))!.tables.map(({ name }) => name);
  const coming = (await readCatalog(client, next))!.tables
    .map(({ name }) => name)
    .filter((name) => name !== PENDING && name !== SWAPPED);
  const asides = standingAside(old, coming);
  const moves = [
    ...asides.map(({ name, aside }) => `${q(database, name)} to ${q(database, aside)}`),
    ...leaving.map((name) => `${q(database, name)} to ${q(undo, name)}`),
    ...coming.map((name) => `${q(next, name)} to ${q(database, name)}`),
    `${q(undo, PENDING)} to ${q(undo, SWAPPED)}`,
  ];
  const plan: Plan = {
    rename: `rename table ${moves.join(', ')}`,
    // The last ones first: if not all come to be dropped, those that are made again still fire in their order.
    drop: triggersOf(old).map(dropStep).reverse(),
    again: triggersOf(old),
    anew: triggersOf(programs).map(createStep),
    after: [
      ...asides.map(({ aside }) => dropStep({ kind: 'VIEW', name: aside })),
      ...afterwards(
        old.filter(({ kind, name }) => kind !== 'VIEW' || !asides.some((view) => view.name === name)),
        programs.filter(({ kind }) => kind !== 'TRIGGER'),
      ),
    ],
    locks: [
      // MySQL renames no view either that is not locked; MariaDB would lock none that is broken.
      ...(server.mariadb ? [] : asides.map(({ name }) => `${q(database, name)} write`)),
      ...leaving.map((name) => `${q(database, name)} write`),
      ...coming.map((name) => `${q(next, name)} write`),
      `${q(undo, PENDING)} write`,
    ],
  };
  await client.query(`use ${q(database)}`);
  await client.query(`set session lock_wait_timeout = ${PATIENCE_SECONDS}`);
  try {
    // Waits for open transactions while the triggers are still there; afterwards none is left to wait for.
    if (plan.drop.length > 0 && server.mariadb) await drained(client, plan.locks);
    await (server.mariadb ? inOneStatement(client, plan) : underLocks(client, plan));
  } finally {
    await client.query('set session lock_wait_timeout = 60').catch(() => {});
  }
}

/** A view that has the name of a coming table: no view goes into another database, but it may be called otherwise until it is dropped. */
function standingAside(old: readonly Program[], coming: readonly string[]) {
  return old
    .filter(({ kind, name }) => kind === 'VIEW' && coming.includes(name))
    .map(({ name }, at) => ({ name, aside: `__sovereign_aside_${at + 1}` }));
}

interface Plan {
  readonly rename: string;
  readonly drop: readonly Step[];
  readonly again: readonly Program[];
  /** Triggers of the new tables. What is written before they are there is written without them, so they come first. */
  readonly anew: readonly Step[];
  /** What else is dropped and made after the rename. */
  readonly after: readonly Step[];
  readonly locks: readonly string[];
}

function afterwards(old: readonly Program[], wanted: readonly Program[]): Step[] {
  const kept = old.filter(({ kind }) => kind !== 'TRIGGER');
  // A view is replaced; all else must go before it can be made again.
  const gone = without(kept, wanted).filter((program) => program.kind !== 'VIEW' || !find(wanted, program));
  return [...gone.map(dropStep), ...without(wanted, kept).map(createStep)];
}

async function drained(client: Connection, locks: readonly string[]): Promise<void> {
  await client.query(`lock tables ${locks.join(', ')}`);
  await client.query('unlock tables');
}

/**
 * MariaDB takes all of it as one statement, which it carries to its end although whoever sent it is killed: so only
 * the server's own death can fall between dropping the old triggers and making the new ones.
 */
async function inOneStatement(client: Connection, plan: Plan): Promise<void> {
  const text = ({ before, sql, after }: Step) => `${before}; execute immediate ${literal(sql)}; ${after};`;
  const hasty = `set session lock_wait_timeout = ${PATIENCE_SECONDS};`;
  const rest = [...plan.anew, ...plan.after].map(
    (step) =>
      // What fails here is found out and said afterwards; the rest goes on.
      `begin declare continue handler for sqlexception begin end; ${text(step)} end;`,
  );
  const again = plan.again.map(
    (program) =>
      // One of another account is better in a wrong name than lost. One that fails is no reason to lose the others.
      `begin declare continue handler for sqlexception
        begin declare continue handler for sqlexception begin end; ${text(createStep(inOwnName(program)))} end;
      ${text(createStep(program))} end;`,
  );
  await client.query(`begin not atomic
    begin
      declare exit handler for sqlexception begin ${again.join('\n')} resignal; end;
      ${plan.drop.map((step) => `${text(step)} ${hasty}`).join('\n')}
      ${plan.rename};
    end;
    ${rest.join('\n')}
  end`);
}

/** MySQL lets tables be renamed that are locked: nobody writes to them while they have no triggers. */
async function underLocks(client: Connection, plan: Plan): Promise<void> {
  await client.query(`lock tables ${plan.locks.join(', ')}`);
  try {
    for (const step of plan.drop) await take(client, step);
    await client.query(plan.rename);
    for (const step of plan.anew) await take(client, step);
  } finally {
    await client.query('unlock tables');
  }
}

async function explain({ client, database }: SwapRequest, error: unknown): Promise<string> {
  const found = await rows<{ who: string }>(
    client,
    `select distinct concat(user, '@', host, ' (', command, ' for ', time, ' s)') as who
     from information_schema.processlist where db = ? and id <> connection_id()`,
    [database],
  ).catch(() => []);
  const waited = (error as { code?: string }).code === LOCK_WAIT;
  const sessions =
    waited && found.length > 0 ? `; connected to it: ${listed(found.map(({ who }) => who))}` : '';
  const advice = waited
    ? `; some session keeps a transaction open on its tables${sessions}: let it end, or end it, then run again`
    : '';
  return `the databases could not be swapped: ${reasonOf(error)}${advice}`;
}
