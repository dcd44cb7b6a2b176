import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { OperationError, reasonOf } from '../../errors.js';
import { connect, type PostgresAddress } from './connect.js';
import { openMaintenance } from './maintenance.js';
import { commentSql, databaseExists, type Mark } from './marks.js';
import { undoName } from './names.js';

const ATTEMPTS = 5;
/** Somebody is still connected, although all sessions were ended. */
const IN_USE = '55006';

export interface SwapRequest {
  readonly address: PostgresAddress;
  /** Holds the lock on this database's restores. */
  readonly client: pg.Client;
  readonly tenant: string;
  readonly database: string;
  /** What becomes live, and the comment it is to have then. */
  readonly next: string;
  readonly comment: string | null;
}

/**
 * Renames the live database away and the next one into its place, in one transaction: killed at any moment, the name
 * leads to the old or the new one. The rename locks out new sessions; those that are there are ended meanwhile.
 */
export async function swapDatabases(request: SwapRequest): Promise<{ undo?: string }> {
  const { client, database } = request;
  const prepared = await client.query<{ gid: string }>(
    'select gid from pg_prepared_xacts where database = $1',
    [database],
  );
  if (prepared.rows.length > 0)
    throw new OperationError(
      `database ${JSON.stringify(database)} has the prepared transaction ${JSON.stringify(prepared.rows[0]!.gid)}, so it cannot be renamed; commit it or roll it back, then run again`,
    );
  for (let attempt = 1; ; attempt += 1) {
    let outcome: { undo?: string };
    try {
      outcome = await swapOnce(request);
    } catch (error) {
      await client.query('rollback').catch(() => {});
      if ((error as { code?: string }).code !== IN_USE || attempt === ATTEMPTS)
        throw await explain(request, error);
      continue;
    }
    await client.query('commit').catch((error) => settle(request, error));
    return outcome;
  }
}

async function swapOnce({ address, client, tenant, database, next, comment }: SwapRequest) {
  const { rows } = await client.query<{
    oid: number;
    comment: string | null;
    differs: boolean;
    open: boolean;
  }>(
    `select oid::int8::text as oid, shobj_description(oid, 'pg_database') as comment, datallowconn as open,
            datallowconn <> (select datallowconn from pg_database where datname = $2) as differs
     from pg_database where datname = $1`,
    [database, next],
  );
  const live = rows[0];
  const q = pg.escapeIdentifier;
  await client.query('begin');
  let undo: string | undefined;
  if (live) {
    const now = new Date();
    undo = undoName(database, now, randomBytes(2).toString('hex'));
    const mark: Mark = {
      tool: 'sovereign-backup',
      kind: 'undo',
      tenant,
      database,
      at: now.toISOString(),
      comment: live.comment,
    };
    await whileEndingSessions(address, live.oid, () =>
      client.query(`alter database ${q(database)} rename to ${q(undo!)}`),
    );
    await client.query(commentSql(undo, JSON.stringify(mark)));
  }
  await client.query(`alter database ${q(next)} rename to ${q(database)}`);
  await client.query(commentSql(database, comment));
  // Whether it takes connections now is somebody's last word on it, whatever it was when the other was put aside.
  if (live?.differs) await client.query(`alter database ${q(database)} allow_connections ${live.open}`);
  return undo === undefined ? {} : { undo };
}

/** The rename waits five seconds for others to leave; this shows them out as long as it waits. */
async function whileEndingSessions(address: PostgresAddress, oid: number, rename: () => Promise<unknown>) {
  const other = await connect(address, address.maintenance);
  let done = false;
  const renamed = rename().finally(() => {
    done = true;
  });
  renamed.catch(() => {});
  try {
    while (!done) {
      // A session of a role that we may not end stays; the rename then says that the database is in use.
      await other
        .query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where datid = $1::oid and pid <> pg_backend_pid() and (usesysid is null or pg_has_role(usesysid, 'MEMBER'))`,
          [oid],
        )
        .catch(() => {});
      // The pause that is left when the rename is done must not keep the program from ending.
      await Promise.race([renamed.catch(() => {}), sleep(50, undefined, { ref: false })]);
    }
  } finally {
    await other.end().catch(() => {});
  }
  await renamed;
}

/** The answer to the commit was lost, so only the server knows whether it was done: it is asked, and told. */
async function settle(request: SwapRequest, error: unknown): Promise<void> {
  const { address, database, next } = request;
  let swapped: boolean | undefined;
  for (let attempt = 1; swapped === undefined && attempt <= ATTEMPTS; attempt += 1) {
    await sleep(attempt * 500);
    // The lock is free when the session that was cut has ended, and then nothing changes any more.
    const client = await openMaintenance(address, database).catch(() => undefined);
    swapped = client && (await databaseExists(client, next).catch(() => undefined)) === false;
    await client?.end().catch(() => {});
  }
  if (swapped === undefined)
    throw new OperationError(
      `the connection was lost while the databases were swapped: ${reasonOf(error)}; the server could not be asked what it did: database ${JSON.stringify(database)} is whole, the old one or the new one; look which, and run again`,
    );
  if (!swapped) throw await explain(request, error);
}

async function explain({ client, database }: SwapRequest, error: unknown): Promise<Error> {
  const reason = reasonOf(error);
  const who = await client
    .query<{ who: string }>(
      `select distinct format('%s (%s)', usename, coalesce(nullif(application_name, ''), 'no name')) as who
       from pg_stat_activity where datname = $1 and usename is not null`,
      [database],
    )
    .catch(() => undefined);
  const sessions = who?.rows.map((row) => row.who).join(', ');
  return new OperationError(
    `the databases could not be swapped: ${reason}` +
      `${sessions ? `; still connected: ${sessions}; end these sessions, or restore as a role that may` : ''}` +
      `; database ${JSON.stringify(database)} is as it was`,
  );
}
