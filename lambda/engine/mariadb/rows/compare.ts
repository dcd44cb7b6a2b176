import type { Staged } from '../../../tenancy/stage.js';
import { comparedRows } from '../../compare-staged.js';
import { compareTables } from '../../compare-tables.js';
import type { CompareOptions, TableComparison } from '../../engine.js';
import { endAll, type HashedColumn, rowsSql, sortedRows } from '../compare.js';
import { type Connection, connect, type MariadbAddress } from '../connect.js';
import { DEFAULT_SCHEMA } from './catalog.js';
import { explain, RESTORING } from './explain.js';
import { checkSpelling, checkUnaltered, holdTables, number, type SharedRows } from './shared-rows.js';

interface CompareRequest extends CompareOptions {
  readonly address: MariadbAddress;
  /** Holds the staged rows; idle. */
  readonly client: Connection;
  readonly shared: SharedRows;
  readonly staged: Staged;
}

/** What the tenant's live rows have become since the archive, in one snapshot; nothing is written. */
export async function compareRows(request: CompareRequest): Promise<TableComparison[]> {
  const { address, client, shared, staged, signal } = request;
  const { archive, live } = comparedRows(staged, shared.plan, (schema) =>
    schema === DEFAULT_SCHEMA ? shared.database : schema,
  );
  // A session of its own: one that gives rows can do nothing else meanwhile.
  const outside = await connect(address);
  const stop = () => void endAll(address, [outside]);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    await outside.query('set session transaction isolation level repeatable read');
    await outside.query('start transaction with consistent snapshot, read only');
    await holdTables(outside, shared);
    await checkUnaltered(outside, shared);
    await checkSpelling(outside, shared);
    const compared = await compareTables(
      {
        tables: archive,
        count: async (table) => table.staged?.rows ?? 0,
        rows({ staged: table }, columns, key) {
          const hashed = hashedOf(shared, table!.planned.table);
          const sql = rowsSql(`${table!.name} t`, columns.map(hashed), key?.map(hashed) ?? null);
          return sortedRows(client, sql, key, signal);
        },
      },
      {
        tables: live,
        async count({ planned }) {
          const { from, where } = shared.own(planned!);
          return number(outside, `select count(*) as n from ${from} where ${where}`);
        },
        rows({ planned }, columns, key) {
          const { from, where } = shared.own(planned!);
          const hashed = hashedOf(shared, planned!.table);
          const sql = rowsSql(from, columns.map(hashed), key?.map(hashed) ?? null, where);
          return sortedRows(outside, sql, key, signal);
        },
      },
      request,
    );
    await outside.end();
    return compared;
  } catch (error) {
    // One of them may be in the middle of rows that nobody reads any more.
    await endAll(address, [client, outside]);
    signal?.throwIfAborted();
    throw explain(error, RESTORING);
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

function hashedOf(shared: SharedRows, table: Parameters<SharedRows['table']>[0]) {
  const { kinds } = shared.table(table);
  return (name: string): HashedColumn => {
    const { as, float } = kinds[name]!;
    return { name, bytes: as === 'hex', float: float ?? false };
  };
}
