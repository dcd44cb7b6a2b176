import pg from 'pg';
import { InputError, OperationError, reasonOf } from '../../../errors.js';
import type { ForeignKey } from '../../../tenancy/catalog.js';
import { nameOf } from '../../../tenancy/description.js';
import { nullableColumns } from '../../../tenancy/order.js';
import type { PlannedTable } from '../../../tenancy/planned-table.js';
import type { StagedTable } from '../../../tenancy/stage.js';
import { type Changes, NotAsMeant, tellChanges } from '../../changes.js';
import { limitStruck } from '../../limit-struck.js';
import { besideOf, identical } from './beside.js';
import { differences } from './difference.js';
import { explainEvent } from './event-triggers.js';
import { dropBeside, dropKept, type Kept, keepPresent, type Present } from './kept.js';
import { isLimit } from './limit.js';
import { measureRows, same } from './measure.js';
import { Overtaken, seal } from './seal.js';
import { advanceSequences } from './sequences.js';
import { names, relation, type SharedRows } from './shared-rows.js';
import { Triggers } from './triggers.js';
import { Witness } from './witness.js';

const ATTEMPTS = 5;
const AGAIN = ['40001', '40P01', '55P03'];

export interface ReplaceRequest {
  /** Holds the staged rows; idle. */
  readonly client: pg.Client;
  /** Another session, which sees what others have committed. */
  readonly outside: pg.Client;
  readonly rows: SharedRows;
  readonly staged: readonly StagedTable[];
  readonly tenant: string;
  /** The kept copy that is put back, which then is no copy any more. */
  readonly consumes?: Kept;
  readonly statementTimeout?: number;
  readonly phase?: (message: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Puts the staged rows in the place of the tenant's present ones, in one transaction that commits only if nothing of
 * any other tenant has changed by it. What others write meanwhile to their own rows is not in its way, nor it in theirs.
 * Rows that are the archive's already stay as they are, unless the others cannot be put beside them one by one (unique
 * values that change hands, foreign keys that go in circles): then all are taken away first.
 */
export async function replaceRows(request: ReplaceRequest): Promise<Kept> {
  let sparing = true;
  // From here on no text is read: CHECKs and defaults mean what they mean to the application.
  for (const session of [request.client, request.outside]) await session.query('reset timezone');
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await replaceOnce(request, sparing);
    } catch (error) {
      await request.client.query('rollback').catch(() => {});
      request.signal?.throwIfAborted();
      const overtaken = error instanceof Overtaken;
      if (sparing && standsInTheWay(error)) {
        sparing = false;
        attempt -= 1;
        continue;
      }
      if (!overtaken && !AGAIN.includes((error as { code?: string }).code ?? ''))
        throw (
          limitStruck(
            isLimit(error),
            request.statementTimeout,
            'a statement of the restore',
            'nothing was changed',
          ) ?? explain(explainEvent(error, request.rows.eventTriggers))
        );
      if (attempt === ATTEMPTS)
        throw new OperationError(
          `the tenant is being written to${overtaken ? ` (${error.message})` : ''}: ${ATTEMPTS} times its rows changed while they were replaced; nothing was changed: stop its writers, then run again`,
        );
      request.phase?.(
        `the tenant's rows were written to meanwhile${overtaken ? '' : ` (${reasonOf(error)})`}; beginning again`,
      );
    }
  }
}

/** What may be otherwise when all rows are taken away first; a counter, or a row that went along, speaks in a NotAsMeant. */
function standsInTheWay(error: unknown): boolean {
  if (error instanceof NotAsMeant) return true;
  const { code = '' } = error as { code?: string };
  // Integrity constraints; keys that our sessions have no equality for; more columns, twice, than a row may have, or
  // more bytes with what stands beside.
  return (
    error instanceof pg.DatabaseError && (code.startsWith('23') || ['42883', '54000', '54011'].includes(code))
  );
}

