import { InputError } from '../../errors.js';
import type { EngineUndoRequest, UndoOutcome } from '../engine.js';
import { checkTenant } from '../mark.js';
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
    const newest = kept.sort((a, b) => (a.mark.at < b.mark.at ? 1 : -1))[0];
    if (!newest)
      throw new InputError(
        `there is no kept copy of database ${JSON.stringify(database)} on ${address.text}: nothing was restored there, or the copy was dropped`,
      );
    checkTenant(newest, tenant);
    const { name, mark } = newest;
    phase?.(`putting back ${name}, which was put aside at ${mark.at}`);
    const { undo } = await swapDatabases({ server, tenant, database, next: name, mark });
    return { from: name, keptSince: new Date(mark.at), ...(undo === undefined ? {} : { undo }) };
  } finally {
    await session.close();
  }
}
