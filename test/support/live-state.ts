// What a tenant's table holds, for tests in which sessions are ended all the time.
import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresServer } from './postgres';

/** Rows of table `t`, and the indexes with which a restore ends. */
export async function liveState(server: PostgresServer, database: string): Promise<string> {
  for (let tries = 1; ; tries += 1) {
    try {
      const [row] = await server.query<{ state: string }>(
        `select concat((select md5(string_agg(md5(t::text), '' order by n)) from t),
           (select string_agg(indexdef, ';' order by indexname) from pg_indexes where tablename = 't')) as state`,
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
