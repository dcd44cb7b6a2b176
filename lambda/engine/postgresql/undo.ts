import { OperationError } from '../../errors.js';
import type { EngineUndoRequest, UndoOutcome } from '../engine.js';
import { newestKept } from '../mark.js';
import { addressOf, ConnectionLostError } from './connect.js';
import { openMaintenance } from './maintenance.js';
import { markedDatabases } from './marks.js';
import { databaseName } from './names.js';
import { swapDatabases } from './swap.js';

export async function undo(request: EngineUndoRequest): Promise<UndoOutcome> {
  const address = addressOf(request.server);
  const database = databaseName(request.database);
  const client = await openMaintenance(address, database, request.phase);
  try {
    const copies = await markedDatabases(client, 'undo', database);
    const newest = await newestKept(
      copies,
      request,
      `database ${JSON.stringify(database)} on ${address.text}`,
    );
    const { undo } = await swapDatabases({
      address,
      client,
      tenant: request.tenant,
      database,
      next: newest.name,
      comment: newest.mark.comment ?? null,
    });
    return {
      from: newest.name,
      keptSince: new Date(newest.mark.at),
      ...(undo === undefined ? {} : { undo }),
    };
  } catch (error) {
    // The swap itself tells what it left; this was before it.
    if (!(error instanceof ConnectionLostError)) throw error;
    throw new OperationError(`${error.message}; database ${JSON.stringify(database)} is as it was`);
  } finally {
    await client.end().catch(() => {});
  }
}
