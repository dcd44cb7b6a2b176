import pg from 'pg';
import { OperationError, reasonOf } from '../../../errors.js';
import type { Staged } from '../../../tenancy/stage.js';
import { comparedRows } from '../../compare-staged.js';
import { compareTables } from '../../compare-tables.js';
import type { CompareOptions, TableComparison } from '../../engine.js';
import { rowsSql, sortedRows } from '../compare.js';
import { relation, type SharedRows } from './shared-rows.js';

interface CompareRequest extends CompareOptions {
  /** Holds the staged rows; idle. */
  readonly client: pg.Client;
  /** Another session, which reads the live ones in one snapshot, so that the server sorts both at once. */
  readonly outside: pg.Client;
  readonly rows: SharedRows;
  readonly staged: Staged;
}

/** What the tenant's live rows have become since the archive; nothing is written. */
export async function compareRows(request: CompareRequest): Promise<TableComparison[]> {
  const { client, outside, rows, staged, signal } = request;
  const { archive, live } = comparedRows(staged, rows.plan);
  const count = async (session: pg.Client, from: string) => {
    const { rows: found } = await session.query<{ count: string }>(`select count(*) as count from ${from}`);
    return Number(found[0]!.count);
  };
  try {
    for (const session of [client, outside])
      await session.query('begin isolation level repeatable read read only');
    const own = ({ planned }: (typeof live)[number]) =>
      `${relation(planned!.table)} t where ${rows.belongs(planned!, 't')}`;
    return await compareTables(
      {
        tables: archive,
        count: async (table) => table.staged?.rows ?? 0,
        rows: (table, columns, key) =>
          sortedRows(client, rowsSql(`${table.staged!.name} t`, columns, key), signal),
      },
      {
        tables: live,
        count: (table) => count(outside, own(table)),
        rows: (table, columns, key) => sortedRows(outside, rowsSql(own(table), columns, key), signal),
      },
      request,
    );
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof pg.DatabaseError)) throw error;
    throw new OperationError(`the rows could not be compared: ${reasonOf(error)}; nothing was changed`);
  } finally {
    for (const session of [client, outside]) await session.query('rollback').catch(() => {});
  }
}
