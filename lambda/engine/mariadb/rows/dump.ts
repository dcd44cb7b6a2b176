import { isUtf8 } from 'node:buffer';
import { version } from '../../../../package.json';
import { OperationError } from '../../../errors.js';
import type { ContainerHead, ContainerTable } from '../../../tenancy/container.js';
import { keyOf, nameOf } from '../../../tenancy/description.js';
import { headOf, omittedOf, type RowsOutcome, required, streamRows } from '../../../tenancy/dump.js';
import type { PlannedTable } from '../../../tenancy/planned-table.js';
import type { EngineDump, EngineDumpRequest, RowsScope } from '../../engine.js';
import { limitStruck } from '../../limit-struck.js';
import { addressOf, type Connection, connect, one, rows as select, serverFacts } from '../connect.js';
import { zonedIn } from '../losses.js';
import { databaseName } from '../names.js';
import { askedFor, type ColumnKind, isDigitized } from './columns.js';
import { DUMPING, explain } from './explain.js';
import { isLimit, limitStatements } from './limit.js';
import { linesOf } from './read-lines.js';
import {
  checkSpelling,
  checkUnaltered,
  equal,
  holdTables,
  isListed,
  names,
  openRows,
  type SharedRows,
} from './shared-rows.js';

export const FORMAT = 'tsv tar';

/** One tenant's rows out of shared tables, all in one snapshot, as a tar of lines for LOAD DATA. */
export async function dumpRows(request: EngineDumpRequest, scope: RowsScope): Promise<EngineDump> {
  const description = required(scope.description);
  const database = databaseName(request.database);
  const address = addressOf(request.server);
  const client = await connect(address);
  const limit = request.options?.statementTimeout;
  const abort = () => client.destroy();
  request.signal?.addEventListener('abort', abort, { once: true });
  const close = async () => {
    request.signal?.removeEventListener('abort', abort);
    // The session may be in the middle of rows that nobody reads any more.
    client.destroy();
  };
  try {
    const server = await serverFacts(client, address);
    await limitStatements(client, server.mariadb, limit);
    const shared = await openRows(client, database, description, scope.value);
    await client.query('set session transaction isolation level repeatable read');
    await client.query('start transaction with consistent snapshot, read only');
    const { at } = await one<{ at: string }>(client, 'select utc_timestamp(3) as at');
    await holdTables(client, shared);
    await checkUnaltered(client, shared);
    await checkSpelling(client, shared);
    const zoned = await zonedIn(
      client,
      database,
      shared.plan.tables.map(({ table }) => table.table),
    );
    const { stream, finished } = streamRows({
      head: rowsHead(shared),
      at: new Date(`${at.replace(' ', 'T')}Z`),
      extension: 'tsv',
      listed: await isListed(client, shared),
      read: (table) => readTable(client, shared, table, limit),
      count: () => given(client),
      checksums: request.options?.checksums !== 'rows',
      ...(request.signal ? { signal: request.signal } : {}),
    });
    return {
      facts: {
        at: new Date(`${at.replace(' ', 'T')}Z`),
        serverVersion: `${server.version}${server.mariadb ? '-MariaDB' : ''}`,
        clientVersion: `sovereign-backup ${version}`,
        format: FORMAT,
        snapshot: 'start transaction with consistent snapshot',
        estimatedBytes: await estimate(client, shared),
        roles: [],
        omitted: [...omittedOf(shared.plan), ...zoned],
        properties: { description: shared.description },
      },
      stream,
      // Of a table in this database the archive says so, as every archive of this engine.
      finished: named(finished, database),
      close,
    };
  } catch (error) {
    await close();
    request.signal?.throwIfAborted();
    throw (
      limitStruck(isLimit(error), limit, "a statement that reads the database's catalogue", DUMPING.holds) ??
      explain(error, DUMPING)
    );
  }
}

function named(finished: Promise<RowsOutcome>, database: string): Promise<RowsOutcome> {
  const outcome = finished.then(({ tables, ...rest }) => ({
    ...rest,
    tables: tables.map((table) => ({ ...table, schema: database })),
  }));
  outcome.catch(() => {});
  return outcome;
}

/** What the server says that the last statement gave: another one would find the same rows a second time. */
async function given(client: Connection): Promise<number> {
  return Number((await one<{ n: string | number }>(client, 'select found_rows() as n')).n);
}

/** What a container of these rows begins with, in an archive or in a kept copy. */
export function rowsHead(shared: SharedRows, folder?: (position: number) => string): ContainerHead {
  return headOf(shared, folder, (table, { name, type }) => {
    const { as } = shared.table(table).kinds[name]!;
    return { name, type, ...(as === undefined ? {} : { as }) };
  });
}

function plannedOf({ plan }: SharedRows, table: ContainerTable) {
  return plan.tables.find((each) => keyOf(each.table) === keyOf(table))!;
}

/** Of these a value is equal to itself and to no other, whatever it is. */
const PLAIN: readonly ColumnKind['group'][] = ['whole', 'uuid', 'binary'];
/** The server forgets an order without a limit. */
const NO_LIMIT = '18446744073709551615';

/** The tenant's rows in the order of the primary key, as SQL from FROM on. */
function sorted(shared: SharedRows, planned: PlannedTable): string {
  const { table, belongs } = planned;
  const { from, where } = shared.own(planned);
  const order = shared.order(planned);
  const by = order === '' ? '' : ` order by ${order}`;
  const own = `from ${from} where ${where}${by}`;
  const { primaryKey } = table;
  const key = names(primaryKey, 't');
  const { kinds } = shared.table(table);
  const plain = primaryKey.every((column) => PLAIN.includes(kinds[column]!.group));
  if ('column' in belongs || order === '' || order !== key || !plain) return own;
  // What a join gives the server would put aside whole, to sort it; of keys alone that is little.
  return `from (select ${key} ${own} limit ${NO_LIMIT}) o
    straight_join ${shared.live(table)} t force index (primary) on ${equal('t', primaryKey, 'o', primaryKey)}`;
}

async function* readTable(
  client: Connection,
  shared: SharedRows,
  table: ContainerTable,
  limit: number | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  const planned = plannedOf(shared, table);
  const { kinds } = shared.table(table);
  const columns = table.columns.map(({ name }) => askedFor(name, kinds[name]!, 't')).join(', ');
  const digitized = table.columns.map(({ name }) => isDigitized(kinds[name]!));
  try {
    const sql = `select ${columns} ${sorted(shared, planned)}`;
    for await (const lines of linesOf(client, sql, digitized)) {
      if (!isUtf8(lines))
        throw new OperationError(
          `${nameOf(table)} has text that is not of its character set, and could not be put back as it is; no archive was kept`,
        );
      yield lines;
    }
  } catch (error) {
    const what = `reading ${nameOf(table)}`;
    throw limitStruck(isLimit(error), limit, what, DUMPING.holds) ?? explain(error, DUMPING, nameOf(table));
  }
}

/** The share of the tables' size that the server expects of the tenant; stores choose part sizes by it. */
async function estimate(client: Connection, shared: SharedRows): Promise<number> {
  let bytes = 64 * 1024;
  for (const planned of shared.plan.tables) {
    const { from, where } = shared.own(planned);
    const steps = await select<{ rows: string | number | null }>(
      client,
      `explain select 1 from ${from} where ${where}`,
    );
    const expected = steps.reduce((product, step) => product * Math.max(1, Number(step.rows ?? 1)), 1);
    const live = shared.table(planned.table);
    bytes += Math.min(1, expected / Math.max(1, live.estimatedRows)) * live.bytes;
  }
  return Math.ceil(bytes);
}
