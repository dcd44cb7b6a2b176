import { Readable } from 'node:stream';
import { version as driverVersion } from 'tedious/package.json';
import { InputError, OperationError, reasonOf } from '../../errors.js';
import type { EngineDump, EngineDumpRequest } from '../engine.js';
import { lock, type Maintenance, openServer, recover } from './maintenance.js';
import { databaseName } from './names.js';
import { bytesOf, omissions, usersOf } from './properties.js';
import { databaseInfo } from './server-facts.js';
import { Session } from './session.js';
import type { Staging } from './staging.js';
import { backupKey } from './staging-place.js';
import { countAround } from './tables.js';

export const FORMAT = 'SQL Server backup';

/**
 * The server writes its backup into the staging bucket; from there it is streamed like the output of any dump tool, so
 * that archives are encrypted, hashed, verified and stored alike for every engine. The staged object lives until then.
 */
export async function dump(request: EngineDumpRequest): Promise<EngineDump> {
  const database = databaseName(request.database);
  const { signal } = request;
  const server = await openServer(request.server, signal);
  const { session, address, facts, staging, native } = server;
  const key = staging.newKey(database, 'dump');
  let kmsKey: string | undefined;
  const close = async () => {
    await session.close();
    // A good dump stays good when this fails: the next one removes what is left, or the bucket does after a day.
    await staging.remove(key).catch(() => {});
  };
  try {
    kmsKey = backupKey(staging.place, request.archiveKey);
    await lock(session, 'dump', database);
    await native.endLeftovers(database, staging.folder(database, 'dump'));
    await staging.sweep(database, 'dump');
    const info = await findDatabase(server, database);
    const inside = await Session.open(address, database);
    try {
      const [users, estimated] = [await usersOf(inside), await bytesOf(inside)];
      const startedAt = await serverTime(session);
      const { result, tables, inexact } = await countAround(inside, () =>
        native.backup({
          database,
          key,
          ...(kmsKey ? { kmsKey } : {}),
          ...(signal ? { signal } : {}),
        }),
      );
      const at = await serverTime(session);
      const staged = await staging.describe(key);
      if (staged.bytes === 0) throw new OperationError('the server wrote an empty backup');
      const { stream, finished } = readBack(staging, key, staged.bytes, facts.rds && kmsKey !== undefined);
      const { metadata } = staged;
      return {
        facts: {
          at,
          serverVersion: facts.version,
          clientVersion: driverVersion,
          format: FORMAT,
          ...(facts.rds ? {} : { innerCompression: 'MS_XPRESS' }),
          snapshot: String(result.lastLsn ?? `task ${result.task}`),
          estimatedBytes: Math.max(estimated, staged.bytes),
          roles: [...new Set(users.flatMap(({ login }) => login ?? []))].sort(),
          omitted: omissions(info, inexact),
          properties: {
            owner: info.owner,
            collation: info.collation,
            compatibility: info.compatibility,
            recovery: info.recovery,
            service: facts.rds ? 'Amazon RDS' : 'SQL Server',
            // What the backup holds is the state of one moment between these two.
            backup: { ...result, startedAt: startedAt.toISOString(), endedAt: at.toISOString() },
            ...(Object.keys(metadata).length > 0 ? { objectMetadata: metadata } : {}),
            ...(kmsKey ? { kmsKey } : {}),
            inexact,
          },
        },
        stream,
        finished: finished.then(() => ({ tables })),
        close,
      };
    } finally {
      await inside.close();
    }
  } catch (error) {
    await close().catch(() => {});
    throw describe(error);
  }
}

async function findDatabase(server: Maintenance, database: string) {
  const { session, address } = server;
  const found = async () => {
    const info = await databaseInfo(session, database);
    if (info && info.state !== 'ONLINE')
      throw new OperationError(
        `database ${JSON.stringify(database)} on ${address.text} is ${info.state}, so it cannot be backed up`,
      );
    return info;
  };
  const info = await found();
  if (info) return info;
  // A restore that was killed between its two renames: nobody else may be at it meanwhile.
  await lock(session, 'restore', database);
  await recover(server, database);
  const recovered = await found();
  if (recovered) return recovered;
  throw new InputError(
    `there is no database ${JSON.stringify(database)} on ${address.text}; check the tenant's name, or give --database`,
  );
}

async function serverTime(session: Session): Promise<Date> {
  const [row] = await session.query<{ now: string }>(
    'SELECT CONVERT(nvarchar(30), SYSUTCDATETIME(), 126) AS now',
  );
  return new Date(`${row!.now.slice(0, 23)}Z`);
}

/** How backups begin: without and with compression by the server. */
const BEGINNINGS = ['TAPE', 'MSSQLBAK'];

/** The stream, and the promise that it was read to its end and was as long as the object. */
function readBack(staging: Staging, key: string, bytes: number, encrypted: boolean) {
  let resolve = () => {};
  let reject: (error: unknown) => void = () => {};
  const finished = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  finished.catch(() => {});

  async function* chunks(): AsyncGenerator<Buffer, void, undefined> {
    let passed = 0;
    try {
      for await (const chunk of (await staging.read(key)) as AsyncIterable<Buffer>) {
        if (
          passed === 0 &&
          !encrypted &&
          !BEGINNINGS.some((text) => chunk.subarray(0, 8).toString('latin1').startsWith(text))
        )
          throw new OperationError('what the server wrote is not a backup of SQL Server');
        passed += chunk.length;
        yield chunk;
      }
      if (passed !== bytes)
        throw new OperationError(`the backup was ${bytes} bytes long, and ${passed} could be read`);
      resolve();
    } catch (error) {
      reject(error);
      throw error;
    } finally {
      reject(new OperationError('the backup was not read to its end'));
    }
  }
  return { stream: Readable.from(chunks(), { objectMode: false, highWaterMark: 1024 * 1024 }), finished };
}

function describe(error: unknown): unknown {
  return error instanceof Error && error.constructor.name === 'SqlError'
    ? new OperationError(`the dump failed: ${reasonOf(error)}`)
    : error;
}
