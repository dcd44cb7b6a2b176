import { InputError, OperationError, reasonOf } from '../../../errors.js';
import { nameOf } from '../../../tenancy/description.js';
import { nullableColumns } from '../../../tenancy/order.js';
import type { PlannedTable } from '../../../tenancy/planned-table.js';
import type { StagedTable } from '../../../tenancy/stage.js';
import { type Changes, NotAsMeant, tellChanges } from '../../changes.js';
import { limitStruck } from '../../limit-struck.js';
import { type Connection, q } from '../connect.js';
import { type Difference, identical } from './beside.js';
import { differences } from './difference.js';
import { explain, RESTORING } from './explain.js';
import { type Held, holdRows } from './hold.js';
import { createKept, dropKept, type Kept, keptTable, markKept } from './kept.js';
import { isLimit, limitStatements } from './limit.js';
import { measureRows, same } from './measure.js';
import { PutAside } from './put-aside.js';
import { checkSpelling, checkUnaltered, equal, names, number, type SharedRows } from './shared-rows.js';
import { Witness } from './witness.js';

const IN_UTC = `set session time_zone = '+00:00'`;
const ATTEMPTS = 5;
const AGAIN = ['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT', 'ER_CHECKREAD'];

export interface ReplaceRequest {
  /** Holds the staged rows; idle. */
  readonly client: Connection;
  /** Idle, too: copies the tenant's rows meanwhile. */
  readonly aside: Connection;
  readonly mariadb: boolean;
  readonly shared: SharedRows;
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
 * any other tenant has changed by it. No statement in it defines anything: that would commit it. Rows that are the
 * archive's already stay as they are, unless the others cannot be put beside them one by one (unique values that change
 * hands, foreign keys that go in circles): then all are taken away first.
 */
export async function replaceRows(request: ReplaceRequest): Promise<Kept> {
  const { client, shared, tenant, consumes, mariadb, statementTimeout } = request;
  // Only what the transaction takes back is limited: the rest would be left half done.
  const unlimited = () => limitStatements(client, mariadb, statementTimeout === undefined ? undefined : 0);
  await unlimited();
  const kept = await createKept(client, shared, tenant).catch((error) => {
    throw explain(error, RESTORING);
  });
  try {
    for (const each of [client, request.aside]) await limitStatements(each, mariadb, statementTimeout);
    await insist(request, kept);
  } catch (error) {
    await unlimited().catch(() => {});
    await client.query('rollback').catch(() => {});
    await dropKept(client, kept.database).catch(() => {});
    request.signal?.throwIfAborted();
    throw (
      limitStruck(isLimit(error), statementTimeout, 'a statement of the restore', RESTORING.holds) ??
      explain(error, RESTORING)
    );
  }
  // Whatever keeps this from being done, the note in it says that it is no copy any more.
  if (consumes) await dropKept(client, consumes.database).catch(() => {});
  return kept;
}

async function insist(request: ReplaceRequest, kept: Kept): Promise<void> {
  let sparing = true;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await replaceOnce(request, kept, sparing);
    } catch (error) {
      request.signal?.throwIfAborted();
      if (sparing && standsInTheWay(error)) {
        sparing = false;
        attempt -= 1;
        await request.client.query('rollback');
        continue;
      }
      if (!AGAIN.includes((error as { code?: string }).code ?? '')) throw error;
      if (attempt === ATTEMPTS)
        throw new OperationError(
          `the tenant's rows are in use by transactions that stay open (${ATTEMPTS} times: ${reasonOf(error)}); nothing was changed: stop its writers, then run again`,
        );
      await request.client.query('rollback');
      request.phase?.(`the tenant's rows are in use (${reasonOf(error)}); beginning again`);
    }
  }
}

/** What may be otherwise when all rows are taken away first; a counter, or a row that went along, speaks in a NotAsMeant. */
function standsInTheWay(error: unknown): boolean {
  const { code = '' } = error as { code?: string };
  return (
    error instanceof NotAsMeant ||
    ['ER_DUP_ENTRY', 'ER_ROW_IS_REFERENCED', 'ER_ROW_IS_REFERENCED_2', 'ER_NO_REFERENCED_ROW_2'].includes(
      code,
    )
  );
}

async function replaceOnce(request: ReplaceRequest, kept: Kept, sparing: boolean): Promise<void> {
  const putAside = await PutAside.begin({ ...request, kept });
  try {
    await replaceHeld(request, kept, sparing, putAside);
  } catch (error) {
    await putAside.giveUp();
    throw error;
  }
}

