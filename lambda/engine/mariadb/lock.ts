import { OperationError } from '../../errors.js';
import { type Connection, connect, type MariadbAddress, one } from './connect.js';
import { lockName } from './names.js';

/** A killed restore's session lives on until its statement ends; so long a wait outlasts it. */
const PATIENCE_SECONDS = 10;

/** The session that holds the lock on a database's restores, and does everything but the loading. */
export async function openLocked(address: MariadbAddress, database: string): Promise<Connection> {
  const client = await connect(address);
  try {
    const { held } = await one<{ held: number | string | null }>(client, 'select get_lock(?, ?) as held', [
      lockName(database),
      PATIENCE_SECONDS,
    ]);
    if (Number(held) !== 1)
      throw new OperationError(
        `another restore or undo of database ${JSON.stringify(database)} is running; the live database was not touched: run again when the other one has ended`,
      );
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
}
