import type { SizesRequest } from '../engine.js';
import { addressOf, connect } from './connect.js';
import { databaseName } from './names.js';

interface Size {
  readonly name: string;
  /** A bigint, which the driver gives as text; null of what was dropped meanwhile. */
  readonly bytes: string | null;
}

/** What databases or schemas take on disk, with indexes: who may not connect to a database may not see its size. */
export async function sizes({ server, of }: SizesRequest): Promise<Map<string, number>> {
  const address = addressOf(server);
  const client = await connect(address, 'schemas' in of ? databaseName(of.database) : address.maintenance);
  try {
    const { rows } =
      'schemas' in of
        ? await client.query<Size>(
            `select n.nspname as name, sum(pg_total_relation_size(c.oid))::bigint as bytes
             from pg_namespace n join pg_class c on c.relnamespace = n.oid and c.relkind in ('r', 'm')
             where n.nspname = any($1) group by 1`,
            [of.schemas],
          )
        : await client.query<Size>(
            `select datname as name, pg_database_size(oid) as bytes from pg_database where datname = any($1)
             and (has_database_privilege(oid, 'CONNECT') or pg_has_role('pg_read_all_stats', 'MEMBER'))`,
            [of.databases],
          );
    return new Map(rows.flatMap(({ name, bytes }) => (bytes === null ? [] : [[name, Number(bytes)]])));
  } finally {
    await client.end();
  }
}
