import type pg from 'pg';
import type { PlannedTable } from '../../../tenancy/plan.js';
import type { StagedTable } from '../../../tenancy/stage.js';
import { type Changes, NO_CHANGES } from '../../changes.js';
import type { Present } from './kept.js';
import { measureRows, same } from './measure.js';
import { names, type SharedRows } from './shared-rows.js';

/** Columns beside the rows that are put aside, while the restore runs, named as no column of the table is. */
export interface Beside {
  /** Where the live row lies. */
  readonly at: string;
  /** Where the archive's row of the same primary key waits; null where it has none. */
  readonly staged: string;
  /** Whether these two are the same to the last bit, as equality of no type is. */
  readonly same: string;
}

/**
 * How the rows that are put aside, `t`, are held against the staged ones, `s`, as SQL; undefined where they cannot be
 * told from one another, or have other columns.
 */
export function besideOf(
  rows: SharedRows,
  { planned, columns }: StagedTable,
): { readonly names: Beside; readonly select: string; readonly on: string } | undefined {
  const key = planned.table.primaryKey;
  if (!hasColumnsOf(rows, planned, columns)) return undefined;
  if (key.length === 0 || !key.every((name) => columns.includes(name))) return undefined;
  const free = (name: string): string => (columns.includes(name) ? free(`${name}_`) : name);
  const beside = { at: free('live at'), staged: free('staged at'), same: free('is the same') };
  return {
    names: beside,
    select: `t.ctid as ${names([beside.at])}, s.ctid as ${names([beside.staged])}, ${identical(columns, 't', 's')} as ${names([beside.same])}`,
    on: `(${names(key, 't')}) = (${names(key, 's')})`,
  };
}

/**
 * What has to be written so that the tenant's rows are the archive's, the others left as they are. Undefined where rows
 * of a table that differs cannot be told from one another, or its columns are others than when the archive was written.
 */
export async function differences(
  client: pg.Client,
  rows: SharedRows,
  staged: readonly StagedTable[],
  present: Present,
): Promise<Map<PlannedTable, Changes> | undefined> {
  const found = new Map<PlannedTable, Changes>();
  const waiting = new Map(staged.map((table) => [table.planned, table]));
  for (const planned of rows.plan.tables) {
    const table = waiting.get(planned);
    const was = present.rows.get(planned)!;
    const change = table ? await difference(client, rows, table, present) : { ...NO_CHANGES, deleted: was };
    if (!change) return undefined;
    found.set(planned, change);
  }
  return found;
}

async function difference(
  client: pg.Client,
  rows: SharedRows,
  { planned, name, columns, rows: all }: StagedTable,
  present: Present,
): Promise<Changes | undefined> {
  const place = present.places.get(planned)!;
  const beside = present.beside.get(planned);
  if (!beside) {
    if (!hasColumnsOf(rows, planned, columns)) return undefined;
    const was = await measureRows(client, columns, `${place} t`);
    return same(was, await measureRows(client, columns, `${name} t`)) ? NO_CHANGES : undefined;
  }
  const { rows: counted } = await client.query<{ matched: string; changed: string }>(
    `select count(${names([beside.staged])}) as matched,
            count(${names([beside.staged])}) filter (where not ${names([beside.same])}) as changed from ${place}`,
  );
  const [matched, changed] = [Number(counted[0]!.matched), Number(counted[0]!.changed)];
  return { inserted: all - matched, updated: changed, deleted: present.rows.get(planned)! - matched };
}

function hasColumnsOf(rows: SharedRows, { table }: PlannedTable, columns: readonly string[]): boolean {
  const live = rows.columns(table);
  return live.length === columns.length && live.every((name) => columns.includes(name));
}

export function identical(columns: readonly string[], a: string, b: string): string {
  return `record_image_eq(row(${names(columns, a)}), row(${names(columns, b)}))`;
}
