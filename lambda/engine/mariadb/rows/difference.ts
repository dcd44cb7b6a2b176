import type { PlannedTable } from '../../../tenancy/planned-table.js';
import type { StagedTable } from '../../../tenancy/stage.js';
import { type Changes, NO_CHANGES } from '../../changes.js';
import { type Connection, one, q } from '../connect.js';
import { measureRows, same } from './measure.js';
import { equal, number, type SharedRows } from './shared-rows.js';

/** Of a table's rows, and the columns in which those differ that are updated. */
export interface Difference extends Changes {
  readonly columns: readonly string[];
}

const NONE: Difference = { ...NO_CHANGES, columns: [] };

/**
 * What has to be written so that the rows that are held are the archive's, the others left as they are. Undefined where rows
 * of a table that differs cannot be told from one another, or its columns are others than when the archive was written; where
 * triggers run, which expect to see all rows go and come; and where that would take longer.
 */
export async function differences(
  client: Connection,
  shared: SharedRows,
  staged: readonly StagedTable[],
  present: ReadonlyMap<PlannedTable, number>,
): Promise<ReadonlyMap<PlannedTable, Difference> | undefined> {
  if (shared.plan.tables.some(({ table }) => table.triggers?.length)) return undefined;
  const waiting = new Map(staged.map((table) => [table.planned, table]));
  const few = new Map<PlannedTable, Difference>();
  for (const [planned, rows] of present) {
    const change = await differenceOf(client, shared, waiting.get(planned), rows);
    if (!change) return undefined;
    few.set(planned, change);
  }
  return (await isQuicker(client, shared, few, present)) ? few : undefined;
}

async function isQuicker(
  client: Connection,
  shared: SharedRows,
  few: ReadonlyMap<PlannedTable, Difference>,
  present: ReadonlyMap<PlannedTable, number>,
): Promise<boolean> {
  const memory = await number(client, 'select least(@@tmp_table_size, @@max_heap_table_size) as n');
  const sum = (numbers: readonly number[]) => numbers.reduce((all, each) => all + each, 0);
  const slow = [...few].filter(([planned, change]) => !isQuick(shared, planned, change, memory));
  return sum(slow.map(([, { updated }]) => updated)) <= sum([...present.values()]) / 2;
}

/** Of a number, in which the columns of a table that differ are marked. */
const BITS = 50;

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
  present: number,
): Promise<Difference | undefined> {
  if (!staged || staged.rows === 0) return { ...NONE, deleted: present };
  const { planned, name, columns: written, rows: wanted } = staged;
  const columns = shared.columns(planned.table);
  const own = shared.own(planned);
  const key = planned.table.primaryKey;
  if (columns.length !== written.length || !columns.every((column) => written.includes(column)))
    return undefined;
  if (present === 0) return { ...NONE, inserted: wanted };
  if (key.length === 0 || !key.every((column) => columns.includes(column))) {
    const table = shared.table(planned.table);
    const live = await measureRows(client, table, columns, own);
    const archived = await measureRows(client, table, columns, { from: `${name} t`, where: 'true' });
    return same(live, archived) ? NONE : undefined;
  }
  const alike = identical(shared, planned, columns, 't', 's');
  const groups = Array.from({ length: Math.ceil(columns.length / BITS) }, (_, at) =>
    columns.slice(at * BITS, (at + 1) * BITS),
  );
  const match = `s.${q(key[0]!)}`;
  // Which columns differ is asked of rows that do: asked of every row, it would take as long as all the rest.
  const differing = groups.map((group, at) => {
    const bits = group.map(
      (column, bit) => `if(${identical(shared, planned, [column], 't', 's')}, 0, ${2 ** bit})`,
    );
    return `bit_or(if(${match} is null or ${alike}, 0, ${bits.join(' | ')})) as bits${at}`;
  });
  const found = await one<Record<string, string | number | null>>(
    client,
    `select count(${match}) as matched, sum(${match} is not null and not ${alike}) as changed, ${differing.join(', ')}
     from ${own.from} left join ${name} s on ${equal('t', key, 's', key)} where ${own.where}`,
  );
  const matched = Number(found.matched);
  const different = groups.flatMap((group, at) =>
    group.filter((_, bit) => (BigInt(found[`bits${at}`]!) >> BigInt(bit)) & 1n),
  );
  // A key that is written otherwise, and yet the same to the server, cannot be told from its row.
  if (key.some((column) => different.includes(column))) return undefined;
  return {
    inserted: wanted - matched,
    updated: Number(found.changed ?? 0),
    deleted: present - matched,
    columns: different,
  };
}

/** Of these two equal values of one type are written in the same way. A negative zero of a DOUBLE is not. */
const EXACT = /^(decimal|date|datetime|timestamp|time|year)\b/i;

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
