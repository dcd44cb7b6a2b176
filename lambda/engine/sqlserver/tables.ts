import type { TableRows } from '../engine.js';
import { quoteName } from './names.js';
import { type Session, SqlError } from './session.js';

/** A table at one moment. */
interface Seen {
  readonly id: number;
  readonly schema: string;
  readonly name: string;
  readonly rows: number;
  /** Grows with every write to the table; null where the server does not count them. */
  readonly writes: number | null;
}

export interface Counted {
  readonly tables: readonly TableRows[];
  /** `schema.table` of those that were written to meanwhile: what a backup holds of them cannot be known from outside. */
  readonly inexact: readonly string[];
}

/** Columnstores, memory-optimized tables and the like have no such counters: then nothing is claimed of them. */
const TABLES = `
  SELECT t.object_id AS id, s.name AS [schema], t.name,
         CONVERT(float, COALESCE(SUM(p.row_count), 0)) AS [rows],
         CASE WHEN MAX(CONVERT(int, i.type)) <= 1 AND MAX(CONVERT(int, t.is_memory_optimized)) = 0
           THEN CONVERT(float, COALESCE(SUM(o.leaf_insert_count + o.leaf_delete_count + o.leaf_ghost_count
             + o.leaf_allocation_count + o.leaf_page_merge_count), 0)) END AS writes
  FROM sys.tables t
    JOIN sys.schemas s ON s.schema_id = t.schema_id
    JOIN sys.indexes i ON i.object_id = t.object_id AND i.index_id IN (0, 1)
    LEFT JOIN sys.dm_db_partition_stats p ON p.object_id = i.object_id AND p.index_id = i.index_id
    LEFT JOIN sys.dm_db_index_operational_stats(DB_ID(), NULL, NULL, NULL) o
      ON o.object_id = p.object_id AND o.index_id = p.index_id AND o.partition_number = p.partition_number
  WHERE t.is_ms_shipped = 0
  GROUP BY t.object_id, s.name, t.name`;

async function look(session: Session): Promise<Map<number, Seen>> {
  const rows = await session.query<Seen>(TABLES);
  return new Map(rows.map((table) => [Number(table.id), table]));
}

const quiet = (before: Seen | undefined, after: Seen | undefined): boolean =>
  before !== undefined &&
  after !== undefined &&
  before.writes !== null &&
  before.writes === after.writes &&
  before.rows === after.rows;

/**
 * Rows of every table around something that takes its own time, as a backup does. The server's snapshot in it cannot
 * be shared; but a table to which nothing was written from before until after has in it what it has now.
 */
export async function countAround<Result>(
  session: Session,
  run: () => Promise<Result>,
): Promise<Counted & { readonly result: Result }> {
  const before = await look(session);
  const result = await run();
  const after = await look(session);
  const counts = new Map<number, number>();
  for (const [id, table] of after) {
    if (!quiet(before.get(id), table)) continue;
    const rows = await count(session, table, true);
    if (rows !== undefined) counts.set(id, rows);
  }
  const end = await look(session);
  const tables: TableRows[] = [];
  const inexact: string[] = [];
  for (const [id, { schema, name, rows }] of after) {
    const exact = quiet(before.get(id), end.get(id)) ? counts.get(id) : undefined;
    tables.push({ schema, name, rows: exact ?? rows });
    if (exact === undefined) inexact.push(`${schema}.${name}`);
  }
  return { result, tables: tables.sort(byName), inexact: inexact.sort() };
}

/** Exact, of a database that nobody writes to. */
export async function countRows(session: Session, alive: () => void): Promise<TableRows[]> {
  const tables: TableRows[] = [];
  for (const table of (await look(session)).values()) {
    alive();
    const { schema, name } = table;
    tables.push({ schema, name, rows: (await count(session, table, false))! });
  }
  return tables.sort(byName);
}

/** Another's lock is not waited for long: it means that somebody writes. */
const LOCK_TIMEOUT = 1222;

async function count(session: Session, { schema, name }: Seen, hasty: boolean): Promise<number | undefined> {
  try {
    const [row] = await session.batch<{ rows: string }>(
      `SET LOCK_TIMEOUT ${hasty ? 5000 : -1}; SELECT COUNT_BIG(*) AS [rows] FROM ${quoteName(schema)}.${quoteName(name)}`,
    );
    return Number(row!.rows);
  } catch (error) {
    if (error instanceof SqlError && error.number === LOCK_TIMEOUT) return undefined;
    throw error;
  }
}

const byName = (a: TableRows, b: TableRows): number => {
  const [x, y] = [`${a.schema}\0${a.name}`, `${b.schema}\0${b.name}`];
  return x < y ? -1 : x > y ? 1 : 0;
};

/** Where a restored database differs from what its archive states exactly, in words. */
export function differences(
  expected: readonly TableRows[],
  inexact: readonly string[],
  got: readonly TableRows[],
): string[] {
  const rest = new Map(got.map(({ schema, name, rows }) => [JSON.stringify([schema, name]), rows]));
  return expected.flatMap(({ schema, name, rows }) => {
    const table = `${schema}.${name}`;
    const found = rest.get(JSON.stringify([schema, name]));
    // One that was made or dropped while the backup ran is in it, or is not.
    if (inexact.includes(table)) return [];
    if (found === undefined) return [`${table} is missing`];
    return found === rows ? [] : [`${table} has ${found} rows instead of ${rows}`];
  });
}
