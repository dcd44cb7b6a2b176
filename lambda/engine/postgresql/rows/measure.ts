import type pg from 'pg';
import { names } from './shared-rows.js';

export interface Measured {
  readonly rows: number;
  /** The sum of a 64-bit hash of every row as text: the order of the rows does not matter. */
  readonly checksum: string;
}

/** Counts rows and sums them up; `from` is what stands after FROM, with the alias `t`. */
export async function measureRows(
  client: pg.Client,
  columns: readonly string[],
  from: string,
): Promise<Measured> {
  const { rows } = await client.query<{ rows: string; checksum: string }>(
    `select count(*) as rows, coalesce(sum(hashtextextended(row(${names(columns, 't')})::text, 0)), 0)::text as checksum
     from ${from}`,
  );
  return { rows: Number(rows[0]!.rows), checksum: rows[0]!.checksum };
}

export function same(a: Measured, b: Measured): boolean {
  return a.rows === b.rows && a.checksum === b.checksum;
}
