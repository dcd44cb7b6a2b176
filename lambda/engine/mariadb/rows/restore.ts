import { InputError } from '../../../errors.js';
import { describe } from '../../../tenancy/describe.js';
import type {
  EngineRestoreRequest,
  EngineUndoRequest,
  PreparedRestore,
  RowsScope,
  UndoOutcome,
} from '../../engine.js';
import { limitStruck } from '../../limit-struck.js';
import { addressOf, type Connection, connect, type MariadbAddress, q, serverFacts } from '../connect.js';
import { openLocked } from '../lock.js';
import { databaseName } from '../names.js';
import { compareRows } from './compare.js';
import { FORMAT } from './dump.js';
import { explain, RESTORING } from './explain.js';
import { newestKept, readHead, stageKept, sweepKept } from './kept.js';
import { isLimit, limitStatements } from './limit.js';
import { readsCommitted } from './put-aside.js';
import { replaceRows } from './replace.js';
import { openRows } from './shared-rows.js';
import { stageArchive } from './stage.js';

interface Sessions {
  readonly client: Connection;
  readonly aside: Connection;
  readonly mariadb: boolean;
  close(): Promise<void>;
  /** At once, whatever they are doing: the server takes back what is not committed. */
  cut(): void;
}

/** Loads an archive's rows into temporary tables beside the live ones, and checks them there. */
export async function prepareRows(request: EngineRestoreRequest, scope: RowsScope): Promise<PreparedRestore> {
  const notOne = 'an archive of rows is not a database, so it cannot be kept as one';
  if (request.keepAs !== undefined)
    throw new InputError(
      `${notOne}; restore it into the shared tables, or write it to a file with --to-file`,
    );
  if (request.facts.format !== FORMAT)
    throw new InputError(
      `the archive's format is ${JSON.stringify(request.facts.format)}, and rows are kept as ${JSON.stringify(FORMAT)}`,
    );
  const say = request.phase ?? (() => {});
  const address = addressOf(request.server);
  const sessions = await openSessions(address, request, scope.value);
  const { client } = sessions;
  request.signal?.addEventListener('abort', sessions.cut, { once: true });
  const close = async () => {
    request.signal?.removeEventListener('abort', sessions.cut);
    await sessions.close();
  };
  try {
    await limitStatements(client, sessions.mariadb, request.statementTimeout);
    const description =
      scope.description ?? describe(request.facts.properties.description, 'the description in the archive');
    const shared = await openRows(client, request.database, description, scope.value);
    say('loading the rows into temporary tables, beside the live ones');
    const staged = await stageArchive(client, shared, request, await request.open());
    say('the rows are good');
    const triggers = shared.plan.tables.flatMap(({ table }) => table.triggers ?? []);
    return {
      side: 'temporary tables',
      liveExists: true,
      tables: request.tables,
      warnings: [
        ...staged.warnings,
        ...(triggers.length > 0
          ? [`triggers of the tables run for every row that is replaced: ${triggers.join(', ')}`]
          : []),
      ],
      compare: (options) => compareRows({ address, client, shared, staged, ...options }),
      async swap() {
        try {
          const kept = await replaceRows({ ...sessions, ...request, shared, staged: staged.tables });
          return { undo: kept.database };
        } finally {
          await close();
        }
      },
      async keepAs() {
        throw new InputError(notOne);
      },
      discard: close,
    };
  } catch (error) {
    await close();
    request.signal?.throwIfAborted();
    throw (
      limitStruck(isLimit(error), request.statementTimeout, 'a statement of the restore', RESTORING.holds) ??
      explain(error, RESTORING)
    );
  }
}

/** Puts back the rows that the last restore, or undo, put aside. */
export async function undoRows(request: EngineUndoRequest, scope: RowsScope): Promise<UndoOutcome> {
  const address = addressOf(request.server);
  const { database } = request;
  const sessions = await openSessions(address, request, scope.value);
  const { client } = sessions;
  request.signal?.addEventListener('abort', sessions.cut, { once: true });
  try {
    const kept = await newestKept(client, database, scope.value);
    if (!kept)
      throw new InputError(
        `there are no kept rows of ${JSON.stringify(scope.value)} in database ${JSON.stringify(database)} on ${address.text}: nothing was restored there, or the copy was dropped`,
      );
    await request.confirm({ name: kept.database, at: kept.at, holder: 'database' });
    request.phase?.(`putting back ${kept.database}, which was put aside at ${kept.at.toISOString()}`);
    const head = await readHead(client, kept);
    const description = scope.description ?? describe(head.description, 'the description in the kept copy');
    const shared = await openRows(client, database, description, scope.value);
    const staged = await stageKept(client, shared, kept, head);
    const next = await replaceRows({
      ...sessions,
      ...request,
      shared,
      staged: staged.tables,
      consumes: kept,
    });
    return { from: kept.database, keptSince: kept.at, undo: next.database };
  } catch (error) {
    request.signal?.throwIfAborted();
    throw explain(error, RESTORING);
  } finally {
    request.signal?.removeEventListener('abort', sessions.cut);
    await sessions.close();
  }
}

/**
 * What holds while rows are restored: whatever would be cut or replaced by something else is an error, zero is a number
 * like others, notes are no warnings, and nobody is waited for too long. A trigger can know a restore by the variable.
 */
const SETTINGS = `set session sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES',
  foreign_key_checks = 1, unique_checks = 1, sql_notes = 0, innodb_lock_wait_timeout = 10, lock_wait_timeout = 10,
  @sovereign_backup_restore = 1`;

/** The lock on this tenant's restores, whose session copies rows, and the session that does everything else. */
async function openSessions(
  address: MariadbAddress,
  { database, phase }: Pick<EngineRestoreRequest, 'database' | 'phase'>,
  value: string,
): Promise<Sessions> {
  databaseName(database);
  const lock = await openLocked(address, `${database}, rows of ${value}`, phase);
  const open = [lock];
  const close = async () => {
    await Promise.all(open.map((client) => client.end().catch(() => {})));
  };
  try {
    const { mariadb } = await serverFacts(lock, address);
    await sweepKept(lock, database, value);
    const client = await connect(address);
    open.push(client);
    await client.query(`use ${q(database)}`);
    for (const each of open) await each.query(SETTINGS);
    await client.query('set session transaction isolation level repeatable read');
    // All that is written is locked before; and what was put aside meanwhile has to be seen. Not every server knows it.
    await client.query('set session innodb_snapshot_isolation = 0').catch(() => {});
    const aside = (await readsCommitted(lock)) ? lock : client;
    const cut = () => {
      for (const each of open) each.destroy();
    };
    return { client, aside, mariadb, close, cut };
  } catch (error) {
    await close();
    throw explain(error, RESTORING);
  }
}
