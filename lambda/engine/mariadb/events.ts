import { InputError } from '../../errors.js';
import { listed } from '../listed.js';
import { type Connection, rows } from './connect.js';

/** What the tools escape in a database's name, also where they ask for it as it is. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: Ctrl-Z is among it
const ESCAPED = /['"\\\n\r\u001a]/;

/** What to do where a tool did not find a database that it had found before: MySQL 8's escapes such names before routines. */
export function nameHint(database: string, said: string): string {
  return ESCAPED.test(database) && /Unknown database/.test(said)
    ? `; the database name ${JSON.stringify(database)} has a quote, a backslash or an end of a line, with which this dump tool does not find the database again when it comes to its routines: use a newer one (9.7 does), or move the database to another name`
    : '';
}

/** Events that the tools cannot dump: told beforehand, and in words. */
export async function refuseEvents(client: Connection, database: string): Promise<void> {
  const all = await rows<{ db: string; name: string; endless: string | number }>(
    client,
    `select event_schema as db, event_name as name,
       locate(';;', concat_ws(' ', event_name, event_comment, event_definition)) > 0 as endless
     from information_schema.events where event_schema = ? order by 2`,
    [database],
  );
  // The server takes some names for the same that differ in case.
  const events = all.filter(({ db }) => db === database);
  const named = (found: typeof events) =>
    `${found.length === 1 ? 'event' : 'events'} ${listed(found.map(({ name }) => name))}`;
  if (events.length > 0 && ESCAPED.test(database))
    throw new InputError(
      `the database name ${JSON.stringify(database)} has a quote, a backslash or an end of a line, with which the dump tool does not find the database again when it comes to its events; drop ${named(events)}, or move the tables to a database of another name`,
    );
  // The tools look for what an event's text does not have, to end its statement with. They begin with two semicolons, and
  // where it has these they look for ever.
  const endless = events.filter((event) => Number(event.endless) === 1);
  if (endless.length > 0)
    throw new InputError(
      `there are two semicolons in a row in the text of ${named(endless)}, with which the dump tool never comes to an end; write them otherwise (in a string: concat(';', ';'))`,
    );
}
