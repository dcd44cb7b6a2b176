import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { InputError, OperationError } from '../errors.js';
import type { CatalogColumn } from './catalog.js';
import {
  type ContainerColumn,
  type ContainerHead,
  type ContainerTable,
  folderOf,
  readContainer,
  writeContainer,
} from './container.js';
import { nameOf, type TableName, type TenancyDescription } from './description.js';
import { LineDigests, OF_LINES } from './line-digests.js';
import type { TenancyPlan } from './plan.js';

/** What is dumped: one tenant's rows, as planned. */
export interface TenantRows {
  /** As written into containers: `postgresql`. */
  readonly engine: string;
  readonly value: string;
  readonly description: TenancyDescription;
  readonly plan: TenancyPlan;
}

/** What a container begins with. Columns that the engine computes are left out. */
export function headOf(
  { engine, value, description, plan }: TenantRows,
  folder: (position: number, table: string) => string = folderOf,
  column: (table: TableName, column: CatalogColumn) => ContainerColumn = (_, { name, type }) => ({
    name,
    type,
  }),
): ContainerHead {
  return {
    schemaVersion: 1,
    engine,
    tenant: value,
    description,
    tables: plan.tables.map(({ table }, position) => ({
      folder: folder(position, table.table),
      schema: table.schema,
      table: table.table,
      columns: table.columns.filter(({ generated }) => !generated).map((each) => column(table, each)),
      primaryKey: table.primaryKey,
    })),
  };
}

/** Of a restore the archive has one; a dump has to be given it. */
export function required(description: TenancyDescription | undefined): TenancyDescription {
  if (description) return description;
  throw new InputError(
    'a dump with tenancy rows needs the description of whose the rows are: give --tenancy-file; `sovereign-backup tenancy infer` writes a first one',
  );
}

export interface RowsSource {
  readonly head: ContainerHead;
  /** Of the snapshot. */
  readonly at: Date;
  /** Of the files' names: what the rows in them are. */
  readonly extension: string;
  /** Whether the list of tenants has this one; undefined where there is no list. */
  readonly listed: boolean | undefined;
  read(table: ContainerTable): AsyncIterable<Buffer>;
  /** How many rows the server says there are in the same snapshot; asked when all of them were read. */
  count(table: ContainerTable): Promise<number>;
  /** Whether the manifest is to have checksums of the rows, or their number alone. */
  readonly checksums: boolean;
  readonly signal?: AbortSignal;
}

export interface CountedRows {
  readonly schema: string;
  readonly name: string;
  readonly rows: number;
  readonly checksum?: string;
}

export interface RowsOutcome {
  readonly tables: readonly CountedRows[];
  readonly checksums?: typeof OF_LINES;
}

/** One tenant's rows as a stream, which is read back while it is written, to its end, as a restore would. */
export function streamRows(source: RowsSource): {
  readonly stream: Readable;
  readonly finished: Promise<RowsOutcome>;
} {
  const { head, listed, signal } = source;
  if (listed === false)
    throw new InputError(
      `there is no tenant ${JSON.stringify(head.tenant)} in ${nameOf(head.description.tenants!)}; check its name, or give --tenant-value`,
    );
  const counted: CountedRows[] = [];
  const [written, readBack] = source.checksums ? [new LineDigests(), new LineDigests()] : [];
  async function* read(table: ContainerTable) {
    for await (const chunk of source.read(table)) {
      written?.add(table, chunk);
      yield chunk;
    }
    counted.push({
      schema: table.schema,
      name: table.table,
      rows: await source.count(table),
      ...(written ? { checksum: written.of(table) } : {}),
    });
  }
  const content = writeContainer(head, source.at, source.extension, read, (table, lines) => {
    const { rows } = counted.at(-1)!;
    if (lines !== rows)
      throw new OperationError(
        `${nameOf(table)} gave ${lines} rows, and ${rows} were counted in the same snapshot`,
      );
  });
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
    let numbers: readonly number[] | undefined;
    for await (const part of readContainer(copy as AsyncIterable<Buffer>)) {
      if ('rows' in part) numbers = part.rows;
      else if ('table' in part) readBack?.add(part.table, part.bytes);
    }
    signal?.throwIfAborted();
    if (listed === undefined && counted.every(({ rows }) => rows === 0))
      throw new InputError(
        `no table has a row of ${JSON.stringify(head.tenant)}; check the tenant's name, or give --tenant-value`,
      );
    if (JSON.stringify(numbers) !== JSON.stringify(counted.map(({ rows }) => rows)))
      throw new OperationError(
        'the dump could not be read back: it has other numbers of rows than were counted',
      );
    if (head.tables.some((table, at) => readBack && readBack.of(table) !== counted[at]!.checksum))
      throw new OperationError('the dump could not be read back: it has other rows than were read');
    return { tables: counted, ...(written ? { checksums: OF_LINES } : {}) };
  })();
  finished.catch(() => {});
  return { stream: Readable.from(tee(), { objectMode: false, highWaterMark: 1024 * 1024 }), finished };
}

/** What an archive of rows does not hold, and why. */
export function omittedOf({ references, warnings }: TenancyPlan): { what: string; why: string }[] {
  return [
    { what: 'definitions of tables', why: 'the tables are shared: the restore needs them as they are' },
    ...references.map((table) => ({
      what: `the rows of ${nameOf(table)}`,
      why: 'all tenants share them, as the tenancy description says',
    })),
    ...warnings.map((what) => ({ what, why: 'as the tenancy description says' })),
  ];
}
