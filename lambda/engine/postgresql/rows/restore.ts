import type pg from 'pg';
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
import { addressOf, type PostgresAddress } from '../connect.js';
import { openMaintenance } from '../maintenance.js';
import { databaseName } from '../names.js';
import { publishingAll } from '../replication.js';
import { compareRows } from './compare.js';
import { explainRead } from './dump.js';
import { explainEvent, named } from './event-triggers.js';
import { newestKept, readHead, stageKept } from './kept.js';
import { isLimit } from './limit.js';
import { replaceRows } from './replace.js';
import { connectForRows, openRows, type SharedRows } from './shared-rows.js';
import { stageArchive } from './stage.js';
import { Triggers } from './triggers.js';

interface SessionsRequest {
  readonly database: string;
  readonly phase?: (message: string) => void;
  readonly statementTimeout?: number;
}

interface Sessions {
  readonly client: pg.Client;
  readonly outside: pg.Client;
  close(): Promise<void>;
}

/** Loads an archive's rows into temporary tables beside the live ones, and checks them there. */
export async function prepareRows(request: EngineRestoreRequest, scope: RowsScope): Promise<PreparedRestore> {
  if (request.keepAs !== undefined)
    throw new InputError(
      'an archive of rows is not a database, so it cannot be kept as one; restore it into the shared tables, or write it to a file with --to-file',
    );
  if (request.facts.format !== 'copy tar')
    throw new InputError(
      `the archive's format is ${JSON.stringify(request.facts.format)}, and rows are kept as "copy tar"`,
    );
  const address = addressOf(request.server);
  const say = request.phase ?? (() => {});
  const sessions = await openSessions(address, request, scope.value);
  const { client } = sessions;
  const abort = () => void sessions.close();
  request.signal?.addEventListener('abort', abort, { once: true });
  const close = async () => {
    request.signal?.removeEventListener('abort', abort);
    await sessions.close();
  };
  let events: SharedRows['eventTriggers'] = [];
  try {
    const description =
      scope.description ?? describe(request.facts.properties.description, 'the description in the archive');
    const rows = await openRows(client, description, scope.value);
    events = rows.eventTriggers;
    const triggers = await Triggers.of(client, rows);
    say('loading the rows into temporary tables, beside the live ones');
    const staged = await stageArchive(client, rows, request, await request.open());
    const warnings = [...staged.warnings];
    if (triggers.any)
      warnings.push(
        'triggers of the tables are off while rows are replaced; other tenants wait that long with writing to those tables',
      );
    if (events.length > 0)
      warnings.push(
        `${named(events)} of the database may run for what the restore creates; what is written down of that stays`,
      );
    const publication = await publishingAll(client);
    if (publication !== undefined)
      warnings.push(
        `publication ${JSON.stringify(publication)} is for all tables: so that its subscribers are not sent what is put aside, that lies in tables that are emptied when the server crashes; undo before that`,
      );
    say('the rows are good');
    return {
      side: 'temporary tables',
      liveExists: true,
      tables: request.tables,
      warnings,
      compare: (options) => compareRows({ ...sessions, rows, staged, ...options }),
      async swap() {
        try {
          const kept = await replaceRows({ ...sessions, ...request, rows, staged: staged.tables });
          return { undo: kept.schema };
        } finally {
          await close();
        }
      },
      async keepAs() {
        throw new InputError('an archive of rows is not a database, so it cannot be kept as one');
      },
      discard: close,
    };
  } catch (error) {
    await close();
    request.signal?.throwIfAborted();
    throw (
      limitStruck(
        isLimit(error),
        request.statementTimeout,
        'a statement of the restore',
        'nothing was changed',
      ) ?? explainRead(explainEvent(error, events))
    );
  }
}

/** Puts back the rows that the last restore, or undo, put aside. */
export async function undoRows(request: EngineUndoRequest, scope: RowsScope): Promise<UndoOutcome> {
  const address = addressOf(request.server);
  const sessions = await openSessions(address, request, scope.value);
  const { client } = sessions;
  let events: SharedRows['eventTriggers'] = [];
  try {
    const kept = await newestKept(client, scope.value);
    if (!kept)
      throw new InputError(
        `there are no kept rows of ${JSON.stringify(scope.value)} in database ${JSON.stringify(request.database)} on ${address.text}: nothing was restored there, or the copy was dropped`,
      );
    await request.confirm({ name: kept.schema, at: kept.at, holder: 'schema' });
    request.phase?.(`putting back ${kept.schema}, which was put aside at ${kept.at.toISOString()}`);
    const head = await readHead(client, kept);
    const description = scope.description ?? describe(head.description, 'the description in the kept copy');
    const rows = await openRows(client, description, scope.value);
    events = rows.eventTriggers;
    const staged = await stageKept(client, rows, kept, head);
    const next = await replaceRows({ ...sessions, ...request, rows, staged: staged.tables, consumes: kept });
    return { from: kept.schema, keptSince: kept.at, undo: next.schema };
  } catch (error) {
    throw explainRead(explainEvent(error, events));
  } finally {
    await sessions.close();
  }
}

/** Staged rows stay in memory. */
const QUICKLY = `set temp_buffers = '64MB'; set default_statistics_target = 10`;

/** The lock on this tenant's restores, the session that writes, and one that looks from outside. */
async function openSessions(
  address: PostgresAddress,
  { database, phase, statementTimeout }: SessionsRequest,
  value: string,
): Promise<Sessions> {
  databaseName(database);
  const options = { settings: [QUICKLY], ...(statementTimeout === undefined ? {} : { statementTimeout }) };
  const opening = [openMaintenance(address, `${database}, rows of ${value}`, phase)];
  const close = async () => {
    // What did not come up need not end.
    await Promise.allSettled(opening.map(async (client) => (await client).end()));
  };
  try {
    await opening[0];
    opening.push(connectForRows(address, database, options), connectForRows(address, database, options));
    const [, client, outside] = await Promise.all(opening);
    return { client: client!, outside: outside!, close };
  } catch (error) {
    await close();
    throw error;
  }
}
