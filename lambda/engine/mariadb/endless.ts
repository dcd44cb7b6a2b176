import { InputError } from '../../errors.js';
import { listed } from '../listed.js';
import { type Connection, rows } from './connect.js';

/**
 * The tools look for what the text of an event does not have, to end its statement with. They begin with two semicolons, and where
 * it has these they look for ever.
 */
export async function refuseEndless(client: Connection, database: string): Promise<void> {
  const found = await rows<{ db: string; name: string }>(
    client,
    `select event_schema as db, event_name as name from information_schema.events
     where event_schema = ? and locate(';;', concat_ws(' ', event_name, event_comment, event_definition)) > 0 order by 2`,
    [database],
  );
  // The server takes some names for the same that differ in case.
  const names = found.filter(({ db }) => db === database).map(({ name }) => name);
  if (names.length > 0)
    throw new InputError(
      `there are two semicolons in a row in the text of ${names.length === 1 ? 'event' : 'events'} ${listed(names)}, with which the dump tool never comes to an end; write them otherwise (in a string: concat(';', ';'))`,
    );
}
