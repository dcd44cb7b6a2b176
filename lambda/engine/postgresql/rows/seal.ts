import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { OperationError } from '../../../errors.js';
import { nameOf } from '../../../tenancy/description.js';
import type { PlannedTable } from '../../../tenancy/plan.js';
import { type Measured, measureRows, same } from './measure.js';
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
  measured: ReadonlyMap<PlannedTable, Measured>,
): Promise<void> {
  await lockAll(client, rows);
  for (const [planned, expected] of measured) {
    const from = `${relation(planned.table)} t where ${rows.belongs(planned, 't')}`;
    const now = await measureRows(outside, rows.columns(planned.table), from);
    if (!same(now, expected)) throw new Overtaken(nameOf(planned.table));
  }
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
