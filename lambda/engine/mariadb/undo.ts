import { OperationError } from '../../errors.js';
import type { EngineUndoRequest, UndoOutcome } from '../engine.js';
import { listed } from '../listed.js';
import { newestKept } from '../mark.js';
import { databaseProperties, refuseCapitals } from './catalog.js';
import { addressOf, explained, serverFacts } from './connect.js';
import { remade } from './definers.js';
import { openLocked } from './lock.js';
import { databaseName } from './names.js';
import { find } from './programs.js';
import { keptCopies, recover, rehearse, told, wasBroken } from './recover.js';
import { swapDatabases } from './swap.js';

export async function undo(request: EngineUndoRequest): Promise<UndoOutcome> {
  const address = addressOf(request.server);
  const database = databaseName(request.database);
  const client = await openLocked(address, database, request.phase);
  try {
    const server = await serverFacts(client, address);
    await refuseCapitals(client, database);
    await recover(client, database, request.phase ?? (() => {}));
    const copies = await keptCopies(client, database);
    const newest = await newestKept(
      copies,
      request,
      `database ${JSON.stringify(database)} on ${address.text}`,
    );
    const { programs, replaced } = await remade(client, newest.name, newest.mark.programs ?? []);
    const failures = await rehearse(client, newest.name, programs);
    const broken = failures.filter(wasBroken);
    const problems = failures.filter((failure) => !wasBroken(failure)).map(told);
    if (problems.length > 0)
      throw new OperationError(
        `this user cannot make again what the kept copy ${newest.name} had beside its tables: ${listed(problems)}; nothing was changed: mend the cause, or undo as a user who can`,
      );
    for (const failure of broken)
      request.phase?.(
        `${told(failure)}: it was broken already when it was put aside, and is not put back; its definition was ${failure.program.sql}`,
      );
    const lost = broken.map(({ program }) => program);
    if (replaced.size > 0)
      request.phase?.(
        `what ran in the name of ${[...replaced].sort().join(', ')} will run in the name of this user, who may not name others`,
      );
    const live = await databaseProperties(client, database);
    const { undo } = await swapDatabases({
      client,
      server,
      tenant: request.tenant,
      database,
      model: live ?? (await databaseProperties(client, newest.name))!,
      next: newest.name,
      programs: programs.filter((program) => !find(lost, program)),
      keep: live !== undefined,
    });
    return {
      from: newest.name,
      keptSince: new Date(newest.mark.at),
      ...(undo === undefined ? {} : { undo }),
    };
  } catch (error) {
    throw explained(error, 'the undo failed', 'run it again: that finishes a swap, or takes it back');
  } finally {
    await client.end().catch(() => {});
  }
}
