import type { EngineUndoRequest, UndoOutcome } from '../engine.js';
import { newestKept } from '../mark.js';
import { lock, openServer, recover } from './maintenance.js';
import { copiesOf } from './marks.js';
import { databaseName } from './names.js';
import { checkSwappable, swapDatabases } from './swap.js';

export async function undo(request: EngineUndoRequest): Promise<UndoOutcome> {
  const database = databaseName(request.database);
  const { tenant, phase, signal } = request;
  const server = await openServer(request.server, signal);
  const { session, address } = server;
  try {
    await lock(session, 'restore', database, request.phase);
    await recover(server, database, phase);
    await checkSwappable(server, database);
    const kept = (await copiesOf(session, database)).flatMap(({ name, kind, mark }) =>
      kind === 'undo' && mark ? [{ name, mark }] : [],
    );
    const where = `database ${JSON.stringify(database)} on ${address.text}`;
    const { name, mark } = await newestKept(kept, request, where);
    const { undo } = await swapDatabases({ server, tenant, database, next: name, mark });
    return { from: name, keptSince: new Date(mark.at), ...(undo === undefined ? {} : { undo }) };
  } finally {
    await session.close();
  }
}
