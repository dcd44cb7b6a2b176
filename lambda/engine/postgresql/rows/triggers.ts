import pg from 'pg';
import { InputError } from '../../../errors.js';
import type { SharedRows } from './shared-rows.js';

const q = pg.escapeIdentifier;

interface Trigger {
  readonly table: string;
  readonly trigger: string;
  readonly state: keyof typeof ENABLE;
  readonly owned: boolean;
}

/** What brings a trigger back into the state that the catalogue has this letter for. */
const ENABLE = { O: 'enable', A: 'enable always', R: 'enable replica', D: 'disable' } as const;
const runs = ({ state }: Trigger) => state === 'O' || state === 'A';

/**
 * Triggers of the application would write elsewhere, or change what is restored: they are off in the transaction that
 * restores. That takes a lock which keeps other tenants from writing these tables (not from reading) until it commits.
 * `session_replication_role` would not, but it turns the checks of foreign keys off, too.
 */
export class Triggers {
  private constructor(
    private readonly client: pg.Client,
    private readonly found: readonly Trigger[],
  ) {}

  /** Refuses triggers that the role may not turn off; changes nothing. */
  public static async of(client: pg.Client, rows: SharedRows): Promise<Triggers> {
    // Before 15 what a partition has of its root's trigger counts as internal, as the triggers of constraints do.
    const relations = rows.plan.tables.flatMap(({ table }) => rows.live(table).relations);
    const { rows: found } = await client.query<Trigger>(
      `select c.oid::regclass::text as table, t.tgname as trigger, t.tgenabled as state,
              pg_has_role(c.relowner, 'USAGE') as owned
       from pg_trigger t join pg_class c on c.oid = t.tgrelid
       where t.tgrelid = any($1::oid[]) and (not t.tgisinternal or t.tgparentid <> 0 and t.tgconstraint = 0)
         and (t.tgenabled in ('O', 'A') or t.tgparentid <> 0)
       order by (select count(*) from pg_partition_ancestors(c.oid)), 1, 2`,
      [relations],
    );
    const foreign = found.filter((trigger) => runs(trigger) && !trigger.owned);
    if (foreign.length > 0)
      throw new InputError(
        `the role may not turn off triggers that would run while rows are restored: ${foreign.map(({ table, trigger }) => `${q(trigger)} on ${table}`).join(', ')}; ` +
          'restore as a role that is a member of the owner of these tables; nothing was changed',
      );
    return new Triggers(client, found);
  }

  public get any(): boolean {
    return this.found.some(runs);
  }

  public async off(): Promise<void> {
    for (const { table, trigger } of this.found.filter(runs))
      await this.client.query(`alter table ${table} disable trigger ${q(trigger)}`);
  }

  /** As they were; partitions last, because what is done to their root's triggers reaches down to theirs. */
  public async on(): Promise<void> {
    for (const { table, trigger, state } of this.found)
      await this.client.query(`alter table ${table} ${ENABLE[state]} trigger ${q(trigger)}`);
  }
}
