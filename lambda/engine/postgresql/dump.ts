import { join } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import type pg from 'pg';
import { OperationError, reasonOf } from '../../errors.js';
import { DEFAULT_LEVEL } from '../dump-options.js';
import type { EngineDump, EngineDumpRequest } from '../engine.js';
import { checksumsHere, fixOutput } from './checksums.js';
import {
  clientEnvironment,
  connectionString,
  findClients,
  installedClients,
  majorOf,
  versionIn,
} from './clients.js';
import { addressOf, connect } from './connect.js';
import { databaseName } from './names.js';
import { describeDatabase } from './properties.js';
import { checkSchema, describeSchema, schemaArguments } from './schema/part.js';
import { countTables } from './tables.js';
import { startTool, type Tool, toolReason } from './tool.js';

/** Since this version pg_dump compresses with zstd itself, which saves passing the bare dump through us. */
const ZSTD_INSIDE = 16;

export async function dump(request: EngineDumpRequest): Promise<EngineDump> {
  const address = addressOf(request.server);
  const { scope } = request;
  if (scope.tenancy === 'schema') checkSchema(scope.schema);
  const installed = installedClients();
  const client = await connect(address, databaseName(request.database));
  const tools: Tool[] = [];
  const stop = () => {
    for (const tool of tools) tool.kill();
  };
  try {
    const serverVersion = versionIn((await one(client, 'show server_version')).server_version as string);
    const clients = await findClients(
      {
        major: majorOf(serverVersion),
        why: `the server at ${address.text} is version ${serverVersion}`,
      },
      installed,
    );
    // Counting must not take the processors from the dump, which is what takes longest.
    await client.query('set max_parallel_workers_per_gather = 0');
    await client.query('begin isolation level repeatable read read only');
    const { snapshot, at, size } = await one(
      client,
      `select pg_export_snapshot() as snapshot, clock_timestamp() as at,
              pg_database_size(current_database()) as size`,
    );
    const inside = clients.major >= ZSTD_INSIDE;
    const depth = request.options?.checksums ?? 'content';
    const compression = `zstd:${request.options?.level ?? DEFAULT_LEVEL}`;
    const args = [
      '--format=custom',
      `--compress=${inside ? compression : '0'}`,
      `--snapshot=${snapshot}`,
      `--lock-wait-timeout=${address.lockTimeout}s`,
      '--no-password',
      ...(scope.tenancy === 'schema' ? schemaArguments(scope) : []),
      `--dbname=${connectionString(address, request.database)}`,
    ];
    const dumper = startTool(join(clients.folder, 'pg_dump'), args, {
      env: clientEnvironment(address),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // A small dump can be over before anybody reads it, while the key is still being fetched. Node then throws away
    // the output of an ended child, unless somebody listens for it.
    dumper.child.stdout!.on('readable', () => {});
    // Reads the same bytes as the archive gets, to their end: what it refuses, no restore could read.
    const reader = startTool(join(clients.folder, 'pg_restore'), ['--file=/dev/null'], {
      env: clientEnvironment(address),
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    reader.child.stdin!.on('error', () => {});
    tools.push(dumper, reader);
    request.signal?.addEventListener('abort', stop, { once: true });
    // Meanwhile pg_dump reads the catalogue itself.
    const { roles, omitted, properties, bytes } =
      scope.tenancy === 'schema'
        ? await describeSchema(client, scope)
        : { ...(await describeDatabase(client)), bytes: Number(size) };

    const finished = (async () => {
      const alive = () => request.signal?.throwIfAborted();
      const dumped = async () => {
        const code = await dumper.exited;
        alive();
        if (code === 0) return;
        const reason = locked(dumper.said(), address.lockTimeout) ?? toolReason(dumper.said());
        throw new OperationError(`pg_dump failed: ${reason}${rowSecurity(reason)}`);
      };
      const counted = async () => {
        try {
          const only = scope.tenancy === 'schema' ? scope.schema : undefined;
          if (depth === 'rows') return { tables: await countTables(client, depth, alive, only) };
          await fixOutput(client);
          return {
            checksums: await checksumsHere(client),
            tables: await countTables(client, depth, alive, only),
          };
        } catch (error) {
          alive();
          throw new OperationError(`the rows could not be counted: ${reasonOf(error)}${rowSecurity(error)}`);
        }
      };
      const read = async () => {
        const code = await reader.exited;
        // Whatever it says about a dump that broke off, the reason is pg_dump's.
        await dumped();
        if (code !== 0)
          throw new OperationError(`the dump could not be read back: ${toolReason(reader.said())}`);
      };
      try {
        const [outcome] = await Promise.all([counted(), dumped(), read()]);
        return outcome;
      } catch (error) {
        stop();
        request.signal?.throwIfAborted();
        throw error;
      }
    })();
    finished.catch(() => {});

    return {
      facts: {
        at: at as Date,
        serverVersion,
        clientVersion: clients.version,
        format: 'pg_dump custom',
        ...(inside ? { innerCompression: compression } : {}),
        snapshot: snapshot as string,
        estimatedBytes: bytes,
        roles,
        omitted,
        properties,
      },
      stream: Readable.from(tee(dumper.child.stdout!, reader.child.stdin!), {
        objectMode: false,
        highWaterMark: 1024 * 1024,
      }),
      finished,
      async close() {
        request.signal?.removeEventListener('abort', stop);
        stop();
        await client.end().catch(() => {});
      },
    };
  } catch (error) {
    request.signal?.removeEventListener('abort', stop);
    stop();
    await client.end().catch(() => {});
    throw error;
  }
}

async function one(client: pg.Client, sql: string): Promise<Record<string, unknown>> {
  return (await client.query(sql)).rows[0];
}

/** pg_dump tells a lock that it waited for as a statement that took too long. */
function locked(said: string, seconds: number): string | undefined {
  const [, table] = /timeout\n.*LOCK TABLE (.*?) IN ACCESS SHARE MODE/.exec(said) ?? [];
  if (!table) return undefined;
  return `somebody held a lock on ${table} for longer than ${seconds} s; end what holds it, or wait longer by lock_timeout in the server URL`;
}

/** A policy would hide rows, and a dump without them would look whole. */
function rowSecurity(error: unknown): string {
  return /row-level security/.test(reasonOf(error))
    ? '; dump as the owner of the table, and where that has FORCE ROW LEVEL SECURITY as a role with BYPASSRLS'
    : '';
}

/** pg_dump writes row by row into a pipe; everything behind it is cheaper by the quarter megabyte. */
const COALESCED = 256 * 1024;

/** Gives all that comes to the reader, too, and waits where the reader is slower. */
async function* tee(source: Readable, reader: Writable): AsyncGenerator<Buffer, void, undefined> {
  let wake = () => {};
  reader.on('drain', () => wake()).on('close', () => wake());
  let waiting: Buffer[] = [];
  let size = 0;
  const flush = async () => {
    const block = waiting.length === 1 ? waiting[0]! : Buffer.concat(waiting, size);
    waiting = [];
    size = 0;
    // A reader that has ended says why by its exit code.
    if (!reader.destroyed && !reader.write(block) && !reader.destroyed)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    return block;
  };
  for await (const chunk of source as AsyncIterable<Buffer>) {
    waiting.push(chunk);
    size += chunk.length;
    if (size >= COALESCED) yield await flush();
  }
  if (size > 0) yield await flush();
  reader.end();
}
