import { createHash } from 'node:crypto';
import { OperationError } from '../../errors.js';
import { stillRunning, waitingFor } from '../one-at-a-time.js';
import type { ServerAddress } from '../server.js';
import { addressOf, type SqlServerAddress } from './address.js';
import { clearMark, copiesOf, readMark, writeMark } from './marks.js';
import { quoteName } from './names.js';
import type { Native } from './native.js';
import { RdsNative } from './rds.js';
import { SelfHostedNative } from './self-hosted.js';
import { databaseInfo, type ServerFacts, serverFacts } from './server-facts.js';
import { Session } from './session.js';
import { Staging } from './staging.js';

/** A killed run's session lives on until the server notices; so long a wait outlasts it. */
const PATIENCE_MS = 10_000;

/** A session outside of the tenant's database, and all that is done from there. */
export interface Maintenance {
  readonly address: SqlServerAddress;
  readonly session: Session;
  readonly facts: ServerFacts;
  readonly staging: Staging;
  readonly native: Native;
}

/** Connects, and finds out what kind of server it is. */
export async function openServer(server: ServerAddress, signal?: AbortSignal): Promise<Maintenance> {
  const address = addressOf(server);
  const session = await Session.open(address);
  try {
    signal?.throwIfAborted();
    const facts = await serverFacts(session, address);
    const staging = await Staging.open(address, facts.rds);
    const native = nativeOf(session, address, staging, facts);
    return { address, session, facts, staging, native };
  } catch (error) {
    await session.close();
    throw error;
  }
}

export function nativeOf(
  session: Session,
  address: SqlServerAddress,
  staging: Staging,
  { rds }: ServerFacts,
): Native {
  return rds ? new RdsNative(session, address, staging) : new SelfHostedNative(session, staging);
}

/** Of one database, at most one dump runs at a time, and at most one restore or undo. */
export async function lock(
  session: Session,
  what: 'dump' | 'restore',
  database: string,
  say: (message: string) => void = () => {},
): Promise<void> {
  const hash = createHash('sha256').update(database.toLowerCase()).digest('hex');
  const isHeld = async (patience: number) => {
    const [row] = await session.query<{ result: number }>(
      `DECLARE @result int;
     EXEC @result = sys.sp_getapplock @Resource = @resource, @LockMode = N'Exclusive', @LockOwner = N'Session', @LockTimeout = @patience;
     SELECT @result AS result`,
      { resource: `sovereign-backup ${what} ${hash}`, patience },
    );
    return (row?.result ?? -999) >= 0;
  };
  if (await isHeld(0)) return;
  if (what === 'restore') say(waitingFor(database));
  if (await isHeld(PATIENCE_MS)) return;
  if (what === 'restore') throw stillRunning(database);
  throw new OperationError(
    `another dump of database ${JSON.stringify(database)} is running; run again when it has ended`,
  );
}

/**
 * Brings to an end what a run that was killed in the middle of a swap has left; the caller holds the lock on restores.
 * The copy that was to become live was checked and confirmed before, so a missing live name gets that copy.
 */
export async function recover(
  { session, native }: Pick<Maintenance, 'session' | 'native'>,
  database: string,
  say: (message: string) => void = () => {},
): Promise<void> {
  const copies = await copiesOf(session, database);
  for (const { name, mark } of copies) {
    if (!mark?.swap) continue;
    if (await databaseInfo(session, database)) {
      // The live name is taken: this swap had not begun to rename.
      const { swap: _ended, ...rest } = mark;
      await writeMark(session, name, rest);
    } else {
      say(`finishing the swap of an interrupted run: ${name} becomes ${database}`);
      await session.batch(`${emptySql(name)}; ${native.renameSql(name, database)}`);
    }
  }
  const live = await databaseInfo(session, database);
  if (live?.state === 'ONLINE') {
    const stray = await readMark(session, database);
    if (stray) {
      if (live.access !== 'MULTI_USER') await admitAll(session, database);
      await clearMark(session, database);
    }
  }
  for (const { name, access, mark } of await copiesOf(session, database)) {
    if (mark && access !== 'MULTI_USER') await admitAll(session, name);
  }
}

/** Ends whatever sessions are on a database, and lets everybody in again. */
export function emptySql(database: string): string {
  const q = quoteName(database);
  return `ALTER DATABASE ${q} SET SINGLE_USER WITH ROLLBACK IMMEDIATE; ALTER DATABASE ${q} SET MULTI_USER`;
}

async function admitAll(session: Session, database: string): Promise<void> {
  await session.batch(`ALTER DATABASE ${quoteName(database)} SET MULTI_USER`);
}
