import type { CatalogTable, ForeignKey } from './catalog.js';
import { keyOf, nameOf, type TableName } from './description.js';
import type { EngineHabits, PlannedTable } from './planned-table.js';

interface Edge {
  readonly child: string;
  readonly parent: string;
  readonly table: CatalogTable;
  readonly foreignKey: ForeignKey;
}

export interface Order {
  readonly tables: PlannedTable[];
  readonly deferred: { readonly table: TableName; readonly foreignKey: ForeignKey }[];
  readonly problems: string[];
}

/**
 * Parents before children. A circle is opened at its deferrable foreign keys, else at one that may be null; one that
 * has neither is a problem.
 */
export function orderTables(planned: readonly PlannedTable[], habits: EngineHabits): Order {
  const byKey = new Map(planned.map((each) => [keyOf(each.table), each]));
  const keys = [...byKey.keys()].sort();
  let edges: Edge[] = planned.flatMap(({ table }) =>
    table.foreignKeys
      .filter((foreignKey) => byKey.has(keyOf(foreignKey.to)))
      .map((foreignKey) => ({ child: keyOf(table), parent: keyOf(foreignKey.to), table, foreignKey }))
      .filter(({ child, parent }) => child !== parent || habits.immediateForeignKeys),
  );
  const deferred: Order['deferred'] = [];
  const nulled = new Map<string, ForeignKey[]>();
  const problems: string[] = [];
  const remove = (gone: readonly Edge[]) => {
    edges = edges.filter((edge) => !gone.includes(edge));
  };

  // Only "no action" waits for the end of the transaction; every other action runs with the delete.
  const late = circular(keys, edges).filter(
    ({ foreignKey }) => foreignKey.deferrable && foreignKey.onDelete === 'no action',
  );
  remove(late);
  deferred.push(...late.map(({ table, foreignKey }) => ({ table, foreignKey })));
  for (let rest = circular(keys, edges); rest.length > 0; rest = circular(keys, edges)) {
    const open = rest.find((edge) => nullableColumns(byKey.get(edge.child)!, edge.foreignKey).length > 0);
    if (!open) {
      const tables = [...new Set(rest.map(({ table }) => nameOf(table)))].sort().join(', ');
      const names = [...new Set(rest.map(({ foreignKey }) => foreignKey.name))].sort().join(', ');
      problems.push(
        `tables ${tables} refer to one another in a circle (${names}), and none of these foreign keys ${
          habits.immediateForeignKeys
            ? 'can be null; let one of them be null'
            : 'is deferrable or can be null; make one of them deferrable'
        }`,
      );
      break;
    }
    remove([open]);
    nulled.set(open.child, [...(nulled.get(open.child) ?? []), open.foreignKey]);
  }
  const tables = sort(keys, edges).map((key) => ({
    ...byKey.get(key)!,
    nullFirst: nulled.get(key) ?? [],
  }));
  return { tables, deferred, problems };
}

/** The columns of a foreign key that may be null for a while: not those by which the row is known or belongs. */
export function nullableColumns({ table, belongs }: PlannedTable, key: ForeignKey): string[] {
  if ('through' in belongs && belongs.through.name === key.name) return [];
  const fixed = new Set([
    ...table.primaryKey,
    ...('column' in belongs ? [belongs.column] : belongs.through.columns),
  ]);
  return key.columns.filter(
    (column) => !fixed.has(column) && table.columns.some(({ name, nullable }) => name === column && nullable),
  );
}

/** The edges that lie on some circle: both ends are in one strongly connected part. */
function circular(keys: readonly string[], edges: readonly Edge[]): Edge[] {
  const part = components(keys, edges);
  return edges.filter(({ child, parent }) => part.get(child) === part.get(parent));
}

/** Tarjan's algorithm, without recursion: schemas of thousands of tables exist. */
function components(keys: readonly string[], edges: readonly Edge[]): Map<string, number> {
  const next = new Map<string, string[]>(keys.map((key) => [key, []]));
  for (const { child, parent } of edges) next.get(child)!.push(parent);
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const part = new Map<string, number>();
  const open: string[] = [];
  let parts = 0;
  for (const root of keys) {
    if (index.has(root)) continue;
    const work: { key: string; at: number }[] = [{ key: root, at: 0 }];
    while (work.length > 0) {
      const frame = work.at(-1)!;
      const { key } = frame;
      if (frame.at === 0) {
        index.set(key, index.size);
        low.set(key, index.get(key)!);
        open.push(key);
      }
      const to = next.get(key)![frame.at];
      frame.at += 1;
      if (to !== undefined) {
        if (!index.has(to)) work.push({ key: to, at: 0 });
        else if (!part.has(to)) low.set(key, Math.min(low.get(key)!, index.get(to)!));
        continue;
      }
      work.pop();
      const above = work.at(-1);
      if (above) low.set(above.key, Math.min(low.get(above.key)!, low.get(key)!));
      if (low.get(key) !== index.get(key)) continue;
      for (let member = ''; member !== key; ) {
        member = open.pop()!;
        part.set(member, parts);
      }
      parts += 1;
    }
  }
  return part;
}

/** Parents first; among those that are free, by name, so that the same tables always come in the same order. */
function sort(keys: readonly string[], edges: readonly Edge[]): string[] {
  const waits = new Map<string, Set<string>>(keys.map((key) => [key, new Set()]));
  for (const { child, parent } of edges) if (child !== parent) waits.get(child)!.add(parent);
  const done: string[] = [];
  const rest = new Set(keys);
  while (rest.size > 0) {
    const free = [...rest].filter((key) => [...waits.get(key)!].every((parent) => !rest.has(parent)));
    // In a circle that could not be opened: the plan has a problem then, and is not used.
    const take = free.length > 0 ? free : [...rest];
    for (const key of take) rest.delete(key);
    done.push(...take);
  }
  return done;
}
