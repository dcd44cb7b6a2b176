import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { OperationError, reasonOf } from '../../errors.js';
import { DEFAULT_LEVEL } from '../dump-options.js';
import type { EngineDump, EngineDumpRequest } from '../engine.js';
import type { Depth } from '../table-rows.js';
import { checksumsHere, fixOutput } from './checksums.js';
import { connectionString, findClients, installedClients, majorOf, versionIn } from './clients.js';
import { addressOf, answers, connect } from './connect.js';
import { dumpFolder } from './dump-folder.js';
import { dumpStream } from './dump-stream.js';
import { PLAIN_MONEY, USES_MONEY } from './money.js';
import { databaseName } from './names.js';
import { type PgDump, rowSecurity } from './pg-dump.js';
import { describeDatabase } from './properties.js';
import { checkSchema, describeSchema, schemaArguments } from './schema/part.js';
import { countTables, holdTables } from './tables.js';
import { type StatementWatch, watchStatements } from './watch.js';

/** Since this version pg_dump compresses with zstd itself, which saves passing the bare dump through us. */
const ZSTD_INSIDE = 16;

/** On a standby: nothing can be read in the isolation level in which sessions begin there. */
const READABLE = '-c default_transaction_isolation=read\\ committed';

export async function dump(request: EngineDumpRequest): Promise<EngineDump> {
  const address = addressOf(request.server);
  const { scope, signal, options = {} } = request;
  if (scope.tenancy === 'schema') checkSchema(scope.schema);
  const installed = installedClients();
  // By this name the watch finds our sessions, and no other run's.
  const application = `sovereign-backup dump ${randomBytes(4).toString('hex')}`;
  const client = await connect(address, databaseName(request.database), [
    // Counting must not take the processors from the dump, which is what takes longest.
    `set max_parallel_workers_per_gather = 0; set application_name = ${pg.escapeLiteral(application)}`,
  ]);
  let dumping: PgDump | undefined;
  let watch: StatementWatch | undefined;
  const stop = () => dumping?.kill();
  const close = async () => {
    signal?.removeEventListener('abort', stop);
    await Promise.all([dumping?.close(), watch?.stop(), client.end().catch(() => {})]);
  };
  try {
    const [, taken] = await answers<{
      snapshot: string;
      at: Date;
      size: string;
      version: string;
      encoding: string;
      money: boolean;
      unreadable: boolean;
    }>(client, [
      'begin isolation level repeatable read read only',
      `select pg_export_snapshot() as snapshot, clock_timestamp() as at,
              pg_database_size(current_database()) as size, current_setting('server_version') as version,
              getdatabaseencoding() as encoding, ${USES_MONEY} as money,
              pg_is_in_recovery() and (select reset_val = 'serializable' from pg_settings
                                       where name = 'default_transaction_isolation') as unreadable`,
    ]);
    const { snapshot, at, size, version, encoding, money, unreadable } = taken!.rows[0]!;
    const serverVersion = versionIn(version);
    const clients = await findClients(
      {
        major: majorOf(serverVersion),
        why: `the server at ${address.text} is version ${serverVersion}`,
      },
      installed,
    );
    const inside = clients.major >= ZSTD_INSIDE;
    const compression = `zstd:${options.level ?? DEFAULT_LEVEL}`;
    const args = [
      `--compress=${inside ? compression : '0'}`,
      `--snapshot=${snapshot}`,
      // Whatever a role or the database sets for its clients: nothing may get lost on the way.
      `--encoding=${encoding}`,
      `--lock-wait-timeout=${address.lockTimeout}s`,
      '--no-password',
      ...(scope.tenancy === 'schema' ? schemaArguments(scope) : []),
      `--dbname=${connectionString(address, request.database, application)}`,
    ];
    const { jobs = 1, statementTimeout } = options;
    const settings = [...(money ? [PLAIN_MONEY] : []), ...(unreadable ? [READABLE] : [])];
    const how = {
      address,
      clients,
      args,
      ...(settings.length > 0 ? { settings: settings.join(' ') } : {}),
      ...(signal ? { signal } : {}),
    };
    if (statementTimeout !== undefined)
      watch = await watchStatements(address, request.database, application, statementTimeout);
    const describe = async () =>
      scope.tenancy === 'schema'
        ? describeSchema(client, scope)
        : { ...(await describeDatabase(client)), bytes: Number(size) };
    // The room that a folder needs is the schema's, which may be a small part of the database.
    const early = jobs > 1 && scope.tenancy === 'schema' ? await describe() : undefined;
    dumping =
      jobs > 1
        ? await dumpFolder({ ...how, jobs, at, bytes: early?.bytes ?? Number(size), inside })
        : await dumpStream(how);
    signal?.addEventListener('abort', stop, { once: true });
    signal?.throwIfAborted();
    // Meanwhile pg_dump reads the catalogue itself.
    const { roles, omitted, properties, bytes } = early ?? (await describe());

    const { whole, format, stream } = dumping;
    const finished = (async () => {
      try {
        const only = scope.tenancy === 'schema' ? scope.schema : undefined;
        const counted = countRows(client, options.checksums ?? 'content', signal, only);
        const all = Promise.all([counted, whole]).then(([outcome]) => outcome);
        return await (watch ? Promise.race([all, watch.exceeded]) : all);
      } catch (error) {
        stop();
        signal?.throwIfAborted();
        // What was cancelled says so itself, and not why.
        throw (await watch?.reason()) ?? error;
      }
    })();
    // Whoever still writes the archive needs neither the session nor its snapshot.
    finished.then(() => client.end()).catch(() => {});

    return {
      facts: {
        at,
        serverVersion,
        clientVersion: clients.version,
        format,
        ...(inside ? { innerCompression: compression } : {}),
        snapshot,
        estimatedBytes: bytes,
        roles,
        omitted,
        properties: { ...properties, ...(money ? { plainMoney: true } : {}) },
      },
      stream,
      finished,
      close,
    };
  } catch (error) {
    stop();
    await close();
    if (!(error instanceof pg.DatabaseError)) throw error;
    throw new OperationError(`the dump failed: ${reasonOf(error)}; nothing was kept of it`);
  }
}

async function countRows(client: pg.Client, depth: Depth, signal?: AbortSignal, only?: string) {
  const alive = () => signal?.throwIfAborted();
  try {
    await holdTables(client, only);
    if (depth === 'rows') return { tables: await countTables(client, depth, alive, only) };
    await fixOutput(client);
    return { checksums: await checksumsHere(client), tables: await countTables(client, depth, alive, only) };
  } catch (error) {
    alive();
    throw new OperationError(`the rows could not be counted: ${reasonOf(error)}${rowSecurity(error)}`);
  }
}
