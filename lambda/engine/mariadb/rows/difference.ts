import type { PlannedTable } from '../../../tenancy/planned-table.js';
import { hasColumns, type StagedTable } from '../../../tenancy/stage.js';
import { NO_CHANGES } from '../../changes.js';
import type { Connection } from '../connect.js';
import type { Difference } from './beside.js';
import type { Held } from './hold.js';
import { measureRows, same } from './measure.js';
import { number, type SharedRows } from './shared-rows.js';

const NONE: Difference = { ...NO_CHANGES, columns: [] };

/**
 * What has to be written so that the rows that are held are the archive's, the others left as they are. Undefined where rows
 * of a table that differs cannot be told from one another, or its columns are others than when the archive was written; and
 * where that would take longer.
 */
export async function differences(
  client: Connection,
  shared: SharedRows,
  staged: readonly StagedTable[],
  present: ReadonlyMap<PlannedTable, Held>,
): Promise<ReadonlyMap<PlannedTable, Difference> | undefined> {
  const waiting = new Map(staged.map((table) => [table.planned, table]));
  const few = new Map<PlannedTable, Difference>();
  for (const [planned, held] of present) {
    const change = await differenceOf(client, shared, waiting.get(planned), held);
    if (!change) return undefined;
    few.set(planned, change);
  }
  return (await isQuicker(client, shared, few, present)) ? few : undefined;
}

async function isQuicker(
  client: Connection,
  shared: SharedRows,
  few: ReadonlyMap<PlannedTable, Difference>,
  present: ReadonlyMap<PlannedTable, Held>,
): Promise<boolean> {
  const memory = await number(client, 'select least(@@tmp_table_size, @@max_heap_table_size) as n');
  const sum = (numbers: readonly number[]) => numbers.reduce((all, each) => all + each, 0);
  const slow = [...few].filter(([planned, change]) => !isQuick(shared, planned, change, memory));
  return (
    sum(slow.map(([, { updated }]) => updated)) <= sum([...present.values()].map(({ rows }) => rows)) / 2
  );
}

/** Of a row that the server puts aside in memory, beside its values. */
const ROW_BYTES = 64;

/**
 * Whether rows are updated in less time than they are made anew. Where they are found by the tenant's column they are
 * updated as they are found; else the server first puts all new values aside, which is quick as long as it does so in memory.
 */
function isQuick(
  shared: SharedRows,
  { table, belongs }: PlannedTable,
  { updated, columns }: Difference,
  memory: number,
): boolean {
  if ('column' in belongs) return !columns.includes(belongs.column);
  const { kinds } = shared.table(table);
  const bytes = [...table.primaryKey, ...columns].map((name) =>
    kinds[name]!.group === 'long'
      ? Infinity
      : widthOf(table.columns.find((each) => each.name === name)!.type),
  );
  return updated * bytes.reduce((all, each) => all + each, ROW_BYTES) <= memory;
}

/** At most so many bytes has a value of this type in memory, where all values have the same. */
function widthOf(type: string): number {
  const [, base, size] = /^(\w+)(?:\((\d+))?/.exec(type.toLowerCase()) ?? [];
  if (base?.endsWith('char')) return 4 * Number(size ?? 1) + 2;
  return base?.endsWith('binary') ? Number(size ?? 1) + 2 : 32;
}

/** Undefined where it cannot be told. */
async function differenceOf(
  client: Connection,
  shared: SharedRows,
  staged: StagedTable | undefined,
  { rows: present, difference }: Held,
): Promise<Difference | undefined> {
  if (!staged || staged.rows === 0) return { ...NONE, deleted: present };
  if (difference !== undefined) return difference ?? undefined;
  const { planned, name, rows: wanted } = staged;
  const columns = shared.columns(planned.table);
  if (!hasColumns(staged, columns)) return undefined;
  if (present === 0) return { ...NONE, inserted: wanted };
  const table = shared.table(planned.table);
  const live = await measureRows(client, table, columns, shared.own(planned));
  const archived = await measureRows(client, table, columns, { from: `${name} t`, where: 'true' });
  return same(live, archived) ? NONE : undefined;
}
