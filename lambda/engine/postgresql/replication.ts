import pg from 'pg';
import { connect, type PostgresAddress } from './connect.js';

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

/** In words: what the live database receives by subscriptions, its kept copy goes on receiving, and the restored one does not. */
export async function stillReceiving(client: pg.Client, database: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select subname as name from pg_subscription s join pg_database d on d.oid = s.subdbid
     where d.datname = $1 and subenabled order by 1`,
    [database],
  );
  return rows.map(
    ({ name }) =>
      `subscription ${JSON.stringify(name)} goes on in the database that is put aside, and is off in the restored one; switch it off there before you switch it on here (ALTER SUBSCRIPTION … DISABLE)`,
  );
}

/**
 * A database that has subscriptions cannot be dropped. Those of a restored copy are off, and the slots that they name are
 * others', which must stay.
 */
export async function dropSubscriptions(
  client: pg.Client,
  address: PostgresAddress,
  database: string,
): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    'select subname as name from pg_subscription s join pg_database d on d.oid = s.subdbid where d.datname = $1',
    [database],
  );
  if (rows.length === 0) return;
  const inside = await connect(address, database);
  try {
    for (const name of rows.map((row) => pg.escapeIdentifier(row.name))) {
      await inside.query(`alter subscription ${name} disable`);
      await inside.query(`alter subscription ${name} set (slot_name = none)`);
      await inside.query(`drop subscription ${name}`);
    }
  } finally {
    await inside.end();
  }
}