async function replaceOnce(request: ReplaceRequest, sparing: boolean): Promise<Kept> {
  const { client, rows, staged, tenant } = request;
  const { plan } = rows;
  await client.query('begin isolation level repeatable read');
  await client.query(`set local lock_timeout = '10s'`);
  // Keeps definitions as they were checked; reads and writes go on.
  await client.query(
    `lock table ${plan.tables.map(({ table }) => relation(table)).join(', ')} in row exclusive mode`,
  );
  const triggers = await Triggers.of(client, rows);
  await checkCrossings(client, rows);
  const witness = await Witness.begin(client, rows);
  if (triggers.any) await witness.defining(() => triggers.off());
  await client.query('set constraints all deferred');
  const present = await witness.defining(() => keepPresent(client, rows, tenant, sparing ? staged : []));
  const few = sparing ? await differences(client, rows, staged, present) : undefined;
  request.phase?.(tellChanges(few, (planned) => present.rows.get(planned)!));
  const changes = few ? await writeFew(request, present, few) : await writeAll(request, present);
  for (const table of staged) await advanceSequences(client, rows, table);
  await client.query('set constraints all immediate');
  if (triggers.any) await witness.defining(() => triggers.on());
  // Of few, each row was the archive's, to the last bit, where it was found or as it was written, and none was written to
  // since, which the witness proves.
  if (!few) await checkArrived(client, rows, staged);
  await witness.defining(async () => {
    await dropBeside(client, present);
    if (request.consumes) await dropKept(client, request.consumes);
  });
  await witness.end(changes, present.relations);
  request.signal?.throwIfAborted();
  await seal(client, request.outside, rows, present);
  // Nobody could say what holds if this one were cut.
  if (request.statementTimeout !== undefined) await client.query('set local statement_timeout = 0');
  await client.query('commit');
  return present.kept;
}

/** Touches what differs alone. No row that stays is written, nor are its foreign keys checked again. */
async function writeFew(
  { client, rows, staged, signal }: ReplaceRequest,
  present: Present,
  few: ReadonlyMap<PlannedTable, Changes>,
): Promise<ReadonlyMap<PlannedTable, Changes>> {
  const waiting = new Map(staged.map((table) => [table.planned, table]));
  for (const planned of [...rows.plan.tables].reverse()) {
    if (few.get(planned)!.deleted === 0) continue;
    const key = planned.table.primaryKey;
    const table = waiting.get(planned);
    const kept = table
      ? ` and not exists (select from ${table.name} s where (${names(key, 's')}) = (${names(key, 't')}))`
      : '';
    await client.query(`delete from ${relation(planned.table)} t where ${rows.belongs(planned, 't')}${kept}`);
  }
  signal?.throwIfAborted();
  await scans(client, 'off');
  for (const table of staged)
    if (few.get(table.planned)!.inserted > 0) await insertFew(client, rows, table, present, few);
  await scans(client, 'default');
  for (const table of staged)
    if (few.get(table.planned)!.updated > 0) await update(client, rows, table, present);
  return few;
}

/**
 * Whether a table is read whole where it has an index. The check of a foreign key, one for each row that comes back, would be
 * such a reading where the parents are few, which takes half as long again, and more.
 */
async function scans(client: pg.Client, state: 'off' | 'default'): Promise<void> {
  await client.query(`set local enable_seqscan = ${state}`);
}

/** The rows that the live table has not; each is looked at as the server says that it wrote it. */
async function insertFew(
  client: pg.Client,
  rows: SharedRows,
  table: StagedTable,
  present: Present,
  few: ReadonlyMap<PlannedTable, Changes>,
): Promise<void> {
  const { planned, name, columns, rows: all } = table;
  const key = planned.table.primaryKey;
  const { inserted } = few.get(planned)!;
  const missing =
    inserted === all
      ? ''
      : `where not exists (select from ${present.places.get(planned)!} k where (${names(key, 'k')}) = (${names(key, 's')}))`;
  const { rows: written } = await client.query<{ good: string }>(
    `with t as (
       insert into ${relation(planned.table)} as t (${names(columns)}) overriding system value
       select ${names(columns, 's')} from ${name} s ${missing}
       returning ${names(columns, 't')})
     select count(*) as good from t join ${name} s on ${besideOf(rows, table)!.on} where ${identical(columns, 't', 's')}`,
  );
  if (Number(written[0]!.good) !== inserted) throw notArrived(planned);
}

