import type { Connection } from '../connect.js';

/**
 * The server cancels what takes longer, waiting for locks and for us included; 0 lets every statement take its time.
 * MySQL limits statements that only read.
 */
export async function limitStatements(
  client: Connection,
  mariadb: boolean,
  seconds: number | undefined,
): Promise<void> {
  if (seconds === undefined) return;
  await client.query(
    mariadb
      ? `set session max_statement_time = ${seconds}`
      : `set session max_execution_time = ${Math.min(seconds * 1000, 2 ** 32 - 1)}`,
  );
}

/** MariaDB's own number, which the driver has no name for, and MySQL's. */
const STRUCK = [1969, 3024];

export function isLimit(error: unknown): boolean {
  return STRUCK.includes((error as { errno?: number }).errno ?? 0);
}
