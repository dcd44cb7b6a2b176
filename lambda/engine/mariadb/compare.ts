import type { SortedRow } from '../compare-rows.js';
import { type ComparedSide, type ComparedTable, compareTables } from '../compare-tables.js';
import type { CompareOptions, TableComparison } from '../engine.js';
import { hasRows, readCatalog } from './catalog.js';
import { type Column, readColumns } from './columns.js';
import {
  type Connection,
  connect,
  explained,
  type MariadbAddress,
  one,
  q,
  rows,
  streamed,
} from './connect.js';

interface Table extends ComparedTable {
  readonly columns: readonly Column[];
}

interface CompareRequest extends CompareOptions {
  readonly address: MariadbAddress;
  readonly archive: string;
  readonly live: string;
}

/** Each in one snapshot, and each in a session of its own, so that the server sorts both at once. */
export async function compareDatabases(request: CompareRequest): Promise<TableComparison[]> {
  const { address, signal } = request;
  const open: Connection[] = [];
  const side = async (database: string) => {
    const client = await connect(address);
    open.push(client);
    return sideOf(client, database, request.live, signal);
  };
  const stop = () => void endAll(address, open);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const compared = await compareTables(await side(request.archive), await side(request.live), request);
    for (const client of open) await client.end();
    return compared;
  } catch (error) {
    await endAll(address, open);
    signal?.throwIfAborted();
    throw explained(error, 'the databases could not be compared', 'the live database was not touched');
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** A server that sorts does not notice that nobody waits for it any more, and keeps its locks until it does. */
export async function endAll(address: MariadbAddress, sessions: readonly Connection[]): Promise<void> {
  const client = await connect(address).catch(() => undefined);
  for (const session of sessions) {
    await client?.query(`kill ${session.threadId}`).catch(() => {});
    session.destroy();
  }
  await client?.end().catch(() => {});
}

async function sideOf(
  client: Connection,
  database: string,
  schema: string,
  signal: AbortSignal | undefined,
): Promise<ComparedSide<Table>> {
  await client.query('set session transaction isolation level repeatable read');
  await client.query('start transaction with consistent snapshot, read only');
  const catalog = await readCatalog(client, database);
  const columns = await readColumns(client, database);
  const keys = await keysOf(client, database);
  const tables = (catalog?.tables ?? [])
    .filter(hasRows)
    .map(({ name }) => ({ schema, name, columns: columns.get(name) ?? [], key: keys.get(name) ?? null }));
  return {
    tables,
    async count({ name }) {
      const sql = `select count(*) as \`rows\` from ${q(database, name)}`;
      return Number((await one<{ rows: string | number }>(client, sql)).rows);
    },
    rows({ name, columns }, common, key) {
      const of = new Map(columns.map((column) => [column.name, column]));
      const hashed = (column: string) => hashedColumn(column, of.get(column)!.type);
      const content = common.filter((column) => !of.get(column)!.generated).map(hashed);
      return sortedRows(
        client,
        rowsSql(`${q(database, name)} t`, content, key?.map(hashed) ?? null),
        key,
        signal,
      );
    },
  };
}

async function keysOf(client: Connection, database: string): Promise<Map<string, string[]>> {
  const found = await rows<{ table: string; name: string }>(
    client,
    `select table_name as \`table\`, column_name as name from information_schema.statistics
     where table_schema = ? and index_name = 'PRIMARY' order by table_name, seq_in_index`,
    [database],
  );
  const keys = new Map<string, string[]>();
  for (const { table, name } of found) keys.set(table, [...(keys.get(table) ?? []), name]);
  return keys;
}

/** Of no text; their bytes need not be characters. */
const BYTES =
  /^(tiny|medium|long)?blob$|binary$|^(bit|geometry|point|linestring|polygon|multi\w+|geom\w+|vector)$/;
/** No text of a key is longer in what is shown. */
const SHOWN = 200;

/** A column as it is hashed and shown. */
export interface HashedColumn {
  readonly name: string;
  /** Of no text; shown as hexadecimal digits. */
  readonly bytes: boolean;
  /** Has less precision as text than in the table. */
  readonly float: boolean;
}

/** A FLOAT as the official tools dump it, in six digits: more are in no archive of theirs. */
function hashedColumn(name: string, type: string): HashedColumn {
  return { name, bytes: BYTES.test(type), float: false };
}

/**
 * One row for each of the table's: hash of its key, hash of its content, how often, its key as text; sorted by the
 * first. `from` is what stands after FROM, with the alias `t`.
 */
export function rowsSql(
  from: string,
  columns: readonly HashedColumn[],
  key: readonly HashedColumn[] | null,
  where = 'true',
): string {
  // Each value alone, as it is stored: put together, texts of several character sets would have to be converted, and
  // what is longer than max_allowed_packet would become null.
  const textOf = ({ name, float }: HashedColumn) => (float ? `(t.${q(name)} + 0e0)` : `t.${q(name)}`);
  const one = (column: HashedColumn) => `ifnull(sha2(${textOf(column)}, 256), '-')`;
  const hash = (all: readonly HashedColumn[]) =>
    `unhex(sha2(concat(${all.map(one).join(', ') || "''"}), 256))`;
  const content = hash(columns);
  const of = `from ${from} where ${where}`;
  if (!key) return `select ${content} as k, null as c, count(*) as n ${of} group by 1 order by 1`;
  const shown = key.map((column, index) => {
    const text = column.bytes
      ? `concat('0x', hex(t.${q(column.name)}))`
      : `cast(${textOf(column)} as char character set utf8mb4)`;
    return `left(${text}, ${SHOWN}) as ${q(`k${index}`)}`;
  });
  return `select ${hash(key)} as k, ${content} as c, 1 as n, ${shown.join(', ')} ${of} order by 1`;
}

/** So many rows are held at most. */
const BATCH = 2000;

type Row = Readonly<Record<string, string | null>> & {
  readonly k: Buffer;
  readonly c: Buffer | null;
  readonly n: number;
};

export async function* sortedRows(
  client: Connection,
  sql: string,
  key: readonly string[] | null,
  signal: AbortSignal | undefined,
): AsyncGenerator<SortedRow, void, undefined> {
  for await (const row of streamed(client, sql, BATCH) as AsyncIterable<Row>) {
    signal?.throwIfAborted();
    const shown = key && Object.fromEntries(key.map((name, index) => [name, row[`k${index}`] ?? null]));
    yield { key: row.k, content: row.c, count: Number(row.n), shown };
  }
}