/** The rows that were found to differ, by the places where they lie: the transaction sees them as it did then. */
async function update(
  client: pg.Client,
  rows: SharedRows,
  { planned, name, columns }: StagedTable,
  present: Present,
): Promise<void> {
  const key = planned.table.primaryKey;
  const { fixed, heap, kind } = rows.live(planned.table);
  const set = columns
    .filter((column) => !key.includes(column) && !fixed.includes(column))
    .map((column) => `${names([column])} = s.${names([column])}`);
  // What differs in the spelling of its key has nothing to set here.
  if (set.length === 0) throw new NotAsMeant(`${nameOf(planned.table)} differs where it cannot be changed`);
  const beside = present.beside.get(planned)!;
  // A place tells rows of one table apart, not those of several partitions.
  const byPlace = kind === 'table' && heap;
  const live = byPlace
    ? `t.ctid = k.${names([beside.at])}`
    : `(${names(key, 't')}) = (${names(key, 's')}) and ${rows.belongs(planned, 't')}`;
  // Rows are looked up by their places one after the other only; the planner would rather read the whole table.
  const joins = (state: 'on' | 'off') =>
    client.query(`set local enable_hashjoin = ${state}; set local enable_mergejoin = ${state}`);
  if (byPlace) await joins('off');
  const { rows: written } = await client.query<{ wrong: string }>(
    `with written as (
       update ${relation(planned.table)} t set ${set.join(', ')}
       from ${present.places.get(planned)!} k join ${name} s on s.ctid = k.${names([beside.staged])}
       where not k.${names([beside.same])} and ${live}
       returning ${identical(columns, 't', 's')} as good)
     select count(*) filter (where not good) as wrong from written`,
  );
  if (byPlace) await joins('on');
  if (Number(written[0]!.wrong) > 0) throw notArrived(planned);
}

/** Children before parents the tenant's rows go; parents before children the archive's come. */
async function writeAll(
  { client, rows, staged, signal }: ReplaceRequest,
  present: Present,
): Promise<ReadonlyMap<PlannedTable, Changes>> {
  const { plan } = rows;
  const changes = new Map<PlannedTable, Changes>();
  const count = (planned: PlannedTable, change: Partial<Changes>) => {
    const was = changes.get(planned) ?? { inserted: 0, updated: 0, deleted: 0 };
    changes.set(planned, { ...was, ...change, updated: was.updated + (change.updated ?? 0) });
  };
  for (const planned of plan.tables) count(planned, { updated: await openCircles(client, rows, planned) });
  for (const planned of [...plan.tables].reverse()) {
    await client.query(`delete from ${relation(planned.table)} t where ${rows.belongs(planned, 't')}`);
    count(planned, { deleted: present.rows.get(planned)! });
  }
  signal?.throwIfAborted();
  await scans(client, 'off');
  for (const table of staged) {
    await insert(client, table);
    count(table.planned, { inserted: table.rows });
  }
  await scans(client, 'default');
  for (const table of staged) count(table.planned, { updated: await closeCircles(client, table) });
  return changes;
}

