import { reasonOf } from '../../errors.js';
import type { Catalog } from './catalog.js';
import { type Connection, connect, type MariadbAddress, q } from './connect.js';

/** So long may the tenant's own open transactions keep the dump waiting, and the dump keep its writers waiting. */
const PATIENCE_SECONDS = 5;

export interface Moment {
  /** What the manifest says of it. */
  readonly snapshot: string;
  /** Our session sees what the dump has. */
  readonly shared: boolean;
  /** Lets writers go on. */
  release(): Promise<void>;
}

/**
 * Starts the dump, and a transaction of ours, at one moment. No server lets two sessions share a snapshot, so the
 * tenant's own tables, and nobody else's, are read-locked for the instant in which both begin; that needs no right
 * beyond LOCK TABLES on them, unlike FLUSH TABLES WITH READ LOCK, which would stop every tenant of the server.
 */
export async function oneMoment(request: {
  readonly address: MariadbAddress;
  readonly client: Connection;
  readonly database: string;
  readonly catalog: Catalog;
  /** Resolves when the dump has its snapshot. */
  readonly start: () => Promise<void>;
}): Promise<Moment> {
  const { address, client, database, catalog, start } = request;
  const begin = async () => {
    await client.query('set session transaction isolation level repeatable read');
    await client.query('start transaction with consistent snapshot');
    await start();
  };
  if (catalog.tables.length === 0) {
    await begin();
    return { snapshot: 'no tables, so no rows', shared: true, release: async () => {} };
  }
  const locker = await connect(address);
  try {
    const tables = catalog.tables.map(({ name }) => `${q(database, name)} read`).join(', ');
    await locker.query(`set session lock_wait_timeout = ${PATIENCE_SECONDS}`);
    const refusal = await locker.query(`lock tables ${tables}`).then(
      () => undefined,
      (error: unknown) => reasonOf(error),
    );
    await begin();
    if (refusal === undefined)
      return {
        snapshot:
          'one moment for dump and count: the tables were read-locked while both took their consistent snapshot',
        shared: true,
        release: () => locker.end(),
      };
    await locker.end();
    return {
      snapshot: `consistent snapshot of the dump tool; rows counted in the dump only, because the tables could not be locked for a moment (${refusal})`,
      shared: false,
      release: async () => {},
    };
  } catch (error) {
    await locker.end().catch(() => {});
    throw error;
  }
}
