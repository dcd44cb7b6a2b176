import { type Connection, one } from '../connect.js';
import type { MyTable } from './catalog.js';
import { hashedOf } from './columns.js';
import type { Which } from './shared-rows.js';

export interface Measured {
  readonly rows: number;
  /** The sum of 60 bits of every row's MD5: the order of the rows does not matter. */
  readonly checksum: string;
}

/** Counts rows and sums them up. */
export async function measureRows(
  client: Connection,
  table: MyTable,
  columns: readonly string[],
  { from, where }: Which,
): Promise<Measured> {
  const parts = columns.map((column) => hashedOf(column, table.kinds[column]!, 't')).join(", ',', ");
  const row = await one<{ n: string | number; checksum: string }>(
    client,
    `select count(*) as n, cast(coalesce(sum(cast(conv(left(md5(concat(${parts})), 15), 16, 10) as unsigned)), 0) as char) as checksum
     from ${from} where ${where}`,
  );
  return { rows: Number(row.n), checksum: String(row.checksum) };
}

export function same(a: Measured, b: Measured): boolean {
  return a.rows === b.rows && a.checksum === b.checksum;
}
