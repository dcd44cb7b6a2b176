import { OperationError } from '../../errors.js';
import { listed } from '../listed.js';
import { type Connection, q, rows } from './connect.js';
import { asTheyWere } from './load.js';
import { dropCopy } from './marks.js';
import type { Program } from './programs.js';
import { createOrOwn, type Failure, makeAll, told, wasBroken } from './recover.js';

/**
 * A swap drops the live triggers for a moment, and has to make them again where the rename fails. So each is made beforehand,
 * in a copy of ours that nobody uses, on an empty table like its own. One that this user cannot make refuses the swap;
 * resolves to those that nobody can, for they are broken already.
 */
export async function tryTriggers(request: {
  readonly client: Connection;
  readonly database: string;
  readonly copy: string;
  readonly triggers: readonly Program[];
}): Promise<Failure[]> {
  const { client, database, copy, triggers } = request;
  if (triggers.length === 0) return [];
  const places = await rows<{ db: string; name: string; place: string }>(
    client,
    'select trigger_schema as db, trigger_name as name, event_object_table as place from information_schema.triggers where trigger_schema = ?',
    [database],
  );
  const placeOf = (trigger: Program) =>
    places.find(({ db, name }) => db === database && name === trigger.name)?.place;
  const failures: Failure[] = [];
  await asTheyWere(client);
  for (const place of new Set(triggers.map(placeOf))) {
    // Gone meanwhile, and its table with it.
    if (place === undefined) continue;
    const made = await client.query(`create table ${q(copy, place)} like ${q(database, place)}`).then(
      () => true,
      () => false,
    );
    // Of an engine that makes no empty one: then nothing is known.
    if (!made) continue;
    await client.query(`use ${q(copy)}`);
    const its = triggers.filter((trigger) => placeOf(trigger) === place);
    failures.push(...(await makeAll(client, its, createOrOwn)));
    await client.query(`drop table ${q(copy, place)}`);
  }
  const refused = failures.filter((failure) => !wasBroken(failure));
  if (refused.length > 0) {
    await dropCopy(client, copy);
    throw new OperationError(
      `the swap drops the triggers of the live database and makes them again where it fails, and this user cannot: ${listed(refused.map(told))}; mend the cause, drop them, or run again as a user who can; the live database was not touched`,
    );
  }
  return failures;
}
