import type pg from 'pg';
import type { PlannedTable } from '../../../tenancy/planned-table.js';
import { hasColumns, type StagedTable } from '../../../tenancy/stage.js';
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
  staged: StagedTable,
  present: Present,
): Promise<Changes | undefined> {
  const { planned, name, columns, rows: all } = staged;
  const place = present.places.get(planned)!;
  const beside = present.beside.get(planned);
  if (!beside) {
    if (!hasColumns(staged, rows.columns(planned.table))) return undefined;
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
