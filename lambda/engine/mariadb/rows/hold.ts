import type { PlannedTable } from '../../../tenancy/planned-table.js';
import type { Connection } from '../connect.js';
import { number, type SharedRows } from './shared-rows.js';

/**
 * The first thing that the transaction does: locks the tenant's rows and the gaps between them until it ends. Nobody else
 * changes them, adds to them or refers to them any more, and nobody alters the tables.
 */
export async function holdRows(
  client: Connection,
  shared: SharedRows,
  /** Called for each table as soon as its rows are held. */
  held: (planned: PlannedTable, rows: number) => Promise<void>,
): Promise<Map<PlannedTable, number>> {
  const present = new Map<PlannedTable, number>();
  for (const planned of shared.plan.tables) {
    const { from, where } = shared.own(planned);
    const rows = await number(client, `select count(*) as n from ${from} where ${where} for update`);
    present.set(planned, rows);
    await held(planned, rows);
  }
  return present;
}
