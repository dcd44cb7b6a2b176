import type { PlannedTable } from '../../../tenancy/planned-table.js';
import type { StagedTable } from '../../../tenancy/stage.js';
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

export function hasColumnsOf(rows: SharedRows, { table }: PlannedTable, columns: readonly string[]): boolean {
  const live = rows.columns(table);
  return live.length === columns.length && live.every((name) => columns.includes(name));
}

export function identical(columns: readonly string[], a: string, b: string): string {
  return `record_image_eq(row(${names(columns, a)}), row(${names(columns, b)}))`;
}
