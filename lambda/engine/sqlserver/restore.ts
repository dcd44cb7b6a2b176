import { InputError, OperationError, reasonOf } from '../../errors.js';
import type { EngineRestoreRequest, PreparedRestore, TableRows } from '../engine.js';
import { refuseDifferences } from '../table-rows.js';
import { FORMAT } from './dump.js';
import { lock, type Maintenance, openServer, recover } from './maintenance.js';
import { clearMark, copiesOf, type Mark, writeMark } from './marks.js';
import { databaseName, quoteName, restoreName } from './names.js';
import { usersOf } from './properties.js';
import { databaseExists, databaseInfo, majorOf } from './server-facts.js';
import { Session, SqlError } from './session.js';
import { checkSwappable, swapDatabases } from './swap.js';
import { countRows, differences } from './tables.js';

/** What our dumps write into the manifest, read as something from outside. */
interface Properties {
  readonly owner: string | null;
  readonly kmsKey?: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly inexact: readonly string[];
}

export async function prepareRestore(request: EngineRestoreRequest): Promise<PreparedRestore> {
  const database = databaseName(request.database);
  const side = restoreName(database, request.archive);
  const { tenant, signal } = request;
  const say = request.phase ?? (() => {});
  const server = await openServer(request.server, signal);
  const { session, staging, native } = server;
  const key = staging.newKey(database, 'restore');
  let begun = false;
  let staged = false;
  const discard = async () => {
    const dropped = begun ? await dropSide(server, side) : undefined;
    begun = false;
    try {
      if (staged) await staging.remove(key);
      staged = false;
    } finally {
      await session.close();
    }
    if (dropped) throw dropped;
  };
  try {
    const properties = checkArchive(server, request);
    await lock(session, 'restore', database, say);
    await recover(server, database, say);
    await checkSwappable(server, database);
    if (request.keepAs !== undefined) await checkFree(server, request.keepAs);
    await dropLeftovers(server, database, side, say);
    const live = await databaseInfo(session, database);
    say('putting the backup where the server can read it');
    staged = true;
    await staging.write(key, await request.open(), properties.metadata, 0);
    signal?.throwIfAborted();
    say(
      `restoring into ${side}, beside ${live ? 'the live database' : 'nothing: the live database is gone'}`,
    );
    begun = true;
    await native.restore({
      database: side,
      key,
      archive: request.archive,
      progress: say,
      ...(properties.kmsKey ? { kmsKey: properties.kmsKey } : {}),
      ...(signal ? { signal } : {}),
    });
    await staging.remove(key);
    staged = false;
    const mark: Mark = {
      tool: 'sovereign-backup',
      kind: 'restore',
      tenant,
      database,
      at: request.at.toISOString(),
      archive: request.archive,
    };
    await writeMark(session, side, mark);
    say('restored; reading its pages and counting rows');
    const warnings = await native.check(side, signal);
    const { tables, users } = await lookInside(server, side, request);
    warnings.push(...compare(request, properties, tables), ...users);
    if (request.noOwner) warnings.push('restored without its owner, as asked for');
    else warnings.push(...(await giveOwner(server, side, live?.owner ?? properties.owner)));
    say('the copy is good');
    return {
      side,
      liveExists: live !== undefined,
      endsSessions: true,
      tables,
      warnings,
      async swap() {
        try {
          const outcome = await swapDatabases({ server, tenant, database, next: side, mark });
          begun = false;
          return outcome;
        } finally {
          // A swap that is half done must not lose the copy that finishes it.
          if (begun && session.alive && !(await databaseExists(session, database))) begun = false;
          await discard().catch(() => {});
        }
      },
      async keepAs(name) {
        try {
          await checkFree(server, name);
          await session.batch(native.renameSql(side, name));
          begun = false;
          await clearMark(session, name);
        } finally {
          await discard().catch(() => {});
        }
      },
      discard,
    };
  } catch (error) {
    await discard().catch(() => {});
    throw error instanceof SqlError
      ? new OperationError(`the restore failed: ${reasonOf(error)}; the live database was not touched`)
      : error;
  }
}

