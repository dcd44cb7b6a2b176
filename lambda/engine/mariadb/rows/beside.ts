import type { PlannedTable } from '../../../tenancy/planned-table.js';
import { hasColumns, type StagedTable } from '../../../tenancy/stage.js';
import type { Changes } from '../../changes.js';
import { q } from '../connect.js';
import { equal, type SharedRows } from './shared-rows.js';

/** Of a table's rows, and the columns in which those differ that are updated. */
export interface Difference extends Changes {
  readonly columns: readonly string[];
}

/** Of a number, in which the columns of a table that differ are marked. */
const BITS = 50;

export type Found = Record<string, string | number | null>;

/** How live rows, `t`, are held against the staged ones, `s`, as SQL of one row. */
export interface Beside {
  readonly select: string;
  readonly join: string;
  /** Undefined where a key is written otherwise, and yet the same to the server: it cannot be told from its row. */
  tell(found: Found, present: number): Difference | undefined;
}

/** Undefined where rows cannot be told from one another, or have other columns, or none is staged. */
export function besideOf(shared: SharedRows, staged: StagedTable): Beside | undefined {
  const { planned, name, rows: wanted } = staged;
  const key = planned.table.primaryKey;
  const columns = shared.columns(planned.table);
  if (wanted === 0 || !hasColumns(staged, columns)) return undefined;
  if (key.length === 0 || !key.every((column) => columns.includes(column))) return undefined;
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
  return {
    select: `count(${match}) as matched, sum(${match} is not null and not ${alike}) as changed, ${differing.join(', ')}`,
    join: `left join ${name} s on ${equal('t', key, 's', key)}`,
    tell(found, present) {
      const matched = Number(found.matched);
      const different = groups.flatMap((group, at) =>
        group.filter((_, bit) => (BigInt(found[`bits${at}`]!) >> BigInt(bit)) & 1n),
      );
      if (key.some((column) => different.includes(column))) return undefined;
      return {
        inserted: wanted - matched,
        updated: Number(found.changed ?? 0),
        deleted: present - matched,
        columns: different,
      };
    },
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
