import { engineFor } from '../engine/engines.js';
import { stopwatch } from '../stopwatch.js';
import { checkTenant } from './names.js';
import type { UndoRequest, UndoResult } from './requests.js';
import { checkConfirmation } from './restore-tenant.js';
import { databaseOf } from './scope.js';

/** Puts back the database that the last restore (or undo) put aside; what is live now is kept in its turn. */
export async function undoRestore(request: UndoRequest): Promise<UndoResult> {
  const { tenant, server, signal } = request;
  checkTenant(tenant);
  const { database, scope } = databaseOf(request);
  checkConfirmation(tenant, request.confirm);
  const seconds = stopwatch();
  const phase = (message: string) => request.progress?.({ phase: 'undo', message });
  const outcome = await (await engineFor(server)).undo({
    server,
    tenant,
    database,
    scope,
    phase,
    ...(signal ? { signal } : {}),
  });
  return {
    tenant,
    database,
    keptSince: outcome.keptSince.toISOString(),
    ...(outcome.undo === undefined ? {} : { undo: outcome.undo }),
    seconds: seconds(),
  };
}
