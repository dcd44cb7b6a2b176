import pg from 'pg';
import type { Checksums } from '../engine.js';

const METHOD = 'postgresql columns 1';
const q = pg.escapeIdentifier;

/**
 * What PostgreSQL can hash without writing it out first. Text by its bytes, whatever its collation makes of them; these
 * functions are what hash partitions are stored by, and so stay the same from version to version.
 */
const HASHES: Readonly<Record<string, (column: string, seed: number) => string>> = {
  int2: (column, seed) => `hashint2extended(${column}, ${seed})`,
  int4: (column, seed) => `hashint4extended(${column}, ${seed})`,
  int8: (column, seed) => `hashint8extended(${column}, ${seed})`,
  text: (column, seed) => `hashtextextended(${column} collate "C", ${seed})`,
  varchar: (column, seed) => `hashtextextended(${column}::text collate "C", ${seed})`,
  bpchar: (column, seed) => `hashbpcharextended(${column} collate "C", ${seed})`,
  uuid: (column, seed) => `uuid_hash_extended(${column}, ${seed})`,
  timestamp: (column, seed) => `timestamp_hash_extended(${column}, ${seed})`,
  timestamptz: (column, seed) => `timestamp_hash_extended(${column}::timestamp, ${seed})`,
};

/** Of PostgreSQL's other types, the text that a dump has of it, too. */
const asText = (column: string, seed: number) => `hashtextextended(${column}::text collate "C", ${seed})`;

/**
 * The same of types that are not PostgreSQL's own: never a cast of theirs, which whoever owns the type can define, and
 * which would run with the rights of whoever makes the backup.
 */
const asWritten = (column: string, seed: number) =>
  `case when num_nulls(${column}) = 0 then hashtextextended(format('%s', ${column}) collate "C", ${seed}) end`;

export interface Column {
  readonly name: string;
  /** Name of the type, where it is PostgreSQL's own. */
  readonly type: string | null;
}

/**
 * SQL for a sum over the rows, whatever their order: of each row the hashes of its columns, xor'ed, each with a seed of
 * its own, so that neither a value in another column nor one in another row goes unseen.
 */
export function checksumSql(columns: readonly Column[]): string {
  const parts = columns.map(({ name, type }, index) => {
    const hash = type === null ? asWritten : (HASHES[type] ?? asText);
    // A null has a value of its own, too.
    return `coalesce(${hash(q(name), index + 1)}, ${(index + 1) * 1_000_003})`;
  });
  return `coalesce(sum(${parts.join(' # ') || '0::bigint'}), 0)::text`;
}

/** Makes values be written the same way whatever server and database say; run before the first checksum. */
export async function fixOutput(client: pg.Client): Promise<void> {
  await client.query(
    `set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set extra_float_digits = 3;
     set bytea_output = 'hex'; set lc_monetary = 'C'; set xmlbinary = 'base64'`,
  );
}

/** The method, and what it makes of fixed values here, which encoding included: where that differs, checksums cannot be compared. */
export async function checksumsHere(client: pg.Client): Promise<Checksums> {
  const values: Record<string, string> = {
    int2: '12345::int2',
    int4: '123456789::int4',
    int8: '1234567890123456789::int8',
    text: `'some words, in characters that every encoding has'::text`,
    varchar: `'varying'::varchar`,
    bpchar: `'blank padded'::char(20)`,
    uuid: `'8f14e45f-ceea-467f-9c1e-7d5b2b0e3c11'::uuid`,
    timestamp: `'2026-02-03 04:05:06.789012'::timestamp`,
    timestamptz: `'2026-02-03 04:05:06.789012+01'::timestamptz`,
  };
  const columns = Object.keys(values).map((type) => ({ name: type, type }));
  const row = Object.entries(values).map(([type, value]) => `${value} as ${q(type)}`);
  const { rows } = await client.query<{ probe: string }>(
    `select ${checksumSql(columns)} || ' ' || getdatabaseencoding() as probe from (select ${row.join(', ')}) as fixed`,
  );
  return { method: METHOD, probe: rows[0]!.probe };
}
