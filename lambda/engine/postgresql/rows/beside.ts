import { hasColumns, type StagedTable } from '../../../tenancy/stage.js';
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
  staged: StagedTable,
): { readonly names: Beside; readonly select: string; readonly on: string } | undefined {
  const { planned, columns } = staged;
  const key = planned.table.primaryKey;
  if (!hasColumns(staged, rows.columns(planned.table))) return undefined;
  if (key.length === 0 || !key.every((name) => columns.includes(name))) return undefined;
  const free = (name: string): string => (columns.includes(name) ? free(`${name}_`) : name);
  const beside = { at: free('live at'), staged: free('staged at'), same: free('is the same') };
  return {
    names: beside,
    select: `t.ctid as ${names([beside.at])}, s.ctid as ${names([beside.staged])}, ${identical(columns, 't', 's')} as ${names([beside.same])}`,
    on: `(${names(key, 't')}) = (${names(key, 's')})`,
  };
}

export function identical(columns: readonly string[], a: string, b: string): string {
  return `record_image_eq(row(${names(columns, a)}), row(${names(columns, b)}))`;
}