/** Rows of others that hang on this tenant's rows would be deleted or emptied with them, or keep them from going. */
async function checkCrossings(client: pg.Client, rows: SharedRows): Promise<void> {
  const problems: string[] = [];
  for (const { from, foreignKey, planned, to } of rows.plan.crossings) {
    const own = planned ? ` and (${rows.belongs(planned, 'f')}) is not true` : '';
    const { rows: found } = await client.query<{ count: string }>(
      `select count(*) as count from ${relation(from)} f
       where (${names(foreignKey.columns, 'f')}) in
         (select ${names(foreignKey.toColumns, 't')} from ${relation(to.table)} t where ${rows.belongs(to, 't')})${own}`,
    );
    if (Number(found[0]!.count) > 0)
      problems.push(
        `${found[0]!.count} rows of ${nameOf(from)} that are not the tenant's refer by ${foreignKey.name} (on delete ${foreignKey.onDelete}) to its rows in ${nameOf(to.table)}`,
      );
  }
  if (problems.length > 0)
    throw new InputError(
      `other rows hang on the tenant's, and a restore would reach them: ${problems.join('; ')}; nothing was changed`,
    );
}

function circleColumns(planned: PlannedTable): string[] {
  return [...new Set(planned.nullFirst.flatMap((key: ForeignKey) => nullableColumns(planned, key)))];
}

async function openCircles(client: pg.Client, rows: SharedRows, planned: PlannedTable): Promise<number> {
  const columns = circleColumns(planned);
  if (columns.length === 0) return 0;
  const set = columns.map((column) => `${names([column])} = null`).join(', ');
  const filled = columns.map((column) => `t.${names([column])} is not null`).join(' or ');
  const { rowCount } = await client.query(
    `update ${relation(planned.table)} t set ${set} where ${rows.belongs(planned, 't')} and (${filled})`,
  );
  return rowCount ?? 0;
}

async function insert(client: pg.Client, { planned, name, columns }: StagedTable): Promise<void> {
  const later = circleColumns(planned);
  const values = columns.map((column) => (later.includes(column) ? 'null' : `s.${names([column])}`));
  await client.query(
    `insert into ${relation(planned.table)} (${names(columns)}) overriding system value select ${values.join(', ')} from ${name} s`,
  );
}

async function closeCircles(client: pg.Client, { planned, name, columns }: StagedTable): Promise<number> {
  const later = circleColumns(planned).filter((column) => columns.includes(column));
  if (later.length === 0) return 0;
  const set = later.map((column) => `${names([column])} = s.${names([column])}`).join(', ');
  const key = planned.table.primaryKey;
  const { rowCount } = await client.query(
    `update ${relation(planned.table)} t set ${set} from ${name} s
     where (${names(key, 't')}) = (${names(key, 's')}) and (${later.map((column) => `s.${names([column])} is not null`).join(' or ')})`,
  );
  return rowCount ?? 0;
}

function notArrived({ table }: PlannedTable): NotAsMeant {
  return new NotAsMeant(
    `the rows of ${nameOf(table)} did not arrive as they are in the archive; nothing was changed`,
  );
}

/** The live rows against the staged ones: the same number, the same content. */
async function checkArrived(
  client: pg.Client,
  rows: SharedRows,
  staged: readonly StagedTable[],
): Promise<void> {
  for (const { planned, name, columns } of staged) {
    const live = await measureRows(
      client,
      columns,
      `${relation(planned.table)} t where ${rows.belongs(planned, 't')}`,
    );
    if (!same(live, await measureRows(client, columns, `${name} t`))) throw notArrived(planned);
  }
}

function explain(error: unknown): unknown {
  if (!(error instanceof pg.DatabaseError)) return error;
  const { code, table, constraint } = error;
  const what = [table, constraint].filter(Boolean).join(', ');
  if (code === '42501')
    return new InputError(
      `the role may not do this: ${reasonOf(error)}; a restore needs SELECT, INSERT, UPDATE and DELETE on the tables, and TEMPORARY and CREATE on the database for what it puts aside; nothing was changed`,
    );
  return new OperationError(
    `the rows could not be replaced: ${reasonOf(error)}${what ? ` (${what})` : ''}; nothing was changed`,
  );
}
