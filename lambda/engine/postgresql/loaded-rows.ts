import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { TableRows } from '../engine.js';
import type { OwnTable } from './tables.js';

const ATTEMPTS = 50;
const BETWEEN_MS = 10;

/**
 * The server's own numbers of the rows that were loaded into this database, which nobody else has used: of the tables
 * where rows came in, and as many as the manifest says. Reading all of a large table once more to count it would say the
 * same. What the server did not count, or counted otherwise, is not among them and has to be read.
 */
export async function loadedRows(
  client: pg.Client,
  tables: readonly OwnTable[],
  expected: readonly TableRows[],
): Promise<ReadonlyMap<OwnTable, TableRows>> {
  const loaded = new Map<OwnTable, TableRows>();
  if (!(await countsAreIn(client))) return loaded;
  const { rows: counted } = await client.query<{ schema: string; name: string; rows: string }>(
    `select schemaname as schema, relname as name, n_tup_ins as rows from pg_stat_user_tables
     where n_tup_ins > 0 and n_tup_upd = 0 and n_tup_del = 0 and n_dead_tup = 0`,
  );
  const key = ({ schema, name }: { readonly schema: string; readonly name: string }) =>
    JSON.stringify([schema, name]);
  const rowsOf = new Map(counted.map((table) => [key(table), Number(table.rows)]));
  const manifest = new Map(expected.map((table) => [key(table), table.rows]));
  for (const table of tables) {
    const rows = rowsOf.get(key(table));
    if (rows !== undefined && rows === manifest.get(key(table)))
      loaded.set(table, { schema: table.schema, name: table.name, rows });
  }
  return loaded;
}

/**
 * A session's last counts are there when it is gone, which is a moment after its client. Before version 15 they come by a
 * way on which they can be late, or lost.
 */
async function countsAreIn(client: pg.Client): Promise<boolean> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const { rows } = await client.query<{ counts: boolean; others: boolean }>(
      `select current_setting('server_version_num')::int >= 150000 and current_setting('track_counts')::bool as counts,
         exists (select from pg_stat_activity
           where datname = current_database() and usename = session_user and pid <> pg_backend_pid()) as others`,
    );
    const [{ counts, others }] = rows as [{ counts: boolean; others: boolean }];
    if (!counts || !others) return counts;
    await sleep(BETWEEN_MS);
  }
  return false;
}
