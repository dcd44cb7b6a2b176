import { join } from 'node:path';
import { OperationError, reasonOf } from '../../errors.js';
import { startTool, type Tool } from '../tool.js';
import { type Clients, clientEnvironment } from './clients.js';
import type { PostgresAddress } from './connect.js';
import { toolReason } from './tool.js';

/** How manifests call one session's dump, and that of several: a tar of pg_dump's folder. */
export const STREAM_FORMAT = 'pg_dump custom';
export const FOLDER_FORMAT = 'pg_dump directory tar';

/** What is the same for pg_dump's formats. */
export interface PgDumpRequest {
  readonly address: PostgresAddress;
  readonly clients: Clients;
  /** What to dump, from which snapshot, how compressed. */
  readonly args: readonly string[];
  /** For its sessions, as PGOPTIONS has them. */
  readonly settings?: string;
  readonly signal?: AbortSignal;
}

/** pg_dump at work. */
export interface PgDump {
  readonly format: string;
  readonly stream: AsyncIterable<Buffer>;
  /** Resolves when pg_dump has ended well and what it wrote was read to its end, as a restore would. */
  readonly whole: Promise<void>;
  kill(): void;
  /** Ends what runs, and removes what lies on disk. */
  close(): Promise<void>;
}

/** Reads a dump to its end: what it refuses, no restore could read. */
export function startReader({ address, clients }: PgDumpRequest, source?: readonly string[]): Tool {
  const reader = startTool(join(clients.folder, 'pg_restore'), ['--file=/dev/null', ...(source ?? [])], {
    env: clientEnvironment(address),
    stdio: [source ? 'ignore' : 'pipe', 'ignore', 'pipe'],
  });
  reader.child.stdin?.on('error', () => {});
  return reader;
}

export async function checkRead(reader: Tool): Promise<void> {
  if ((await reader.exited) !== 0)
    throw new OperationError(`the dump could not be read back: ${toolReason(reader.said())}`);
}

export async function checkDumped(dumper: Tool, { address, signal }: PgDumpRequest): Promise<void> {
  const code = await dumper.exited;
  signal?.throwIfAborted();
  if (code === 0) return;
  const reason = locked(dumper.said(), address.lockTimeout) ?? toolReason(dumper.said());
  throw new OperationError(`pg_dump failed: ${reason}${rowSecurity(reason)}`);
}

/** pg_dump tells a lock that it waited for as a statement that took too long. */
function locked(said: string, seconds: number): string | undefined {
  const [, table] = /timeout\n.*LOCK TABLE (.*?) IN ACCESS SHARE MODE/.exec(said) ?? [];
  if (!table) return undefined;
  return `somebody held a lock on ${table} for longer than ${seconds} s; end what holds it, or wait longer by lock_timeout in the server URL`;
}

/** A policy would hide rows, and a dump without them would look whole. */
export function rowSecurity(error: unknown): string {
  return /row-level security/.test(reasonOf(error))
    ? '; dump as the owner of the table, and where that has FORCE ROW LEVEL SECURITY as a role with BYPASSRLS'
    : '';
}
