import type pg from 'pg';

/**
 * A publication for all tables, by whose slot subscribers are sent the rows of every table that is made, too: at one that
 * they do not have, or at a row that they have already, they stop, and with them the replication of everybody's tables.
 */
export async function publishingAll(client: pg.Client): Promise<string | undefined> {
  const { rows } = await client.query<{ name: string }>(
    `select pubname as name from pg_publication
     where puballtables and exists (select from pg_replication_slots where slot_type = 'logical' and database = current_database())
     order by 1 limit 1`,
  );
  return rows[0]?.name;
}
