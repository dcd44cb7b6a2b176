import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { OperationError } from '../../errors.js';
import { writeStream } from '../../write-stream.js';
import { unpackFolder } from './folder-tar.js';
import { FOLDER_FORMAT } from './pg-dump.js';
import { makePrivateFolder, type PrivateFolder, roomFor, temporaryPath } from './private-folder.js';

/** Below this, several sessions cost more than they save. */
const WORTH_IT = 8 * 1024 * 1024;

/** How many sessions load a dump, where nothing else was asked for. */
export function defaultJobs(bytes: number): number {
  return bytes < WORTH_IT ? 1 : Math.min(availableParallelism(), 4);
}

/**
 * What pg_restore reads: a file or the files of a folder, from several places at once, or a stream, from its beginning to
 * its end.
 */
export type DumpSource =
  | { readonly file: FileHandle; readonly bytes: number }
  | { readonly folder: PrivateFolder; readonly path: string }
  | { readonly stream: Readable };

/** What one session reads. */
export type StreamOrFolder = Extract<DumpSource, { stream: Readable } | { folder: unknown }>;

interface SourceRequest {
  readonly jobs: number;
  readonly format: string;
  /** Size of the dump. */
  readonly bytes: number;
  readonly open: () => Promise<Readable>;
  readonly phase?: (message: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * The dump on local disk where it has room, authenticated to its last byte before anything is loaded; otherwise the
 * stream. The file has no name: however this process ends, nothing decrypted is left.
 */
export async function openSource(request: SourceRequest & { readonly jobs: 1 }): Promise<StreamOrFolder>;
export async function openSource(request: SourceRequest): Promise<DumpSource>;
export async function openSource(request: SourceRequest): Promise<DumpSource> {
  const { jobs, bytes, signal } = request;
  if (request.format === FOLDER_FORMAT) return openFolder(request);
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
    await reading(request, async (dump) => {
      await writeStream(file, dump);
    });
    return { file, bytes };
  } catch (error) {
    await file.close().catch(() => {});
    signal?.throwIfAborted();
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    request.phase?.(`${folder} is full: loading in one session, without a temporary file`);
    return { stream: await request.open() };
  }
}

/** A folder's files have names, and pg_restore opens them by these. */
async function openFolder(request: SourceRequest): Promise<StreamOrFolder> {
  const { bytes, signal } = request;
  const parent = await roomFor(bytes);
  const full = new OperationError(
    `no temporary folder on disk has room for this archive (${Math.ceil(bytes / 1e6)} MB), which was dumped by several sessions and must be unpacked; give one by TMPDIR; the live database was not touched`,
  );
  if (parent === undefined) throw full;
  const folder = await makePrivateFolder(parent);
  const path = join(folder.path, 'dump');
  try {
    await reading(request, (dump) => unpackFolder(dump, path));
    return { folder, path };
  } catch (error) {
    await folder.remove().catch(() => {});
    signal?.throwIfAborted();
    throw (error as NodeJS.ErrnoException).code === 'ENOSPC' ? full : error;
  }
}

async function reading(
  { open, signal }: SourceRequest,
  write: (dump: Readable) => Promise<void>,
): Promise<void> {
  const dump = await open();
  const stop = () => dump.destroy();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    await write(dump);
  } finally {
    signal?.removeEventListener('abort', stop);
    dump.destroy();
  }
  signal?.throwIfAborted();
}

export async function closeSource(source: DumpSource): Promise<void> {
  if ('file' in source) await source.file.close().catch(() => {});
  else if ('folder' in source) await source.folder.remove().catch(() => {});
  else source.stream.destroy();
}

async function nameless(folder: string): Promise<FileHandle> {
  const path = await temporaryPath(folder);
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const file = await open(path, flags, 0o600);
  await rm(path);
  return file;
}