async function replaceHeld(
  request: ReplaceRequest,
  kept: Kept,
  sparing: boolean,
  putAside: PutAside,
): Promise<void> {
  const { client, shared, staged, tenant, consumes, signal } = request;
  // Triggers expect to see all rows go and come.
  const spares = sparing && !shared.plan.tables.some(({ table }) => table.triggers?.length);
  // An attempt that failed may have left it otherwise.
  await client.query(IN_UTC);
  await client.query('start transaction');
  // Before the tenant's rows are ours alone nothing is read, because all that is read later would be as of then.
  const present = await holdRows(client, shared, spares ? staged : [], (planned, rows) =>
    putAside.copy(planned, rows),
  ).catch(async (error) => {
    // What the server says of tables that are other ones by now would puzzle.
    await checkUnaltered(client, shared);
    throw error;
  });
  await checkUnaltered(client, shared);
  const few = spares ? await differences(client, shared, staged, present) : undefined;
  await checkSpelling(client, shared);
  await checkCrossings(client, shared);
  const witness = await Witness.begin(client, shared, request.mariadb);
  request.phase?.(tellChanges(few, (planned) => present.get(planned)!.rows));
  // What the server computes, and its CHECKs, mean what they mean to the application; no text is read here.
  await client.query('set session time_zone = default');
  if (few) await writeFew(request, kept, few, witness, putAside);
  else await writeAll(request, present, witness);
  await client.query(IN_UTC);
  // Where nothing was written, the live rows are what was just held against the archive's, one by one.
  const written = !few || [...few.values()].some((each) => each.inserted + each.updated + each.deleted > 0);
  if (written) for (const table of staged) await checkArrived(client, shared, table);
  await witness.end();
  await putAside.end();
  await markKept(client, shared, tenant, kept, 'kept');
  if (consumes) await markKept(client, shared, tenant, consumes, 'spent');
  signal?.throwIfAborted();
  // Nobody could say what holds if this one were cut.
  await limitStatements(client, request.mariadb, request.statementTimeout === undefined ? undefined : 0);
  await client.query('commit');
}

/** Touches what differs alone. No row that stays is written, nor are its foreign keys checked again. */
async function writeFew(
  { client, shared, staged, signal }: ReplaceRequest,
  kept: Kept,
  few: ReadonlyMap<PlannedTable, Difference>,
  witness: Witness,
  putAside: PutAside,
): Promise<void> {
  const waiting = new Map(staged.map((table) => [table.planned, table]));
  const done = async (planned: PlannedTable, what: keyof Changes, found: number) => {
    const meant = few.get(planned)![what];
    if (found !== meant)
      throw new NotAsMeant(
        `${found} rows of ${nameOf(planned.table)} would have been ${what}, and ${meant} differ; nothing was changed`,
      );
    await witness.saw(planned, what, found);
  };
  for (const planned of [...shared.plan.tables].reverse()) {
    if (few.get(planned)!.deleted === 0) continue;
    const { from, where } = shared.own(planned);
    const key = planned.table.primaryKey;
    const table = waiting.get(planned);
    const spared = table?.rows
      ? ` and not exists (select 1 from ${table.name} s where ${equal('s', key, 't', key)})`
      : '';
    await done(planned, 'deleted', await change(client, `delete t from ${from} where ${where}${spared}`));
  }
  signal?.throwIfAborted();
  for (const { planned, name, columns, rows } of staged) {
    const { inserted } = few.get(planned)!;
    if (inserted === 0) continue;
    let missing = 'true';
    if (inserted < rows) {
      // What is live cannot be read while it is written to, but by way of a table that the server would make for it.
      await putAside.end();
      const key = planned.table.primaryKey;
      missing = `not exists (select 1 from ${keptTable(shared, kept, planned)} k where ${equal('k', key, 's', key)})`;
    }
    const sql = `insert into ${shared.live(planned.table)} (${names(columns)}) select ${names(columns, 's')} from ${name} s where ${missing}`;
    await done(planned, 'inserted', await change(client, sql));
  }
  for (const { planned, name } of staged) {
    const { updated, columns } = few.get(planned)!;
    if (updated === 0) continue;
    const key = planned.table.primaryKey;
    const { from, where } = shared.own(planned);
    // A column that the server would set by itself keeps its value only where it is given one.
    const set = new Set([...columns, ...shared.table(planned.table).stamped]);
    const sql = `update ${from} straight_join ${name} s on ${equal('t', key, 's', key)}
      set ${[...set].map((column) => `t.${q(column)} = s.${q(column)}`).join(', ')}
      where ${where} and not ${identical(shared, planned, columns, 't', 's')}`;
    await done(planned, 'updated', await change(client, sql));
  }
}