function checkArchive({ facts, address, staging }: Maintenance, request: EngineRestoreRequest): Properties {
  const { format, serverVersion, properties } = request.facts;
  if (format !== FORMAT)
    throw new InputError(`the archive's format is ${JSON.stringify(format)}; this engine restores ${FORMAT}`);
  if (majorOf(serverVersion) > facts.major)
    throw new InputError(
      `the archive is of a server of version ${serverVersion}, and ${address.text} is version ${facts.version}: SQL Server restores to the same or a newer version only`,
    );
  const { owner, kmsKey, objectMetadata, inexact } = properties;
  if (typeof kmsKey === 'string' && !facts.rds)
    throw new InputError(
      `Amazon RDS encrypted this backup with ${kmsKey}, and nothing else can decrypt it; restore to RDS in the key's region`,
    );
  if (typeof kmsKey === 'string' && kmsKey.split(':')[3] !== staging.place.region)
    throw new InputError(
      `this backup is encrypted with ${kmsKey}, and the staging bucket is in ${staging.place.region}; restore in the key's region`,
    );
  const entries = Object.entries((objectMetadata ?? {}) as Record<string, unknown>);
  return {
    owner: typeof owner === 'string' ? owner : null,
    ...(typeof kmsKey === 'string' ? { kmsKey } : {}),
    metadata: Object.fromEntries(entries.map(([name, value]) => [name, String(value)])),
    inexact: Array.isArray(inexact) ? inexact.map(String) : [],
  };
}

async function checkFree({ session, address }: Maintenance, name: string): Promise<void> {
  if (await databaseExists(session, databaseName(name)))
    throw new InputError(`database ${JSON.stringify(name)} exists on ${address.text}; it was not touched`);
}

/** We hold the lock, so what has a side copy's name and is ours is what a killed restore left. */
async function dropLeftovers(
  server: Maintenance,
  database: string,
  side: string,
  say: (message: string) => void,
): Promise<void> {
  const { session, native, staging } = server;
  const ours = native.nameOf(staging.folder(database, 'restore'));
  for (const { name, kind, state, mark } of await copiesOf(session, database)) {
    if (kind !== 'restore') continue;
    await native.endLeftovers(name, staging.folder(database, 'restore'));
    // Killed before it could be marked: then the server remembers from where it was restored.
    const left =
      mark !== undefined || state === 'RESTORING' || (await native.restoredFrom(name))?.startsWith(ours);
    if (left) {
      say(`dropping ${name}, which an interrupted restore left`);
      await native.drop(name);
    } else if (name === side)
      throw new InputError(
        `database ${JSON.stringify(side)} exists and is not from this tool; rename it or drop it, then run again`,
      );
  }
  await native.endLeftovers(side, staging.folder(database, 'restore'));
  if (await databaseExists(session, side)) await native.drop(side);
  await staging.sweep(database, 'restore');
}

/** Undefined when it is gone; the reason when it is not. */
async function dropSide(server: Maintenance, side: string): Promise<Error | undefined> {
  try {
    if (server.session.alive) {
      if (await databaseExists(server.session, side)) await server.native.drop(side);
      return undefined;
    }
    return new OperationError(
      `the connection was lost, so ${side} is still there; the next restore drops it`,
    );
  } catch (error) {
    return new OperationError(reasonOf(error));
  }
}

async function lookInside({ address }: Maintenance, side: string, request: EngineRestoreRequest) {
  const session = await Session.open(address, side);
  try {
    const tables = await countRows(session, () => request.signal?.throwIfAborted());
    const orphans = (await usersOf(session)).filter(({ login }) => login === null);
    const users = orphans.map(
      ({ name }) =>
        `user ${JSON.stringify(name)} has no login on this server; give it one with ALTER USER … WITH LOGIN`,
    );
    return { tables, users };
  } finally {
    await session.close();
  }
}

function compare(
  request: EngineRestoreRequest,
  { inexact }: Properties,
  tables: readonly TableRows[],
): string[] {
  refuseDifferences(differences(request.tables, inexact, tables));
  if (inexact.length === 0) return [];
  return [
    `the rows of ${inexact.length} tables could not be compared, because they were written to while the backup was made: ${inexact.slice(0, 5).join(', ')}${inexact.length > 5 ? ', …' : ''}`,
  ];
}

/** Whoever restores becomes the owner; on RDS that is nobody's choice. */
async function giveOwner(
  { session, facts }: Maintenance,
  side: string,
  owner: string | null,
): Promise<string[]> {
  if (facts.rds || owner === null) return [];
  try {
    await session.batch(`ALTER AUTHORIZATION ON DATABASE::${quoteName(side)} TO ${quoteName(owner)}`);
    return [];
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    return [`the owner ${JSON.stringify(owner)} could not be set: ${reasonOf(error)}`];
  }
}
