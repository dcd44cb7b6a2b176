import type { TableRows } from '../engine.js';
import type { Depth } from '../table-rows.js';
import { type Catalog, hasRows } from './catalog.js';
import { checksumSql } from './checksums.js';
import { readColumns } from './columns.js';
import { type Connection, one, q } from './connect.js';

/** Which rows are looked at, and how closely. */
export interface Counting {
  readonly database: string;
  readonly catalog: Pick<Catalog, 'tables'>;
  /** With those of the past, where the dump has them. */
  readonly history: boolean;
  readonly depth: Depth;
  readonly alive: () => void;
}

/** Rows of every table in the session's snapshot. */
export async function countRows(client: Connection, request: Counting): Promise<TableRows[]> {
  const { database, catalog, history, depth, alive } = request;
  const columns = depth === 'content' ? await readColumns(client, database) : new Map<string, never>();
  const counted: TableRows[] = [];
  for (const table of catalog.tables.filter(hasRows)) {
    alive();
    const all = history && table.versioned ? ' for system_time all' : '';
    const sum = depth === 'content' ? `, ${checksumSql(columns.get(table.name) ?? [])} as checksum` : '';
    // What is released after each count no longer keeps an ALTER TABLE waiting.
    await client.query('savepoint counting');
    const { rows, checksum } = await one<{ rows: string | number; checksum?: string }>(
      client,
      `select count(*) as \`rows\`${sum} from ${q(database, table.name)}${all}`,
    );
    await client.query('rollback to savepoint counting');
    counted.push({
      schema: database,
      name: table.name,
      rows: Number(rows),
      ...(checksum === undefined ? {} : { checksum }),
    });
  }
  return counted;
}
