import { stillRunning, waitingFor } from '../one-at-a-time.js';
import { type Connection, connect, type MariadbAddress, one } from './connect.js';
import { lockName } from './names.js';

/** A killed restore's session lives on until its statement ends; so long a wait outlasts it. */
const PATIENCE_SECONDS = 10;

/** The session that holds the lock on a database's restores, and does everything but the loading. */
export async function openLocked(
  address: MariadbAddress,
  database: string,
  say: (message: string) => void = () => {},
): Promise<Connection> {
  const client = await connect(address);
  try {
    const isHeld = async (patience: number) => {
      const { held } = await one<{ held: number | string | null }>(client, 'select get_lock(?, ?) as held', [
        lockName(database),
        patience,
      ]);
      return Number(held) === 1;
    };
    if (await isHeld(0)) return client;
    say(waitingFor(database));
    if (await isHeld(PATIENCE_SECONDS)) return client;
    throw stillRunning(database);
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
}
