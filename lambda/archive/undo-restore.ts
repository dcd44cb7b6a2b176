import type { Engine, KeptCopy } from '../engine/engine.js';
import { engineFor } from '../engine/engines.js';
import { stopwatch } from '../stopwatch.js';
import { checkTenant } from './names.js';
import type { UndoRequest, UndoResult } from './requests.js';
import { checkConfirmation } from './restore-tenant.js';
import { databaseOf } from './scope.js';

/** Puts back the database that the last restore (or undo) put aside; what is live now is kept in its turn. */
export async function undoRestore(request: UndoRequest): Promise<UndoResult> {
  const { tenant, server, signal, confirm } = request;
  checkTenant(tenant);
  const { database, scope } = databaseOf(request);
  if (typeof confirm === 'string') checkConfirmation(tenant, confirm);
  const seconds = stopwatch();
  const engine = await engineFor(server);
  const confirmed = async (copy: KeptCopy) => {
    if (typeof confirm === 'string') return;
    const bytes = await sizeOf(engine, request, database, copy);
    const preview = { tenant, database, copy: copy.name, keptSince: copy.at.toISOString() };
    checkConfirmation(
      tenant,
      await seconds.pause(() => confirm({ ...preview, ...(bytes === undefined ? {} : { bytes }) })),
    );
    signal?.throwIfAborted();
  };
  const phase = (message: string) => request.progress?.({ phase: 'undo', message });
  const outcome = await engine.undo({
    server,
    tenant,
    database,
    scope,
    confirm: confirmed,
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

/** No undo fails for want of it. */
async function sizeOf(
  engine: Engine,
  { server }: UndoRequest,
  database: string,
  { name, holder }: KeptCopy,
): Promise<number | undefined> {
  const of = holder === 'schema' ? { database, schemas: [name] } : { databases: [name] };
  const found = await engine.sizes?.({ server, of }).catch(() => undefined);
  return found?.get(name);
}
