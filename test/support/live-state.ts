// What a tenant's table holds, for tests in which sessions are ended all the time.
import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresServer } from './postgres';

const OF_T = `concat((select md5(string_agg(md5(t::text), '' order by n)) from t),
  (select string_agg(indexdef, ';' order by indexname) from pg_indexes where tablename = 't'))`;
const OF_ALL = `concat(
  (select string_agg(tablename || query_to_xml(format('select md5(string_agg(t::text, '''' order by n)) from %I t', tablename), false, true, ''),
     ';' order by tablename) from pg_tables where schemaname = 'public'),
  (select string_agg(indexdef, ';' order by indexname) from pg_indexes where schemaname = 'public'),
  (select string_agg(conname, ';' order by conname) from pg_constraint where connamespace = 'public'::regnamespace))`;

/** Rows of table `t`, or of every table, each of which has a column `n`; and the indexes with which a restore ends. */
export async function liveState(
  server: PostgresServer,
  database: string,
  what: 't' | 'all' = 't',
): Promise<string> {
  for (let tries = 1; ; tries += 1) {
    try {
      const [row] = await server.query<{ state: string }>(
        `select ${what === 't' ? OF_T : OF_ALL} as state`,
        [],
        database,
      );
      return row!.state;
    } catch (error) {
      // The server still carries out a swap whose client was killed, and shows everybody out.
      if ((error as { code?: string }).code !== '57P01' || tries === 20) throw error;
      await sleep(100);
    }
  }
}
