import type { Checksums } from '../engine.js';
import type { Column } from './columns.js';
import { type Connection, one, q } from './connect.js';

const METHOD = 'mariadb columns 1';

/** An odd number of 31 bits for each column: a hash of 32 bits times it stays within an unsigned BIGINT. */
const factorOf = (index: number): number => ((Math.imul(index + 1, 0x9e3779b1) >>> 1) | 1) >>> 0;

/** More than any hash times any factor can be: a null is no value of its column. */
const nullOf = (index: number): string => String(2n ** 63n + BigInt(factorOf(index)));

/**
 * SQL for a sum over the rows, whatever their order: of each row the hashes of its columns, each times a factor of its
 * own, xor'ed, so that neither a value in another column nor one in another row goes unseen. CRC32 takes the bytes of a
 * text as they are stored (or as they come back from a dump), and of everything else the text that a dump has of it; CHECKSUM TABLE would depend on the row
 * format and the server's version. Generated columns are computed anew.
 */
export function checksumSql(
  columns: readonly Pick<Column, 'name' | 'nullable' | 'generated' | 'lossy'>[],
): string {
  const parts = columns
    .filter(({ generated }) => !generated)
    .map((column, index) => hashSql(dumpedSql(column), column.nullable, index));
  return sumSql(parts);
}

/** SQL for a column's text as it comes back from a dump, which is written in UTF-8. */
export function dumpedSql({ name, lossy }: Pick<Column, 'name' | 'lossy'>): string {
  return lossy === undefined ? q(name) : `convert(convert(${q(name)} using utf8mb4) using ${lossy})`;
}

/** SQL for the hash of a row's column, by its place among the columns. */
export function hashSql(value: string, nullable: boolean, index: number): string {
  const hash = `crc32(${value}) * ${factorOf(index)}`;
  return nullable ? `ifnull(${hash}, ${nullOf(index)})` : `(${hash})`;
}

/** SQL for the sum over the rows of what the columns' hashes make. */
export function sumSql(hashes: readonly string[]): string {
  return `cast(ifnull(sum(${hashes.join(' ^ ') || '0'}), 0) as char)`;
}

/** A value for each way in which values are written; the last one is none. */
const FIXED: Readonly<Record<string, string>> = {
  whole: 'cast(-1234567890123456789 as signed)',
  exact: "cast('12345.678900' as decimal(20, 6))",
  inexact: '1e0 / 7e0',
  moment: "cast('2026-02-03 04:05:06.789012' as datetime(6))",
  span: "cast('-26:07:08.9' as time(3))",
  words: "'some words'",
  bytes: "x'00ff270a5c'",
  nothing: 'cast(null as char)',
};

/** The method, and what it makes of fixed values here. */
export async function checksumsHere(client: Connection): Promise<Checksums> {
  const columns = Object.keys(FIXED).map((name) => ({ name, nullable: true, generated: false }));
  const values = Object.entries(FIXED).map(([name, value]) => `${value} as ${q(name)}`);
  const { probe } = await one<{ probe: string }>(
    client,
    `select ${checksumSql(columns)} as probe from (select ${values.join(', ')}) as fixed`,
  );
  return { method: METHOD, probe };
}
