import { basename, dirname, resolve } from 'node:path';
import { reasonOf } from '../errors.js';
import { stopwatch } from '../stopwatch.js';
import { DamagedError } from './damaged-error.js';
import { FolderStore } from './folder-store.js';
import { checkFree } from './free-file.js';
import { summaryOf } from './list-archives.js';
import { damaged, loadBeside, provenManifest } from './load-beside.js';
import { checkName, checkTenant } from './names.js';
import { openDump } from './open-archive.js';
import type {
  DumpFileRequest,
  DumpFileResult,
  KeepRequest,
  KeepResult,
  LoadRequest,
  RehearsalResult,
} from './requests.js';

/**
 * Proves that an archive restores: loads it beside the live database, holds it against the manifest, and drops it. A
 * damaged archive is a result; a server that cannot be reached, or lacks room, says nothing about the archive.
 */
export async function rehearseRestore(request: LoadRequest): Promise<RehearsalResult> {
  const seconds = stopwatch();
  try {
    const { prepared, summary } = await loadBeside(request);
    await prepared.discard();
    return {
      ...summary,
      ok: true,
      problems: [],
      warnings: prepared.warnings,
      seconds: seconds(),
    };
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    return { tenant: request.tenant, ok: false, problems: [reasonOf(error)], seconds: seconds() };
  }
}

/** Restores into a database, or a schema, of another name, which must not exist, and leaves the tenant's own alone. */
export async function restoreAs(request: KeepRequest): Promise<KeepResult> {
  const seconds = stopwatch();
  checkName(request.keepAs, 'a database name');
  const { prepared, summary } = await loadBeside(request);
  try {
    request.signal?.throwIfAborted();
    await prepared.keepAs(request.keepAs);
  } catch (error) {
    await prepared.discard().catch(() => {});
    throw error;
  }
  return {
    ...summary,
    ...(summary.tenancy === 'schema' ? { schema: request.keepAs } : { database: request.keepAs }),
    warnings: prepared.warnings,
    seconds: seconds(),
  };
}

/** Writes the dump as the database's own tool made it; the file appears whole or not at all, and for its owner alone. */
export async function restoreToFile(request: DumpFileRequest): Promise<DumpFileResult> {
  const seconds = stopwatch();
  checkTenant(request.tenant);
  const file = resolve(request.file);
  const folder = new FolderStore(dirname(file));
  await checkFree(file);
  const { place, manifest } = await provenManifest(request);
  const progress = (bytes: number) =>
    request.progress?.({ phase: 'restore', bytes, of: manifest.dump.bytes });
  // What a killed run of this machine has left of the same file.
  await folder.sweep(`.${basename(file)}.`, new Date(0));
  const dump = await openDump({ ...request, progress }, place, manifest).catch((error) => {
    throw damaged(error, place.archive);
  });
  const stop = () => dump.destroy(request.signal?.reason);
  request.signal?.addEventListener('abort', stop, { once: true });
  try {
    await folder.write(basename(file), dump);
  } catch (error) {
    throw damaged(error, place.archive);
  } finally {
    request.signal?.removeEventListener('abort', stop);
  }
  return { ...summaryOf(manifest), file, format: manifest.dump.format, seconds: seconds() };
}
