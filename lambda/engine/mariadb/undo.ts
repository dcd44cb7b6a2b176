import { InputError } from '../../errors.js';
import type { EngineUndoRequest, UndoOutcome } from '../engine.js';
import { databaseProperties } from './catalog.js';
import { addressOf, serverFacts } from './connect.js';
import { openLocked } from './lock.js';
import { copiesOf } from './marks.js';
import { databaseName } from './names.js';
import { recover } from './recover.js';
import { swapDatabases } from './swap.js';

export async function undo(request: EngineUndoRequest): Promise<UndoOutcome> {
  const address = addressOf(request.server);
  const database = databaseName(request.database);
  const client = await openLocked(address, database, request.phase);
  try {
    const server = await serverFacts(client, address);
    await recover(client, database, request.phase ?? (() => {}));
    const copies = (await copiesOf(client, 'undo', database)).flatMap(({ name, mark }) =>
      mark ? [{ name, mark }] : [],
    );
    const newest = copies.sort((a, b) => (a.mark.at < b.mark.at ? 1 : -1))[0];
    if (!newest)
      throw new InputError(
        `there is no kept copy of database ${JSON.stringify(database)} on ${address.text}: nothing was restored there, or the copy was dropped`,
      );
    request.phase?.(`putting back ${newest.name}, which was put aside at ${newest.mark.at}`);
    const live = await databaseProperties(client, database);
    const { undo } = await swapDatabases({
      client,
      server,
      tenant: request.tenant,
      database,
      model: live ?? (await databaseProperties(client, newest.name))!,
      next: newest.name,
      programs: newest.mark.programs ?? [],
      keep: live !== undefined,
    });
    return {
      from: newest.name,
      keptSince: new Date(newest.mark.at),
      ...(undo === undefined ? {} : { undo }),
    };
  } finally {
    await client.end().catch(() => {});
  }
}
