import type { PreparedRestore } from '../engine/engine.js';
import { engineFor } from '../engine/engines.js';
import { InputError, reasonOf } from '../errors.js';
import { findArchive } from './catalog.js';
import { DamagedError } from './damaged-error.js';
import { summaryOf } from './list-archives.js';
import { checkName, checkTenant } from './names.js';
import { openDump, openManifest } from './open-archive.js';
import type { RestoreRequest, RestoreResult } from './requests.js';

/**
 * Restores one tenant: beside the live database, checked against the manifest, and, once the tenant's name was given,
 * swapped in; the old one is kept. Whatever fails before the swap, the live database is not touched.
 */
export async function restoreTenant(request: RestoreRequest): Promise<RestoreResult> {
  const { tenant, server, signal } = request;
  checkTenant(tenant);
  const began = performance.now();
  const say = (message: string) => request.progress?.({ phase: 'restore', message });
  const place = await findArchive(request);
  say(`archive ${place.archive} of ${place.at.toISOString()}`);
  const manifest = await openManifest(request, place).catch((error) => {
    throw damaged(error, place.archive);
  });
  const engine = engineFor(server);
  if (manifest.engine.name !== engine.name)
    throw new InputError(
      `archive ${place.archive} is of ${manifest.engine.name}, and the server URL says ${engine.name}`,
    );
  const database = request.database ?? manifest.database;
  checkName(database, 'a database name');
  const progress = (bytes: number) =>
    request.progress?.({ phase: 'restore', bytes, of: manifest.dump.bytes });
  const prepared = await engine
    .prepareRestore({
      server,
      tenant,
      database,
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
      noOwner: request.noOwner ?? false,
      open: () => openDump({ ...request, progress }, place, manifest),
      phase: say,
      ...(signal ? { signal } : {}),
    })
    .catch((error) => {
      throw damaged(error, place.archive);
    });
  const summary = { ...summaryOf(manifest), database };
  await confirmed(request, prepared, () =>
    request.confirm({
      ...summary,
      liveExists: prepared.liveExists,
      side: prepared.side,
      warnings: prepared.warnings,
    }),
  );
  const { undo } = await prepared.swap();
  return {
    ...summary,
    seconds: Math.round(performance.now() - began) / 1000,
    ...(undo === undefined ? {} : { undo }),
    warnings: prepared.warnings,
  };
}

/** Drops what was prepared unless the name was given. */
async function confirmed(request: RestoreRequest, prepared: PreparedRestore, ask: () => Promise<string>) {
  try {
    checkConfirmation(request.tenant, await ask());
    request.signal?.throwIfAborted();
  } catch (error) {
    await prepared.discard().catch((cause) => {
      request.progress?.({
        phase: 'restore',
        message: `could not drop ${prepared.side}: ${reasonOf(cause)}`,
      });
    });
    throw error;
  }
}

export function checkConfirmation(tenant: string, given: string): void {
  if (given !== tenant)
    throw new InputError(
      `the name given to confirm is ${JSON.stringify(given)}, and the tenant is ${JSON.stringify(tenant)}; the live database was not touched`,
    );
}

function damaged(error: unknown, archive: string): unknown {
  if (!(error instanceof DamagedError)) return error;
  return new DamagedError(
    `archive ${archive} is damaged, and nothing was restored from it: ${error.message}; ` +
      'the live database was not touched; take an older one with --at',
  );
}
