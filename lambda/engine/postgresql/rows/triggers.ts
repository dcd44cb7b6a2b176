import pg from 'pg';
import { InputError } from '../../../errors.js';
import type { SharedRows } from './shared-rows.js';

const q = pg.escapeIdentifier;

interface Trigger {
  readonly table: string;
  readonly trigger: string;
  readonly always: boolean;
  readonly owned: boolean;
}

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
    const relations = rows.plan.tables.flatMap(({ table }) => rows.live(table).relations);
    const { rows: found } = await client.query<Trigger>(
      `select c.oid::regclass::text as table, t.tgname as trigger, t.tgenabled = 'A' as always,
              pg_has_role(c.relowner, 'USAGE') as owned
       from pg_trigger t join pg_class c on c.oid = t.tgrelid
       where t.tgrelid = any($1::oid[]) and not t.tgisinternal and t.tgenabled in ('O', 'A')
       order by c.relispartition desc, 1, 2`,
      [relations],
    );
    const foreign = found.filter(({ owned }) => !owned);
    if (foreign.length > 0)
      throw new InputError(
        `the role may not turn off triggers that would run while rows are restored: ${foreign.map(({ table, trigger }) => `${q(trigger)} on ${table}`).join(', ')}; ` +
          'restore as a role that is a member of the owner of these tables; nothing was changed',
      );
    return new Triggers(client, found);
  }

  public get any(): boolean {
    return this.found.length > 0;
  }

  public async off(): Promise<void> {
    for (const { table, trigger } of this.found)
      await this.client.query(`alter table ${table} disable trigger ${q(trigger)}`);
  }

  /** As they were; partitions last, because their root's triggers reach down to them. */
  public async on(): Promise<void> {
    for (const { table, trigger, always } of [...this.found].reverse())
      await this.client.query(`alter table ${table} enable ${always ? 'always ' : ''}trigger ${q(trigger)}`);
  }
}
