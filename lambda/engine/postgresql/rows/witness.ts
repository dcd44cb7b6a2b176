import type pg from 'pg';
import { OperationError } from '../../../errors.js';
import { nameOf } from '../../../tenancy/description.js';
import type { PlannedTable } from '../../../tenancy/planned-table.js';
import { type Changes, NO_CHANGES, NotAsMeant } from '../../changes.js';
import { named, OFF } from './event-triggers.js';
import { type Measured, measureRows, same } from './measure.js';
import { relation, type SharedRows } from './shared-rows.js';

/** Up to this size of all tables together every other tenant's row is read, before and after. */
const READ_ALL_BYTES = 32 * 1024 * 1024;

/**
 * Sees to it that a restore changes nothing of other tenants. The server counts each transaction's changes to each
 * table, triggers and cascades included: they must be the tenant's rows to the last one, and none in any other table.
 * Where the tables are small enough, other tenants' rows are also counted and hashed before and after.
 */
export class Witness {
  private constructor(
    private readonly client: pg.Client,
    private readonly rows: SharedRows,
    private readonly before: Map<number, Changes>,
    private readonly others: ReadonlyMap<PlannedTable, Measured> | undefined,
  ) {}

  /** Called in the transaction, before it changes anything. */
  public static async begin(client: pg.Client, rows: SharedRows): Promise<Witness> {
    const { rows: settings } = await client.query<{ on: boolean }>(
      `select current_setting('track_counts')::bool as on`,
    );
    if (!settings[0]!.on)
      throw new OperationError(
        'the server has track_counts off, so it cannot be shown that no other tenant is changed; turn it on; nothing was changed',
      );
    const bytes = rows.plan.tables.reduce((sum, { table }) => sum + rows.live(table).bytes, 0);
    const before = await changes(client);
    const others = bytes <= READ_ALL_BYTES ? await readOthers(client, rows) : undefined;
    return new Witness(client, rows, before, others);
  }

  /**
   * Runs definitions of ours, for which event triggers may write down what was done: rows that these insert where no
   * tenant has any are not counted as changes. Whatever else they do is.
   */
  public async defining<T>(define: () => Promise<T>): Promise<T> {
    if (this.rows.eventTriggers.length === 0) return define();
    const before = await changes(this.client);
    const result = await define();
    const tenants = new Set(this.rows.plan.tables.flatMap(({ table }) => this.rows.live(table).relations));
    for (const [oid, after] of await changes(this.client)) {
      const change = minus(after, before.get(oid) ?? NO_CHANGES);
      if (!tenants.has(oid) && change.updated === 0 && change.deleted === 0)
        this.before.set(oid, plus(this.before.get(oid) ?? NO_CHANGES, change));
    }
    return result;
  }

  public get readsAll(): boolean {
    return this.others !== undefined;
  }

  /** Called in the transaction, after its last change; `expected` is what it meant to do. */
  public async end(expected: ReadonlyMap<PlannedTable, Changes>, ignored: readonly number[]): Promise<void> {
    const now = await changes(this.client);
    const owners = new Map(
      this.rows.plan.tables.flatMap((each) =>
        this.rows.live(each.table).relations.map((oid) => [oid, each] as const),
      ),
    );
    const found = new Map<PlannedTable, Changes>();
    for (const [oid, after] of now) {
      const change = minus(after, this.before.get(oid) ?? NO_CHANGES);
      const planned = owners.get(oid);
      if (planned) found.set(planned, plus(found.get(planned) ?? NO_CHANGES, change));
      else if (!ignored.includes(oid) && (change.inserted || change.updated || change.deleted))
        throw new NotAsMeant(
          `the restore would have changed ${await this.relationName(oid)}, which is not the tenant's (${words(change)})${this.hint}; nothing was changed`,
        );
    }
    for (const [planned, meant] of expected) {
      const change = found.get(planned) ?? NO_CHANGES;
      if (
        change.inserted === meant.inserted &&
        change.updated === meant.updated &&
        change.deleted === meant.deleted
      )
        continue;
      throw new NotAsMeant(
        `the restore would have changed other rows of ${nameOf(planned.table)} than the tenant's: ${words(change)} instead of ${words(meant)}${this.hint}; nothing was changed`,
      );
    }
    if (!this.others) return;
    const after = await readOthers(this.client, this.rows);
    for (const [planned, was] of this.others) {
      if (!same(was, after.get(planned)!))
        throw new NotAsMeant(
          `other tenants' rows of ${nameOf(planned.table)} would have changed (${was.rows} before, ${after.get(planned)!.rows} after); nothing was changed`,
        );
    }
  }

  private get hint(): string {
    const { eventTriggers } = this.rows;
    return eventTriggers.length === 0
      ? ''
      : `; if that is the work of ${named(eventTriggers)}, which runs for what a restore creates, ${OFF}`;
  }

  private async relationName(oid: number): Promise<string> {
    const { rows } = await this.client.query<{ name: string }>('select $1::oid::regclass::text as name', [
      oid,
    ]);
    return rows[0]!.name;
  }
}

async function changes(client: pg.Client): Promise<Map<number, Changes>> {
  const { rows } = await client.query<{ oid: string; inserted: string; updated: string; deleted: string }>(
    `select relid::int8::text as oid, n_tup_ins as inserted, n_tup_upd as updated, n_tup_del as deleted
     from pg_stat_xact_user_tables where n_tup_ins + n_tup_upd + n_tup_del > 0 and schemaname !~ '^pg_temp'`,
  );
  return new Map(
    rows.map(({ oid, inserted, updated, deleted }) => [
      Number(oid),
      { inserted: Number(inserted), updated: Number(updated), deleted: Number(deleted) },
    ]),
  );
}

async function readOthers(client: pg.Client, rows: SharedRows): Promise<Map<PlannedTable, Measured>> {
  const found = new Map<PlannedTable, Measured>();
  for (const planned of rows.plan.tables) {
    const columns = planned.table.columns.map(({ name }) => name);
    const from = `${relation(planned.table)} t where (${rows.belongs(planned, 't')}) is not true`;
    found.set(planned, await measureRows(client, columns, from));
  }
  return found;
}

function minus(a: Changes, b: Changes): Changes {
  return {
    inserted: a.inserted - b.inserted,
    updated: a.updated - b.updated,
    deleted: a.deleted - b.deleted,
  };
}

function plus(a: Changes, b: Changes): Changes {
  return {
    inserted: a.inserted + b.inserted,
    updated: a.updated + b.updated,
    deleted: a.deleted + b.deleted,
  };
}

function words({ inserted, updated, deleted }: Changes): string {
  return `${inserted} rows inserted, ${updated} updated, ${deleted} deleted`;
}
