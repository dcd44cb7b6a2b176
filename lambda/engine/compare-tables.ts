import { compareSorted, type SortedRow } from './compare-rows.js';
import type { ColumnChange, CompareOptions, TableComparison } from './engine.js';

export interface ComparedTable {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly definition: string }[];
  /** Of its primary key. */
  readonly key: readonly string[] | null;
}

/** One of two databases, read in one snapshot. */
export interface ComparedSide<Table extends ComparedTable> {
  readonly tables: readonly Table[];
  count(table: Table): Promise<number>;
  /** Its rows, told apart by the key, or by their whole content, as far as both sides have these columns. */
  rows(
    table: Table,
    columns: readonly string[],
    key: readonly string[] | null,
  ): AsyncIterator<SortedRow, void, undefined>;
}

/**
 * Compares two databases of one server: each side sorts hashes of its rows, and both are merged here. The server's sort
 * spills to its disk, and here a few rows are held.
 */
export async function compareTables<Table extends ComparedTable>(
  archive: ComparedSide<Table>,
  live: ComparedSide<Table>,
  { sample, signal }: CompareOptions,
): Promise<TableComparison[]> {
  const compared: TableComparison[] = [];
  for (const [old, now] of pairs(archive.tables, live.tables)) {
    signal?.throwIfAborted();
    if (old && now) compared.push(await compareTable({ archive, live, old, now, sample }));
    else if (old) compared.push(alone(old, 'removed', await archive.count(old)));
    else compared.push(alone(now!, 'added', await live.count(now!)));
  }
  return compared;
}

function pairs<Table extends ComparedTable>(
  archive: readonly Table[],
  live: readonly Table[],
): [Table | undefined, Table | undefined][] {
  const nameOf = ({ schema, name }: Table) => JSON.stringify([schema, name]);
  const rest = new Map(live.map((table) => [nameOf(table), table]));
  const both = archive.map((table): [Table, Table | undefined] => {
    const other = rest.get(nameOf(table));
    rest.delete(nameOf(table));
    return [table, other];
  });
  return [...both, ...[...rest.values()].map((table): [undefined, Table] => [undefined, table])];
}

function alone({ schema, name }: ComparedTable, state: 'added' | 'removed', rows: number): TableComparison {
  const added = state === 'added';
  return {
    schema,
    name,
    state,
    archiveRows: added ? null : rows,
    liveRows: added ? rows : null,
    rows: { added: added ? rows : 0, removed: added ? 0 : rows, changed: 0 },
    columns: [],
    key: null,
    sample: { added: [], removed: [], changed: [] },
  };
}

async function compareTable<Table extends ComparedTable>(request: {
  readonly archive: ComparedSide<Table>;
  readonly live: ComparedSide<Table>;
  readonly old: Table;
  readonly now: Table;
  readonly sample: number;
}): Promise<TableComparison> {
  const { archive, live, old, now, sample } = request;
  const columns = columnChanges(old, now);
  const key = sameKey(old, now) ? old.key : null;
  const after = new Set(now.columns.map(({ name }) => name));
  const common = old.columns.map(({ name }) => name).filter((name) => after.has(name));
  const found = await compareSorted(
    archive.rows(old, common, key),
    live.rows(now, common, key),
    key ? sample : 0,
  );
  const { added, removed, changed } = found.rows;
  return {
    schema: old.schema,
    name: old.name,
    state: columns.length + added + removed + changed === 0 ? 'same' : 'changed',
    ...found,
    columns,
    key,
  };
}

function sameKey(old: ComparedTable, now: ComparedTable): boolean {
  return old.key !== null && now.key !== null && old.key.join('\0') === now.key.join('\0');
}

function columnChanges(old: ComparedTable, now: ComparedTable): ColumnChange[] {
  const before = new Map(old.columns.map(({ name, definition }) => [name, definition]));
  const after = new Map(now.columns.map(({ name, definition }) => [name, definition]));
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const change = { name, archive: before.get(name) ?? null, live: after.get(name) ?? null };
    return change.archive === change.live ? [] : [change];
  });
}
