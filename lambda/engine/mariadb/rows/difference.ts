import type { PlannedTable } from '../../../tenancy/plan.js';
import type { StagedTable } from '../../../tenancy/stage.js';
import { type Changes, NO_CHANGES } from '../../changes.js';
import { type Connection, one, q } from '../connect.js';
import type { Kept } from './kept.js';
import { measureRows, same } from './measure.js';
import { equal, type SharedRows } from './shared-rows.js';

interface DifferenceRequest {
  readonly client: Connection;
  readonly shared: SharedRows;
  readonly staged: readonly StagedTable[];
  readonly kept: Kept;
  /** How many rows were put aside. */
  readonly present: ReadonlyMap<PlannedTable, number>;
}

/**
 * What has to be written so that the tenant's rows are the archive's, the others left as they are. Undefined where rows
 * of a table that differs cannot be told from one another, or its columns are others than when the archive was written;
 * where triggers run, which expect to see all rows go and come; and where that would take longer.
 */
export async function differences(
  request: DifferenceRequest,
): Promise<Map<PlannedTable, Changes> | undefined> {
  const { shared, staged, present } = request;
  if (shared.plan.tables.some(({ table }) => table.triggers?.length)) return undefined;
  const found = new Map<PlannedTable, Changes>();
  const waiting = new Map(staged.map((table) => [table.planned, table]));
  for (const planned of shared.plan.tables) {
    const table = waiting.get(planned);
    const change = table
      ? await difference(request, table)
      : { ...NO_CHANGES, deleted: present.get(planned)! };
    if (!change) return undefined;
    found.set(planned, change);
  }
  const sum = (numbers: readonly number[]) => numbers.reduce((all, each) => all + each, 0);
  // A row is changed in more time than it takes to make it anew.
  if (sum([...found.values()].map(({ updated }) => updated)) > sum([...present.values()]) / 2)
    return undefined;
  return found;
}

async function difference(
  { client, shared, kept, present }: DifferenceRequest,
  { planned, name, columns: written, rows }: StagedTable,
): Promise<Changes | undefined> {
  const columns = shared.columns(planned.table);
  if (columns.length !== written.length || !columns.every((column) => written.includes(column)))
    return undefined;
  const key = planned.table.primaryKey;
  const was = present.get(planned)!;
  const aside = keptTable(shared, kept, planned);
  if (key.length === 0 || !key.every((column) => columns.includes(column))) {
    const table = shared.table(planned.table);
    const of = (from: string) => measureRows(client, table, columns, { from: `${from} t`, where: 'true' });
    return same(await of(aside), await of(name)) ? NO_CHANGES : undefined;
  }
  const { matched, changed } = await one<{ matched: string | number; changed: string | number | null }>(
    client,
    `select count(*) as matched, sum(not ${identical(shared, planned, columns, 'k', 's')}) as changed
     from ${aside} k join ${name} s on ${equal('k', key, 's', key)}`,
  );
  return {
    inserted: rows - Number(matched),
    updated: Number(changed ?? 0),
    deleted: was - Number(matched),
  };
}

/** Of these two equal values of one type are written in the same way. A negative zero of a DOUBLE is not. */
const EXACT = /^(decimal|date|datetime|timestamp|time|year)\b/i;

/** Where a table's present rows were put aside, as SQL. */
export function keptTable({ plan }: SharedRows, { database }: Kept, planned: PlannedTable): string {
  return q(database, `t${plan.tables.indexOf(planned) + 1}`);
}

/**
 * To the last byte, as equality of no collation is. What is too long to be told (`max_allowed_packet`) counts as
 * different.
 */
export function identical(
  shared: SharedRows,
  { table }: PlannedTable,
  columns: readonly string[],
  a: string,
  b: string,
): string {
  const { kinds } = shared.table(table);
  const live = new Map(table.columns.map((column) => [column.name, column]));
  const parts = columns.map((column) => {
    const [left, right] = [a, b].map((alias) => `${alias}.${q(column)}`);
    const { type, nullable } = live.get(column)!;
    if (kinds[column]!.group === 'whole' || EXACT.test(type)) return `${left} <=> ${right}`;
    const bytes = (value: string) => `cast(${kinds[column]!.float ? `${value} + 0e0` : value} as binary)`;
    const same = `ifnull(${bytes(left!)} = ${bytes(right!)}, false)`;
    return nullable ? `(${same} or (${left} is null and ${right} is null))` : same;
  });
  return `(${parts.join(' and ')})`;
}
