import type { TableRows } from '../engine.js';
import { type Catalog, hasRows } from './catalog.js';
import { type Connection, one, q } from './connect.js';

/** Rows of every table in the session's snapshot; with those of the past where the dump has them. */
export async function countRows(
  client: Connection,
  database: string,
  { tables }: Pick<Catalog, 'tables'>,
  history: boolean,
  alive: () => void = () => {},
): Promise<TableRows[]> {
  const counted: TableRows[] = [];
  for (const table of tables.filter(hasRows)) {
    alive();
    const all = history && table.versioned ? ' for system_time all' : '';
    // What is released after each count no longer keeps an ALTER TABLE waiting.
    await client.query('savepoint counting');
    const { rows } = await one<{ rows: string | number }>(
      client,
      `select count(*) as \`rows\` from ${q(database, table.name)}${all}`,
    );
    await client.query('rollback to savepoint counting');
    counted.push({ schema: database, name: table.name, rows: Number(rows) });
  }
  return counted;
}
