import pg from 'pg';
import { InputError, reasonOf } from '../../../errors.js';

/** Runs whenever something is defined in the database: our temporary tables, and what is put aside. */
export interface EventTrigger {
  readonly name: string;
  /** Its function, as the server names it where it tells of an error. */
  readonly code: string;
}

export async function eventTriggersOf(client: pg.Client): Promise<EventTrigger[]> {
  const { rows } = await client.query<EventTrigger>(
    `select e.evtname as name, p.proname as code from pg_event_trigger e join pg_proc p on p.oid = e.evtfoid
     where e.evtenabled in ('O', 'A') and e.evtevent <> 'login' order by 1`,
  );
  return rows;
}

/** Only a superuser could turn them off. */
export function named(triggers: readonly EventTrigger[]): string {
  return `event trigger${triggers.length > 1 ? 's' : ''} ${triggers.map(({ name }) => JSON.stringify(name)).join(', ')}`;
}

export const OFF = 'switch it off while rows are restored (ALTER EVENT TRIGGER … DISABLE, by its owner)';

/** The error of an event trigger in words of ours; any other one as it is. */
export function explainEvent(error: unknown, triggers: readonly EventTrigger[]): unknown {
  const { where = '' } = error as { where?: string };
  const failed = error instanceof pg.DatabaseError ? triggers.filter(({ code }) => where.includes(code)) : [];
  if (failed.length === 0) return error;
  return new InputError(
    `${named(failed)} of the database, which runs for what a restore creates, its temporary tables too, failed: ${reasonOf(error)}; ` +
      `give its function a search_path of its own and the role the rights that it needs, or ${OFF}; nothing was changed`,
  );
}
