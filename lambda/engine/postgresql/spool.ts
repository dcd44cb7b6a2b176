import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rm, statfs } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

/** Below this, several sessions cost more than they save. */
const WORTH_IT = 8 * 1024 * 1024;
/** Left free for others. */
const SPARE = 256 * 1024 * 1024;
/** File systems that lie in memory. */
const IN_MEMORY = [0x01021994, 0x858458f6];

/** How many sessions load a dump, where nothing else was asked for. */
export function defaultJobs(bytes: number): number {
  return bytes < WORTH_IT ? 1 : Math.min(availableParallelism(), 4);
}

/** What pg_restore reads: a file, from several places at once, or a stream, from its beginning to its end. */
export type DumpSource =
  | { readonly file: FileHandle; readonly bytes: number }
  | { readonly stream: Readable };

/**
 * The dump on local disk where it has room, authenticated to its last byte before anything is loaded; otherwise the
 * stream. The file has no name: however this process ends, nothing decrypted is left.
 */
export async function openSource(request: {
  readonly jobs: number;
  /** Size of the dump. */
  readonly bytes: number;
  readonly open: () => Promise<Readable>;
  readonly phase?: (message: string) => void;
  readonly signal?: AbortSignal;
}): Promise<DumpSource> {
  const { jobs, bytes, signal } = request;
  // Only Linux opens a file anew by its number, which several readers need.
  if (jobs < 2 || process.platform !== 'linux') return { stream: await request.open() };
  const folder = await roomFor(bytes);
  if (folder === undefined) {
    request.phase?.(
      'no temporary folder on disk has room for the dump (TMPDIR chooses one): loading in one session',
    );
    return { stream: await request.open() };
  }
  const file = await nameless(folder);
  try {
    const dump = await request.open();
    const stop = () => dump.destroy();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      await file.writeFile(dump);
    } finally {
      signal?.removeEventListener('abort', stop);
    }
    signal?.throwIfAborted();
    return { file, bytes };
  } catch (error) {
    await file.close().catch(() => {});
    signal?.throwIfAborted();
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    request.phase?.(`${folder} is full: loading in one session, without a temporary file`);
    return { stream: await request.open() };
  }
}

export async function closeSource(source: DumpSource): Promise<void> {
  if ('file' in source) await source.file.close().catch(() => {});
  else source.stream.destroy();
}

async function roomFor(bytes: number): Promise<string | undefined> {
  for (const folder of new Set([tmpdir(), '/var/tmp'])) {
    const { type, bavail, bsize } = await statfs(folder).catch(() => ({ type: 0, bavail: 0, bsize: 0 }));
    if (!IN_MEMORY.includes(type) && bavail * bsize > bytes + SPARE) return folder;
  }
  return undefined;
}

async function nameless(folder: string): Promise<FileHandle> {
  const path = join(folder, `.sovereign-restore-${randomBytes(8).toString('hex')}`);
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const file = await open(path, flags, 0o600);
  await rm(path);
  return file;
}
