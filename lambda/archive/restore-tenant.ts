import type { PreparedRestore } from '../engine/engine.js';
import { InputError, reasonOf } from '../errors.js';
import { stopwatch } from '../stopwatch.js';
import { changesSince } from './compare-tenant.js';
import { loadBeside } from './load-beside.js';
import type { RestoreRequest, RestoreResult } from './requests.js';

/**
 * Restores one tenant: beside the live database, checked against the manifest, and, once the tenant's name was given,
 * swapped in; the old one is kept. Whatever fails before the swap, the live database is not touched.
 */
export async function restoreTenant(request: RestoreRequest): Promise<RestoreResult> {
  const seconds = stopwatch();
  const { prepared, summary } = await loadBeside(request);
  await confirmed(request, prepared, async () =>
    request.confirm({
      ...summary,
      liveExists: prepared.liveExists,
      side: prepared.side,
      warnings: prepared.warnings,
      ...(request.showChanges && prepared.liveExists
        ? { changes: await changesSince(prepared, request) }
        : {}),
    }),
  );
  const { undo } = await prepared.swap();
  return {
    ...summary,
    seconds: seconds(),
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
