import type { PreparedRestore } from '../engine/engine.js';
import { InputError, reasonOf } from '../errors.js';
import { stopwatch } from '../stopwatch.js';
import { changesSince } from './compare-tenant.js';
import { loadBeside } from './load-beside.js';
import type { Manifest } from './manifest.js';
import type { RestoreRequest, RestoreResult } from './requests.js';

/**
 * Restores one tenant: beside the live database, checked against the manifest, and, once the tenant's name was given,
 * swapped in; the old one is kept. Whatever fails before the swap, the live database is not touched.
 */
export async function restoreTenant(request: RestoreRequest): Promise<RestoreResult> {
  const seconds = stopwatch();
  const { prepared, summary, manifest } = await loadBeside(request, { swaps: true });
  const warnings = [...anotherDatabase(manifest, summary.database, prepared), ...prepared.warnings];
  await confirmed(request, prepared, async () => {
    const preview = {
      ...summary,
      liveExists: prepared.liveExists,
      endsSessions: prepared.liveExists && (prepared.endsSessions ?? false),
      side: prepared.side,
      warnings,
      ...(request.showChanges && prepared.liveExists
        ? { changes: await changesSince(prepared, request) }
        : {}),
    };
    return seconds.pause(() => request.confirm(preview));
  });
  const { undo } = await prepared.swap();
  return {
    ...summary,
    seconds: seconds(),
    ...(undo === undefined ? {} : { undo }),
    warnings,
  };
}

/** A name that was typed wrong may be another tenant's; so may be what the tenant's own database is called by now. */
function anotherDatabase({ tenancy, database }: Manifest, live: string, { liveExists }: PreparedRestore) {
  if (database === live || !liveExists) return [];
  const replaced = tenancy === 'schema' ? 'in ' : tenancy === 'rows' ? 'rows of ' : '';
  return [
    `the archive is of database ${JSON.stringify(database)}, and what it replaces is ${replaced}database ${JSON.stringify(live)}`,
  ];
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

export function checkConfirmation(
  tenant: string,
  given: string,
  state = 'the live database was not touched',
): void {
  if (given !== tenant)
    throw new InputError(
      `the name given to confirm is ${JSON.stringify(given)}, and the tenant is ${JSON.stringify(tenant)}; ${state}`,
    );
}
