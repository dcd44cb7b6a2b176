// A database to measure with: pgbench's tables, and text that compresses as the text of real users does.
import { join } from 'node:path';
import type { PostgresServer } from '../scripts/postgres-server.mts';
import { measure } from './measure.mts';

export const DATABASE = 'bench';

/** Words of very different frequency, a name and numbers that hardly repeat: zstd makes it a third to a quarter. */
const TICKETS = `
  CREATE TABLE tickets (id bigint PRIMARY KEY, opened timestamptz NOT NULL, customer uuid NOT NULL,
                        state text NOT NULL, body text NOT NULL);
  SELECT setseed(0.5);
  INSERT INTO tickets
    SELECT n, timestamptz '2026-01-01' + n * interval '37 seconds', md5((n * 7)::text)::uuid,
           (ARRAY['open', 'waiting', 'closed'])[1 + n % 3],
           (SELECT string_agg(substr(md5(pick::text), 1, 3 + pick % 8), ' ')
              FROM (SELECT 1 + floor(4000 * power(random(), 3) + n * 0)::int AS pick
                      FROM generate_series(1, 60)) AS picks)
      FROM generate_series(1, $ROWS) AS n;
  CREATE INDEX ON tickets (customer);`;

/** Fills the database until it has about this size; about half of it is text. */
export async function fill(server: PostgresServer, megabytes: number): Promise<number> {
  await server.query(`CREATE DATABASE ${DATABASE}`);
  const connection = ['-h', '127.0.0.1', '-p', String(server.port), '-U', 'postgres'];
  const scale = String(Math.max(1, Math.round(megabytes / 2 / 15)));
  await measure(join(server.bin, 'pgbench'), [...connection, '-i', '-q', '-s', scale, DATABASE]);
  const rows = String(Math.round((megabytes / 2) * 1900));
  await server.query(TICKETS.replace('$ROWS', rows), undefined, DATABASE);
  await server.query('VACUUM ANALYZE', undefined, DATABASE);
  const [size] = await server.query('SELECT pg_database_size($1)::float8 / 1e6 AS mb', [DATABASE]);
  return size!.mb;
}
