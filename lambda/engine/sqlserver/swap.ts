import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperationError, reasonOf } from '../../errors.js';
import { emptySql, type Maintenance, recover } from './maintenance.js';
import { clearMark, type Mark, writeMark } from './marks.js';
import { quoteName, quoteText, undoName } from './names.js';
import { databaseInfo } from './server-facts.js';
import { SqlError } from './session.js';

const ATTEMPTS = 5;

export interface SwapRequest {
  /** Its session holds the lock on this database's restores. */
  readonly server: Maintenance;
  readonly tenant: string;
  readonly database: string;
  /** What becomes live, and its mark. */
  readonly next: string;
  readonly mark: Mark;
}

/** Refuses, before anything is loaded, what could not be swapped in the end. */
export async function checkSwappable({ session, address }: Maintenance, database: string): Promise<void> {
  const live = await databaseInfo(session, database);
  if (!live) return;
  const who = `database ${JSON.stringify(database)} on ${address.text}`;
  if (live.mirrored)
    throw new OperationError(
      `${who} is mirrored or in an availability group (on RDS: Multi-AZ), where databases cannot be renamed; turn that off for the time of the restore, then run again`,
    );
  if (live.state !== 'ONLINE')
    throw new OperationError(`${who} is ${live.state}; bring it online or drop it, then run again`);
  if (live.access !== 'MULTI_USER')
    throw new OperationError(
      `${who} is in ${live.access} mode: somebody works on it; set it to MULTI_USER, then run again`,
    );
}

/**
 * Renames the live database away and the next one into its place. SQL Server has no transaction around renames, so
 * both are one batch that the server runs without us, puts back what it began when the second one fails, and is noted
 * beforehand on the next database, from where the next run finishes it.
 */
export async function swapDatabases(request: SwapRequest): Promise<{ undo?: string }> {
  const { server, tenant, database, next, mark } = request;
  const { session } = server;
  for (let attempt = 1; ; attempt += 1) {
    const live = await databaseInfo(session, database);
    const now = new Date();
    const undo = live ? undoName(database, now, randomBytes(2).toString('hex')) : null;
    await writeMark(session, next, { ...mark, swap: { undo } });
    if (undo !== null)
      await writeMark(session, database, {
        tool: 'sovereign-backup',
        kind: 'undo',
        tenant,
        database,
        at: now.toISOString(),
      });
    try {
      await session.batch(swapSql(server, database, next, undo));
    } catch (error) {
      if (!session.alive) throw await explain(server, database, error);
      await recover(server, database);
      const swapped = !(await databaseInfo(session, next));
      if (!swapped) {
        if (!(error instanceof SqlError) || attempt === ATTEMPTS)
          throw await explain(server, database, error);
        await sleep(200 * attempt);
        continue;
      }
    }
    await clearMark(session, database);
    return undo === null ? {} : { undo };
  }
}

/** Sessions on the next database, if there are any, are ended first: while live is renamed, nothing may wait. */
function swapSql({ native }: Maintenance, database: string, next: string, undo: string | null): string {
  const live = quoteName(database);
  const put = native.renameSql(next, database);
  const free = emptySql(next);
  if (undo === null) return `${free}; ${put}`;
  const kept = quoteName(undo);
  return `
    ${free};
    BEGIN TRY
      ALTER DATABASE ${live} SET SINGLE_USER WITH ROLLBACK IMMEDIATE;
      ${native.renameSql(database, undo)};
      ${put};
      ALTER DATABASE ${kept} SET MULTI_USER;
    END TRY
    BEGIN CATCH
      IF DB_ID(${quoteText(database)}) IS NULL AND DB_ID(${quoteText(undo)}) IS NOT NULL
        ${native.renameSql(undo, database)};
      IF DB_ID(${quoteText(undo)}) IS NULL
        ALTER DATABASE ${live} SET MULTI_USER;
      THROW;
    END CATCH`;
}

async function explain({ session }: Maintenance, database: string, error: unknown): Promise<Error> {
  const who = await session
    .query<{ who: string }>(
      `SELECT DISTINCT CONCAT(login_name, N' (', COALESCE(NULLIF(program_name, N''), N'no name'), N')') AS who
       FROM sys.dm_exec_sessions WHERE database_id = DB_ID(@database) AND session_id <> @@SPID`,
      { database },
    )
    .catch(() => []);
  const sessions = who.map((row) => row.who).join(', ');
  const state = session.alive
    ? `database ${JSON.stringify(database)} is as it was`
    : `the next restore, undo or dump of database ${JSON.stringify(database)} brings it to its end`;
  return new OperationError(
    `the databases could not be swapped: ${reasonOf(error)}${sessions ? `; still connected: ${sessions}` : ''}; ${state}`,
  );
}
