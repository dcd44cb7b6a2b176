import { setTimeout as sleep } from 'node:timers/promises';
import { OperationError } from '../../errors.js';
import { limitError } from '../limit-struck.js';
import { connect, type PostgresAddress } from './connect.js';

export interface StatementWatch {
  /** Rejects when a statement was cancelled, or when nobody could watch any more; never resolves. */
  readonly exceeded: Promise<never>;
  /** After something failed: the cancelling that it comes from, if it does. Ends the watch. */
  reason(): Promise<unknown>;
  stop(): Promise<void>;
}

/** Waiting for a lock has a limit of its own. */
const CANCEL = `
  select query, pg_cancel_backend(pid) from pg_stat_activity
  where application_name = $1 and pid <> pg_backend_pid() and state = 'active'
    and wait_event_type is distinct from 'Lock' and clock_timestamp() - query_start > make_interval(secs => $2)`;

/**
 * Cancels what a session of that name has been at for longer than so many seconds. pg_dump switches off the server's own
 * limit, so that nothing else could end a statement that has gone astray.
 */
export async function watchStatements(
  address: PostgresAddress,
  database: string,
  application: string,
  seconds: number,
): Promise<StatementWatch> {
  const client = await connect(address, database);
  const stopped = new AbortController();
  const watching = async (): Promise<never> => {
    for (;;) {
      await sleep(Math.min(1000, seconds * 200), undefined, { signal: stopped.signal });
      const { rows } = await client.query<{ query: string }>(CANCEL, [application, seconds]);
      if (rows.length > 0) throw limitError(whatOf(rows[0]!.query), seconds, 'nothing was kept of the dump');
    }
  };
  const exceeded = watching();
  exceeded.catch(() => {});
  return {
    exceeded,
    async reason() {
      stopped.abort();
      return exceeded.catch((error) => (error instanceof OperationError ? error : undefined));
    },
    async stop() {
      stopped.abort();
      await client.end().catch(() => {});
    },
  };
}

/** Names the table, and nothing else of the statement. */
function whatOf(query: string): string {
  const [, read] = /^COPY (.*?) (?:\(|TO )/.exec(query) ?? [];
  if (read !== undefined) return `reading ${read}`;
  // The server keeps the beginning of a statement alone.
  if (/^select count\(\*\)/.test(query)) return `counting ${/ from only (.*)$/.exec(query)?.[1] ?? 'rows'}`;
  return "a statement that reads the database's catalogue";
}
