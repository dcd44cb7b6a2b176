import type pg from 'pg';
import type { PlannedTable } from '../../../tenancy/plan.js';
import type { StagedTable } from '../../../tenancy/stage.js';
import { type Changes, NO_CHANGES } from '../../changes.js';
import type { Present } from './kept.js';
import { measureRows, same } from './measure.js';
import { names, type SharedRows } from './shared-rows.js';

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
    const was = present.measured.get(planned)!.rows;
    const change = table ? await difference(client, rows, table, present) : { ...NO_CHANGES, deleted: was };
    if (!change) return undefined;
    found.set(planned, change);
  }
  return found;
}

async function difference(
  client: pg.Client,
  rows: SharedRows,
  table: StagedTable,
  present: Present,
): Promise<Changes | undefined> {
  const { planned } = table;
  const columns = rows.columns(planned.table);
  if (columns.length !== table.columns.length || !columns.every((name) => table.columns.includes(name)))
    return undefined;
  const was = present.measured.get(planned)!;
  const key = planned.table.primaryKey;
  if (key.length === 0 || !key.every((name) => columns.includes(name)))
    return same(was, await measureRows(client, columns, `${table.name} t`)) ? NO_CHANGES : undefined;
  // To the last bit, as equality of no type is.
  const { rows: counted } = await client.query<{ matched: string; changed: string }>(
    `select count(*) as matched, count(*) filter (where not ${identical(columns, 'k', 's')}) as changed
     from ${present.places.get(planned)!} k join ${table.name} s on (${names(key, 'k')}) = (${names(key, 's')})`,
  );
  const [matched, changed] = [Number(counted[0]!.matched), Number(counted[0]!.changed)];
  return { inserted: table.rows - matched, updated: changed, deleted: was.rows - matched };
}

export function identical(columns: readonly string[], a: string, b: string): string {
  return `record_image_eq(row(${names(columns, a)}), row(${names(columns, b)}))`;
}
