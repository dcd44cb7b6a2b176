import type { Duration, Size } from 'aws-cdk-lib';
import type { DatabaseServer } from './database-server';

/** How the dumps of tenants are taken, where the defaults do not do. */
export interface DumpSettings {
  /**
   * A read replica that is dumped from instead of the server. When it cannot be reached, or ends a dump again and again
   * to replay what came in, the server is dumped from. It is logged in to with the server's own secret; with IAM it needs
   * an `iamResourceId` of its own.
   *
   * @default - none: the server is dumped from
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.html
   */
  readonly replica?: DatabaseServer;

  /**
   * zstd's level, 1 to 19: higher is smaller, and takes more of the worker's processor time.
   *
   * @default 2
   */
  readonly compressionLevel?: number;

  /**
   * Whether the manifest has a checksum of every table's content, which a restore compares, besides its number of rows.
   * The server computes it, in up to a quarter of the dump's time.
   *
   * @default true
   */
  readonly contentChecksums?: boolean;

  /**
   * How much is taken of one tenant's dump per second at most, compressed, to spare the server.
   *
   * @default - no limit
   */
  readonly maxPerSecond?: Size;

  /**
   * Sessions that read one tenant's database at once, in one snapshot, 1 to 64; of PostgreSQL, with a database or a
   * schema per tenant. With more than one the dump lies on the worker's disk first, which has to have room for it.
   *
   * @default 1
   */
  readonly jobs?: number;

  /**
   * How long a statement of a dump may take before it is cancelled, and the dump with it; of PostgreSQL, and of rows in
   * shared tables of MariaDB and MySQL.
   *
   * @default - no limit
   */
  readonly statementTimeout?: Duration;
}
