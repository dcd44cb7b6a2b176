import { OperationError } from '../../../errors.js';
import { nameOf } from '../../../tenancy/description.js';
import type { PlannedTable } from '../../../tenancy/planned-table.js';
import { type Connection, rows as select } from '../connect.js';
import { type Kept, keptTable } from './kept.js';
import { holdTables, names, type SharedRows } from './shared-rows.js';

/** Who holds the tenant's rows, who copies them meanwhile, and to where. */
export interface PuttingAside {
  readonly client: Connection;
  /** Reads what is committed, and waits for no locks; may be `client` itself. */
  readonly aside: Connection;
  readonly shared: SharedRows;
  readonly kept: Kept;
}

/**
 * Copies the tenant's rows from a session of its own, while the one that holds them goes on: it sees them as they were when
 * they were locked, whatever that one has changed since. Ends before that one does, whose transaction alone makes the copy
 * a kept one.
 */
export class PutAside {
  private copied: Promise<void> = Promise.resolve();

  private constructor(private readonly request: PuttingAside) {}

  /** Nothing is left of what an attempt before this one has copied; nobody can alter the tables from now on. */
  public static async begin(request: PuttingAside): Promise<PutAside> {
    const { client, aside, shared, kept } = request;
    if (aside !== client) {
      await aside.query('start transaction');
      await holdTables(aside, shared);
    }
    for (const planned of shared.plan.tables)
      await aside.query(`delete from ${keptTable(shared, kept, planned)}`);
    return new PutAside(request);
  }

  /** Called when so many rows of the table are held. Waits where there is one session for both; else `end` has the error. */
  public async copy(planned: PlannedTable, rows: number): Promise<void> {
    this.copied = this.copied.then(() => this.insert(planned, rows));
    this.copied.catch(() => {});
    if (this.isAlone) await this.copied;
  }

  /** All is copied, to stay. May be called more than once. */
  public async end(): Promise<void> {
    await this.copied;
    if (!this.isAlone) await this.request.aside.query('commit');
  }

  /** Leaves the session as it was, whatever became of the copy. */
  public async giveUp(): Promise<void> {
    await this.copied.catch(() => {});
    if (!this.isAlone) await this.request.aside.query('rollback').catch(() => {});
  }

  private get isAlone(): boolean {
    return this.request.aside === this.request.client;
  }

  private async insert(planned: PlannedTable, rows: number): Promise<void> {
    const { aside, shared, kept } = this.request;
    const columns = shared.columns(planned.table);
    const { from, where } = shared.own(planned);
    const [done] = await aside.query(
      `insert into ${keptTable(shared, kept, planned)} (${names(columns)}) select ${names(columns, 't')} from ${from} where ${where}`,
    );
    const copied = (done as { affectedRows: number }).affectedRows;
    if (copied !== rows)
      throw new OperationError(
        `${copied} rows of ${nameOf(planned.table)} would have been put aside, and the tenant has ${rows}; nothing was changed`,
      );
  }
}

/** Makes a session one that reads and writes what is committed. False where a binary log of statements has no room for that. */
export async function readsCommitted(session: Connection): Promise<boolean> {
  const [format] = await select<{ Value: string }>(session, `show variables like 'binlog_format'`);
  if (format?.Value.toUpperCase() === 'STATEMENT') return false;
  await session.query('set session transaction isolation level read committed');
  return true;
}
