import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { stillRunning, waitingFor } from '../one-at-a-time.js';
import { connect, type PostgresAddress } from './connect.js';
import { lockNumber } from './names.js';

/** A killed restore's session lives on until its statement ends; so long a wait outlasts it. */
const PATIENCE_MS = 10_000;

/** The session outside of the tenant's database that holds the lock on its restores. */
export async function openMaintenance(
  address: PostgresAddress,
  database: string,
  say: (message: string) => void = () => {},
): Promise<pg.Client> {
  const client = await connect(address, address.maintenance);
  try {
    // Notices a killed process of ours during long statements; version 14 and newer know it.
    await client.query(
      `select set_config(name, '1s', false) from pg_settings where name = 'client_connection_check_interval'`,
    );
    const deadline = Date.now() + PATIENCE_MS;
    for (let tries = 0; !(await lock(client, database)); tries += 1) {
      if (Date.now() > deadline) throw stillRunning(database);
      if (tries === 0) say(waitingFor(database));
      await sleep(250);
    }
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
}

async function lock(client: pg.Client, database: string): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>(
    'select pg_try_advisory_lock($1::bigint) as locked',
    [lockNumber(database)],
  );
  return rows[0]!.locked;
}
