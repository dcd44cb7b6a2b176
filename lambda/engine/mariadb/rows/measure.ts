import { hashSql, sumSql } from '../checksums.js';
import { type Connection, one, q } from '../connect.js';
import type { MyTable } from './catalog.js';
import type { Which } from './shared-rows.js';

export interface Measured {
  readonly rows: number;
  /** Of the rows' content, in whatever order they are. */
  readonly checksum: string;
}

/** Counts rows and sums them up. */
export async function measureRows(
  client: Connection,
  table: MyTable,
  columns: readonly string[],
  { from, where }: Which,
): Promise<Measured> {
  const hashes = columns.map((column, index) => {
    const name = `t.${q(column)}`;
    const { nullable } = table.columns.find((each) => each.name === column)!;
    return hashSql(table.kinds[column]!.float ? `${name} + 0e0` : name, nullable, index);
  });
  const row = await one<{ n: string | number; checksum: string }>(
    client,
    `select count(*) as n, ${sumSql(hashes)} as checksum from ${from} where ${where}`,
  );
  return { rows: Number(row.n), checksum: String(row.checksum) };
}

export function same(a: Measured, b: Measured): boolean {
  return a.rows === b.rows && a.checksum === b.checksum;
}
