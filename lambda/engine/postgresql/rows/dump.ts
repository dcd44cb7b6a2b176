import type pg from 'pg';
import { version } from '../../../../package.json';
import { InputError, reasonOf } from '../../../errors.js';
import type { ContainerTable } from '../../../tenancy/container.js';
import { nameOf } from '../../../tenancy/description.js';
import { headOf, omittedOf, required, streamRows } from '../../../tenancy/dump.js';
import type { EngineDump, EngineDumpRequest, RowsScope } from '../../engine.js';
import { limitStruck } from '../../limit-struck.js';
import { versionIn } from '../clients.js';
import { addressOf, answers } from '../connect.js';
import { databaseName } from '../names.js';
import { largeObjectsOf } from '../omissions.js';
import { CopyOut } from './copy-out.js';
import { inOrder } from './in-order.js';
import { isLimit } from './limit.js';
import { connectForRows, isListed, openRows, relation, type SharedRows } from './shared-rows.js';

/** One tenant's rows out of shared tables, all in one snapshot, as a tar of COPY texts. */
export async function dumpRows(request: EngineDumpRequest, scope: RowsScope): Promise<EngineDump> {
  const description = required(scope.description);
  const address = addressOf(request.server);
  const limit = request.options?.statementTimeout;
  const client = await connectForRows(
    address,
    databaseName(request.database),
    limit === undefined ? {} : { statementTimeout: limit },
  );
  const abort = () => void client.end().catch(() => {});
  request.signal?.addEventListener('abort', abort, { once: true });
  const close = async () => {
    request.signal?.removeEventListener('abort', abort);
    await client.end().catch(() => {});
  };
  try {
    const [, facts] = await answers<{ snapshot: string; at: Date; version: string }>(client, [
      'begin isolation level repeatable read read only',
      `select pg_export_snapshot() as snapshot, clock_timestamp() as at, current_setting('server_version') as version`,
    ]);
    const { snapshot, at, version: serverVersion } = facts!.rows[0]!;
    const rows = await openRows(client, description, scope.value);
    const large = await largeObjectsOf(
      client,
      'c.oid = any($1::oid[])',
      rows.plan.tables.flatMap(({ table }) => rows.live(table).relations),
    );
    const counts = new Map<string, number>();
    const { stream, finished } = streamRows({
      head: headOf(rows),
      at,
      extension: 'copy',
      listed: await isListed(client, rows),
      read: (table) => copyTable(client, rows, table, { limit, counts }),
      // What COPY itself says that it has sent: another statement would find the same rows a second time.
      count: async ({ folder }) => counts.get(folder) ?? Number.NaN,
      checksums: request.options?.checksums !== 'rows',
      ...(request.signal ? { signal: request.signal } : {}),
    });
    // Whoever still writes the archive needs neither the session nor its snapshot.
    finished.then(close, () => {});
    return {
      facts: {
        at,
        serverVersion: versionIn(serverVersion),
        clientVersion: `sovereign-backup ${version}`,
        format: 'copy tar',
        snapshot,
        estimatedBytes: await estimate(client, rows),
        roles: [],
        omitted: [...omittedOf(rows.plan), ...large],
        properties: { description: rows.description },
      },
      stream,
      finished,
      close,
    };
  } catch (error) {
    await close();
    throw (
      limitStruck(isLimit(error), limit, "a statement that reads the database's catalogue", KEPT) ??
      explainRead(error)
    );
  }
}

const KEPT = 'nothing was kept of the dump';

async function* copyTable(
  client: pg.Client,
  rows: SharedRows,
  table: ContainerTable,
  { limit, counts }: { readonly limit: number | undefined; readonly counts: Map<string, number> },
): AsyncGenerator<Buffer, void, undefined> {
  try {
    const copy = client.query(new CopyOut(`copy (${inOrder(rows, table)}) to stdout`));
    yield* copy as AsyncIterable<Buffer>;
    counts.set(table.folder, copy.rowCount);
  } catch (error) {
    throw (
      limitStruck(isLimit(error), limit, `reading ${nameOf(table)}`, KEPT) ??
      explainRead(error, nameOf(table))
    );
  }
}

/** The share of the tables' size that the planner expects of the tenant; stores choose part sizes by it. */
async function estimate(client: pg.Client, rows: SharedRows): Promise<number> {
  const plans = await answers<Record<string, [{ Plan: { 'Plan Rows': number; 'Plan Width': number } }]>>(
    client,
    rows.plan.tables.map(
      (planned) =>
        `explain (format json) select * from ${relation(planned.table)} t where ${rows.belongs(planned, 't')}`,
    ),
  );
  const bytes = plans.reduce((sum, { rows: lines }) => {
    const { Plan } = lines[0]!['QUERY PLAN']![0];
    return sum + Plan['Plan Rows'] * (Plan['Plan Width'] + 8);
  }, 0);
  return Math.ceil(bytes) + 64 * 1024;
}

/** Says what to do about what a backup role commonly lacks. */
export function explainRead(error: unknown, table?: string): unknown {
  const { code } = error as { code?: string };
  const reason = reasonOf(error);
  const where = table === undefined ? '' : `${table}: `;
  if (code === '42501' && /row-level security/.test(reason))
    return new InputError(
      `${where}${reason}: rows would be left out without a word, so nothing was read; use a role with BYPASSRLS, or the tables' owner where row security is not forced`,
    );
  if (code === '42501') return new InputError(`${where}${reason}; grant the role SELECT on it`);
  return error;
}