/** Children before parents the tenant's rows go; parents before children the archive's come. */
async function writeAll(
  { client, shared, staged, signal }: ReplaceRequest,
  present: ReadonlyMap<PlannedTable, Held>,
  witness: Witness,
): Promise<void> {
  const { tables } = shared.plan;
  for (const planned of tables)
    await witness.saw(planned, 'updated', await openCircles(client, shared, planned));
  for (const planned of [...tables].reverse()) {
    const { from, where } = shared.own(planned);
    const deleted = await change(client, `delete t from ${from} where ${where}`);
    const { rows } = present.get(planned)!;
    if (deleted !== rows)
      throw new OperationError(
        `${deleted} rows of ${nameOf(planned.table)} would have been deleted, and ${rows} were put aside; nothing was changed`,
      );
    await witness.saw(planned, 'deleted', deleted);
  }
  signal?.throwIfAborted();
  for (const table of staged) {
    await insert(client, shared, table);
    await witness.saw(table.planned, 'inserted', table.rows);
  }
  for (const table of staged)
    await witness.saw(table.planned, 'updated', await closeCircles(client, shared, table));
}

async function change(client: Connection, sql: string): Promise<number> {
  const [done] = await client.query(sql);
  return (done as { affectedRows: number }).affectedRows;
}

/** Rows of others that hang on this tenant's rows would be deleted or emptied with them, or keep them from going. */
async function checkCrossings(client: Connection, shared: SharedRows): Promise<void> {
  const problems: string[] = [];
  for (const { from, foreignKey, planned, to } of shared.plan.crossings) {
    const own = shared.own(to);
    const others = planned
      ? shared.others(planned, shared.live, 'f')
      : { from: `${shared.live(from)} f`, where: 'true' };
    const found = await number(
      client,
      `select count(*) as n from ${own.from} join ${others.from}
       where ${equal('f', foreignKey.columns, 't', foreignKey.toColumns)} and ${own.where} and ${others.where}`,
    );
    if (found > 0)
      problems.push(
        `${found} rows of ${nameOf(from)} that are not the tenant's refer by ${foreignKey.name} (on delete ${foreignKey.onDelete}) to its rows in ${nameOf(to.table)}`,
      );
  }
  if (problems.length > 0)
    throw new InputError(
      `other rows hang on the tenant's, and a restore would reach them: ${problems.join('; ')}; nothing was changed`,
    );
}

function circleColumns(planned: PlannedTable): string[] {
  return [...new Set(planned.nullFirst.flatMap((key) => nullableColumns(planned, key)))];
}

async function openCircles(client: Connection, shared: SharedRows, planned: PlannedTable): Promise<number> {
  const columns = circleColumns(planned);
  if (columns.length === 0) return 0;
  const { from, where } = shared.own(planned);
  const set = columns.map((column) => `t.${q(column)} = null`).join(', ');
  const filled = columns.map((column) => `t.${q(column)} is not null`).join(' or ');
  return change(client, `update ${from} set ${set} where ${where} and (${filled})`);
}

async function insert(client: Connection, shared: SharedRows, staged: StagedTable): Promise<void> {
  const { planned, name, columns, rows } = staged;
  const later = circleColumns(planned);
  const values = columns.map((column) => (later.includes(column) ? 'null' : `s.${q(column)}`));
  const inserted = await change(
    client,
    `insert into ${shared.live(planned.table)} (${names(columns)}) select ${values.join(', ')} from ${name} s`,
  );
  if (inserted !== rows)
    throw new OperationError(
      `${inserted} of ${rows} rows of ${nameOf(planned.table)} would have been restored; nothing was changed`,
    );
}

async function closeCircles(client: Connection, shared: SharedRows, staged: StagedTable): Promise<number> {
  const { planned, name, columns } = staged;
  const later = circleColumns(planned).filter((column) => columns.includes(column));
  if (later.length === 0) return 0;
  const key = planned.table.primaryKey;
  const set = later.map((column) => `t.${q(column)} = s.${q(column)}`).join(', ');
  const filled = later.map((column) => `s.${q(column)} is not null`).join(' or ');
  return change(
    client,
    `update ${name} s join ${shared.live(planned.table)} t on ${equal('t', key, 's', key)} set ${set} where ${filled}`,
  );
}

/** The live rows against the staged ones: the same number, the same content. */
async function checkArrived(client: Connection, shared: SharedRows, staged: StagedTable): Promise<void> {
  const { planned, name, columns } = staged;
  const table = shared.table(planned.table);
  const live = await measureRows(client, table, columns, shared.own(planned));
  const wanted = await measureRows(client, table, columns, { from: `${name} t`, where: 'true' });
  if (!same(live, wanted))
    throw new NotAsMeant(
      `the rows of ${nameOf(planned.table)} did not arrive as they are in the archive (a trigger may have changed them); nothing was changed`,
    );
}
