import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import type pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { version } from '../../../../package.json';
import { InputError, OperationError, reasonOf } from '../../../errors.js';
import {
  type ContainerHead,
  type ContainerTable,
  folderOf,
  readContainer,
  writeContainer,
} from '../../../tenancy/container.js';
import { nameOf } from '../../../tenancy/description.js';
import type { EngineDump, EngineDumpRequest, Omission, TableRows, TenantScope } from '../../engine.js';
import { versionIn } from '../clients.js';
import { addressOf, connect } from '../connect.js';
import { databaseName } from '../names.js';
import { measureRows } from './measure.js';
import { isListed, names, openRows, plainFormats, relation, type SharedRows } from './shared-rows.js';

export type RowsScope = Extract<TenantScope, { tenancy: 'rows' }>;

/** One tenant's rows out of shared tables, all in one snapshot, as a tar of COPY texts. */
export async function dumpRows(request: EngineDumpRequest, scope: RowsScope): Promise<EngineDump> {
  if (!scope.description)
    throw new InputError(
      'a dump with tenancy rows needs the description of whose the rows are: give --tenancy-file; `sovereign-backup tenancy infer` writes a first one',
    );
  const address = addressOf(request.server);
  const client = await connect(address, databaseName(request.database));
  const abort = () => void client.end().catch(() => {});
  request.signal?.addEventListener('abort', abort, { once: true });
  const close = async () => {
    request.signal?.removeEventListener('abort', abort);
    await client.end().catch(() => {});
  };
  try {
    await plainFormats(client);
    await client.query('begin isolation level repeatable read read only');
    const { rows: facts } = await client.query<{ snapshot: string; at: Date; version: string }>(
      `select pg_export_snapshot() as snapshot, clock_timestamp() as at, current_setting('server_version') as version`,
    );
    const { snapshot, at, version: serverVersion } = facts[0]!;
    const rows = await openRows(client, scope.description, scope.value);
    const listed = await isListed(client, rows);
    if (listed === false)
      throw new InputError(
        `there is no tenant ${JSON.stringify(scope.value)} in ${nameOf(rows.description.tenants!)}; check its name, or give --tenant-value`,
      );
    const head = headOf(rows);
    const counted: TableRows[] = [];
    const content = writeContainer(
      head,
      at,
      'copy',
      (table) => copyTable(client, rows, table, counted),
      (table, lines) => {
        const { rows: expected } = counted.at(-1)!;
        if (lines !== expected)
          throw new OperationError(
            `${nameOf(table)} gave ${lines} rows, and ${expected} were counted in the same snapshot`,
          );
      },
    );
    const { stream, finished } = readingBack(content, counted, () => {
      request.signal?.throwIfAborted();
      if (listed === undefined && counted.every((table) => table.rows === 0))
        throw new InputError(
          `no table has a row of ${JSON.stringify(scope.value)}; check the tenant's name, or give --tenant-value`,
        );
    });
    return {
      facts: {
        at,
        serverVersion: versionIn(serverVersion),
        clientVersion: `sovereign-backup ${version}`,
        format: 'copy tar',
        snapshot,
        estimatedBytes: await estimate(client, rows),
        roles: [],
        omitted: omissions(rows),
        properties: { description: rows.description },
      },
      stream,
      finished,
      close,
    };
  } catch (error) {
    await close();
    throw explainRead(error);
  }
}

function headOf(rows: SharedRows): ContainerHead {
  return {
    schemaVersion: 1,
    engine: 'postgresql',
    tenant: rows.value,
    description: rows.description,
    tables: rows.plan.tables.map(({ table }, position) => ({
      folder: folderOf(position, table.table),
      schema: table.schema,
      table: table.table,
      columns: table.columns.filter(({ generated }) => !generated).map(({ name, type }) => ({ name, type })),
      primaryKey: table.primaryKey,
    })),
  };
}

async function* copyTable(
  client: pg.Client,
  rows: SharedRows,
  table: ContainerTable,
  counted: TableRows[],
): AsyncGenerator<Buffer, void, undefined> {
  const planned = rows.plan.tables.find(
    ({ table: each }) => each.schema === table.schema && each.table === table.table,
  )!;
  const columns = table.columns.map(({ name }) => name);
  const from = `${relation(table)} t where ${rows.belongs(planned, 't')}`;
  try {
    const measured = await measureRows(client, columns, from);
    counted.push({ schema: table.schema, name: table.table, rows: measured.rows });
    const order = table.primaryKey.length > 0 ? ` order by ${names(table.primaryKey, 't')}` : '';
    const stream = client.query(
      copyTo(`copy (select ${names(columns, 't')} from ${from}${order}) to stdout`),
    );
    for await (const chunk of stream as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    throw explainRead(error, nameOf(table));
  }
}

/** Reads the same bytes as the archive gets, to their end, as a restore would. */
function readingBack(content: AsyncGenerator<Buffer>, counted: readonly TableRows[], check: () => void) {
  const copy = new PassThrough({ highWaterMark: 1024 * 1024 });
  copy.on('error', () => {});
  async function* tee() {
    try {
      for await (const chunk of content) {
        if (!copy.write(chunk) && !copy.destroyed)
          await Promise.race([once(copy, 'drain'), once(copy, 'close')]);
        yield chunk;
      }
      copy.end();
    } catch (error) {
      copy.destroy(error as Error);
      throw error;
    } finally {
      if (!copy.writableEnded) copy.destroy(new OperationError('the dump was not read to its end'));
    }
  }
  const finished = (async () => {
    let read: readonly number[] | undefined;
    for await (const part of readContainer(copy as AsyncIterable<Buffer>))
      if ('rows' in part) read = part.rows;
    check();
    if (JSON.stringify(read) !== JSON.stringify(counted.map(({ rows }) => rows)))
      throw new OperationError(
        'the dump could not be read back: it has other numbers of rows than were counted',
      );
    return { tables: [...counted] };
  })();
  finished.catch(() => {});
  return { stream: Readable.from(tee(), { objectMode: false, highWaterMark: 1024 * 1024 }), finished };
}

/** The share of the tables' size that the planner expects of the tenant; stores choose part sizes by it. */
async function estimate(client: pg.Client, rows: SharedRows): Promise<number> {
  let bytes = 0;
  for (const planned of rows.plan.tables) {
    const { rows: lines } = await client.query<
      Record<string, [{ Plan: { 'Plan Rows': number; 'Plan Width': number } }]>
    >(`explain (format json) select * from ${relation(planned.table)} t where ${rows.belongs(planned, 't')}`);
    const { Plan } = lines[0]!['QUERY PLAN']![0];
    bytes += Plan['Plan Rows'] * (Plan['Plan Width'] + 8);
  }
  return Math.ceil(bytes) + 64 * 1024;
}

function omissions(rows: SharedRows): Omission[] {
  return [
    { what: 'definitions of tables', why: 'the tables are shared: the restore needs them as they are' },
    ...rows.plan.references.map((table) => ({
      what: `the rows of ${nameOf(table)}`,
      why: 'all tenants share them, as the tenancy description says',
    })),
    ...rows.plan.warnings.map((what) => ({ what, why: 'as the tenancy description says' })),
  ];
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
