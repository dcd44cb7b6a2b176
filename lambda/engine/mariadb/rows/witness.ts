import { nameOf } from '../../../tenancy/description.js';
import type { PlannedTable } from '../../../tenancy/planned-table.js';
import { type Changes, NotAsMeant } from '../../changes.js';
import { type Connection, rows as select } from '../connect.js';
import { type Measured, measureRows, same } from './measure.js';
import { number, type SharedRows } from './shared-rows.js';

/** Up to this size of all tables together every other tenant's row is read, before and after. */
const READ_ALL_BYTES = 32 * 1024 * 1024;

/**
 * Sees to it that a restore changes nothing of other tenants. The server counts what each session inserts, updates and
 * deletes: after every statement that must be the tenant's rows to the last one. It does not count what foreign keys
 * delete by themselves; that there is nothing which they could delete was checked, under locks that keep it so. Where
 * the tables are small enough, other tenants' rows are also counted and hashed before and after; and so they are,
 * whatever their size, where triggers were accepted, for what these write is counted, too.
 */
export class Witness {
  private constructor(
    private readonly client: Connection,
    private readonly shared: SharedRows,
    private readonly mariadb: boolean,
    private readonly others: ReadonlyMap<PlannedTable, Measured> | undefined,
    /** Undefined where triggers run. */
    private counted: Changes | undefined,
    /** At most so many rows does the server write into tables of its own, its logs, from one count to the next. */
    private readonly logged: number,
  ) {}

  /** Called in the transaction, before it changes anything. */
  public static async begin(client: Connection, shared: SharedRows, mariadb: boolean): Promise<Witness> {
    const { tables } = shared.plan;
    const bytes = tables.reduce((sum, { table }) => sum + shared.table(table).bytes, 0);
    const triggers = tables.some(({ table }) => table.triggers?.length);
    const others = bytes <= READ_ALL_BYTES || triggers ? await readOthers(client, shared) : undefined;
    const logged = await logsOf(client);
    const counted = triggers ? undefined : await changes(client);
    return new Witness(client, shared, mariadb, others, counted, logged);
  }

  /** Called after a statement that was to change so many rows of the table, and nothing else. */
  public async saw({ table }: PlannedTable, what: keyof Changes, rows: number): Promise<void> {
    if (!this.counted) return;
    const before = this.counted;
    this.counted = await changes(this.client);
    for (const kind of ['inserted', 'updated', 'deleted'] as const) {
      const meant = kind === what ? rows : 0;
      const found = this.counted[kind] - before[kind];
      const spare = kind === 'inserted' ? this.logged : 0;
      const isMeant = (rows: number) => found >= rows && found <= rows + spare;
      if (isMeant(meant)) continue;
      // In a partitioned table the server counts a row for the table, and once more for its partition.
      if (table.kind === 'partitioned' && isMeant(2 * meant)) continue;
      // MySQL counts what it writes into tables of its own for a join.
      if (kind === 'inserted' && what !== 'inserted' && !this.mariadb) continue;
      throw new NotAsMeant(
        `the restore would have changed other rows than the tenant's in ${nameOf(table)} or by what hangs on it: ${found} rows ${kind} instead of ${meant}; nothing was changed`,
      );
    }
  }

  /** Called in the transaction, after its last change. */
  public async end(): Promise<void> {
    if (!this.others) return;
    const after = await readOthers(this.client, this.shared);
    for (const [planned, was] of this.others) {
      const is = after.get(planned)!;
      if (!same(was, is))
        throw new NotAsMeant(
          `other tenants' rows of ${nameOf(planned.table)} would have changed (${was.rows} before, ${is.rows} after); nothing was changed`,
        );
    }
  }
}

/** From one count to the next: the setting of the time zone, what is counted, and the question itself. */
const STATEMENTS = 3;

/** Where logs are tables, as they are on RDS unless told otherwise, each has a row of each statement. */
async function logsOf(client: Connection): Promise<number> {
  const logs = await number(
    client,
    `select if(find_in_set('TABLE', @@global.log_output), @@global.general_log + @@global.slow_query_log, 0) as n`,
  );
  return STATEMENTS * logs;
}

async function changes(client: Connection): Promise<Changes> {
  const found = await select<{ Variable_name: string; Value: string }>(
    client,
    `show session status where variable_name in ('Handler_write', 'Handler_update', 'Handler_delete')`,
  );
  const of = (name: string) => Number(found.find(({ Variable_name }) => Variable_name === name)!.Value);
  return { inserted: of('Handler_write'), updated: of('Handler_update'), deleted: of('Handler_delete') };
}

async function readOthers(client: Connection, shared: SharedRows): Promise<Map<PlannedTable, Measured>> {
  const found = new Map<PlannedTable, Measured>();
  for (const planned of shared.plan.tables) {
    const table = shared.table(planned.table);
    const columns = table.columns.map(({ name }) => name);
    found.set(planned, await measureRows(client, table, columns, shared.others(planned)));
  }
  return found;
}
