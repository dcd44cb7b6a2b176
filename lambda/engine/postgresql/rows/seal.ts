import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { OperationError } from '../../../errors.js';
import { nameOf } from '../../../tenancy/description.js';
import type { PlannedTable } from '../../../tenancy/planned-table.js';
import type { Present } from './kept.js';
import { measureRows, same } from './measure.js';
import { relation, type SharedRows } from './shared-rows.js';

const ATTEMPTS = 20;
/** Less than the server waits before it looks for deadlocks, so that ours never costs anybody else a transaction. */
const PATIENCE = '700ms';
const BUSY = ['55P03', '40P01'];

/** The tenant's rows are not what this restore has put aside: it must begin again. */
export class Overtaken extends Error {}

/**
 * Right before the commit: keeps everybody from writing for a moment, and looks from outside whether the tenant's rows
 * are still those that were put aside. What somebody wrote to this tenant meanwhile would otherwise stay beside the
 * restored rows, neither old nor new.
 */
export async function seal(
  client: pg.Client,
  outside: pg.Client,
  rows: SharedRows,
  present: Present,
): Promise<void> {
  await lockAll(client, rows);
  const since = await oldestRunning(client);
  for (const [planned, was] of present.rows) {
    const now = await countFrom(outside, rows, planned, since);
    if (now.rows !== was) throw new Overtaken(nameOf(planned.table));
    if (now.unsure && !(await isAsKept(client, outside, rows, planned, present)))
      throw new Overtaken(nameOf(planned.table));
  }
}

/** The first transaction that had not ended when the restore's began: it has seen the work of all before. */
async function oldestRunning(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ xid: string }>(
    'select (txid_snapshot_xmin(txid_current_snapshot()) % (1::int8 << 32))::text as xid',
  );
  return rows[0]!.xid;
}

/**
 * As many rows as were put aside, and each in a version from before the restore began: then they are those, for the
 * restore has seen every such version that is still there. Numbers of transactions come round after four thousand
 * million; what looks as if it were to come is not sure, either.
 */
async function countFrom(
  outside: pg.Client,
  rows: SharedRows,
  planned: PlannedTable,
  since: string,
): Promise<{ readonly rows: number; readonly unsure: boolean }> {
  const { heap } = rows.live(planned.table);
  const { rows: found } = await outside.query<{ rows: string; unsure: string }>(
    `select count(*) as rows, ${heap ? `count(*) filter (where age(t.xmin) <= age('${since}'::xid))` : 'count(*)'} as unsure
     from ${relation(planned.table)} t where ${rows.belongs(planned, 't')}`,
  );
  return { rows: Number(found[0]!.rows), unsure: Number(found[0]!.unsure) > 0 };
}

/** Holds content against content, where the versions of rows cannot tell. */
async function isAsKept(
  client: pg.Client,
  outside: pg.Client,
  rows: SharedRows,
  planned: PlannedTable,
  present: Present,
): Promise<boolean> {
  const columns = rows.columns(planned.table);
  const live = `${relation(planned.table)} t where ${rows.belongs(planned, 't')}`;
  return same(
    await measureRows(outside, columns, live),
    await measureRows(client, columns, `${present.places.get(planned)!} t`),
  );
}

async function lockAll(client: pg.Client, rows: SharedRows): Promise<void> {
  const tables = rows.plan.tables.map(({ table }) => relation(table)).join(', ');
  await client.query('savepoint sealing');
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.query(`set local lock_timeout = '${PATIENCE}'`);
      await client.query(`lock table ${tables} in share row exclusive mode`);
      return;
    } catch (error) {
      if (!BUSY.includes((error as { code?: string }).code ?? '')) throw error;
      await client.query('rollback to savepoint sealing');
      if (attempt === ATTEMPTS)
        throw new OperationError(
          `the tables could not be locked for the moment of the swap, because transactions that write to them stay open (see pg_stat_activity); nothing was changed: end them, or run again later`,
        );
      await sleep(50 + Math.random() * 200);
    }
  }
}
