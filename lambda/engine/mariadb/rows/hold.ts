import type { PlannedTable } from '../../../tenancy/planned-table.js';
import type { StagedTable } from '../../../tenancy/stage.js';
import { type Connection, one } from '../connect.js';
import { besideOf, type Difference, type Found } from './beside.js';
import type { SharedRows } from './shared-rows.js';

/** What there is of a table when its rows are held. */
export interface Held {
  readonly rows: number;
  /** From the staged rows, where it was asked for and each row has one of its own; null where that could not be told. */
  readonly difference?: Difference | null;
}

/**
 * The first thing that the transaction does: locks the tenant's rows and the gaps between them until it ends. Nobody else
 * changes them, adds to them or refers to them any more, and nobody alters the tables. As they are read for that, they are
 * held against those that are staged, where these are given.
 */
export async function holdRows(
  client: Connection,
  shared: SharedRows,
  staged: readonly StagedTable[],
  /** Called for each table as soon as its rows are held. */
  held: (planned: PlannedTable, rows: number) => Promise<void>,
): Promise<Map<PlannedTable, Held>> {
  const present = new Map<PlannedTable, Held>();
  const waiting = new Map(staged.map((table) => [table.planned, table]));
  for (const planned of shared.plan.tables) {
    const { from, where } = shared.own(planned);
    const table = waiting.get(planned);
    const beside = table && besideOf(shared, table);
    const found = await one<Found>(
      client,
      beside
        ? `select count(*) as n, ${beside.select} from ${from} ${beside.join} where ${where} for update`
        : `select count(*) as n from ${from} where ${where} for update`,
    );
    const rows = Number(found.n);
    present.set(planned, beside ? { rows, difference: beside.tell(found, rows) ?? null } : { rows });
    await held(planned, rows);
  }
  return present;
}
