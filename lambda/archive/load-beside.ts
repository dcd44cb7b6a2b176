import { type PreparedRestore, requireLimit } from '../engine/engine.js';
import { engineFor } from '../engine/engines.js';
import { InputError } from '../errors.js';
import { type ArchivePlace, findArchive } from './catalog.js';
import { DamagedError } from './damaged-error.js';
import { summaryOf } from './list-archives.js';
import type { Manifest } from './manifest.js';
import { checkName, checkTenant } from './names.js';
import { openDump, openManifest } from './open-archive.js';
import type { ArchiveSummary, LoadRequest } from './requests.js';
import { scopeOf } from './scope.js';

/** An archive whose content lies beside the live database, checked; nobody uses it yet. */
export interface Loaded {
  readonly place: ArchivePlace;
  readonly manifest: Manifest;
  readonly prepared: PreparedRestore;
  readonly summary: ArchiveSummary;
}

/**
 * Loads one tenant's archive beside the live database and holds it against the manifest. Whatever fails, the live
 * database is not touched; what becomes of the copy is for the caller to say, and beforehand whether it is to be live.
 */
export async function loadBeside(request: LoadRequest, { swaps = false } = {}): Promise<Loaded> {
  const { tenant, server, signal } = request;
  checkTenant(tenant);
  const say = (message: string) => request.progress?.({ phase: 'restore', message });
  const { place, manifest } = await provenManifest(request);
  const engine = await engineFor(server);
  if (manifest.engine.name !== engine.name)
    throw new InputError(
      `archive ${place.archive} is of ${manifest.engine.name}, and the server URL says ${engine.name}`,
    );
  const database = request.database ?? manifest.database;
  checkName(database, 'a database name');
  const scope = scopeOf(manifest, request.scope);
  requireLimit(engine, scope.tenancy, request.statementTimeout);
  const progress = (bytes: number) =>
    request.progress?.({ phase: 'restore', bytes, of: manifest.dump.bytes });
  const prepared = await engine
    .prepareRestore({
      server,
      tenant,
      database,
      scope,
      archive: place.archive,
      at: place.at,
      facts: {
        clientVersion: manifest.engine.clientVersion,
        serverVersion: manifest.engine.serverVersion,
        format: manifest.dump.format,
        roles: manifest.engine.roles,
        properties: manifest.engine.properties,
      },
      tables: manifest.tables,
      ...(manifest.checksums && request.checksums !== 'rows' ? { checksums: manifest.checksums } : {}),
      ...(request.jobs === undefined ? {} : { jobs: request.jobs }),
      ...(request.statementTimeout === undefined ? {} : { statementTimeout: request.statementTimeout }),
      bytes: manifest.dump.bytes,
      noOwner: request.noOwner ?? false,
      ...(request.keepAs === undefined ? {} : { keepAs: request.keepAs }),
      swaps,
      open: () => openDump({ ...request, progress }, place, manifest),
      phase: say,
      ...(signal ? { signal } : {}),
    })
    .catch((error) => {
      throw damaged(error, place.archive);
    });
  return { place, manifest, prepared, summary: { ...summaryOf(manifest), database } };
}

/** The archive that is asked for, its manifest proven by its seal. */
export async function provenManifest(
  request: Pick<LoadRequest, 'tenant' | 'regime' | 'store' | 'key' | 'at' | 'progress'>,
): Promise<{ readonly place: ArchivePlace; readonly manifest: Manifest }> {
  const say = (message: string) => request.progress?.({ phase: 'restore', message });
  const place = await findArchive(request, { say });
  say(`archive ${place.archive} of ${place.at.toISOString()}`);
  const manifest = await openManifest(request, place).catch((error) => {
    throw damaged(error, place.archive);
  });
  return { place, manifest };
}

export function damaged(error: unknown, archive: string): unknown {
  if (!(error instanceof DamagedError)) return error;
  return new DamagedError(
    `archive ${archive} is damaged, and nothing was restored from it: ${error.message}; ` +
      'the live database was not touched; take an older one with --at',
  );
}
