import type { CatalogTable, ForeignKey } from './catalog.js';

/** A table with tenants' rows, and what emptying and filling it of one tenant takes. */
export interface PlannedTable {
  readonly table: CatalogTable;
  readonly belongs: Belongs;
  /** Foreign keys that would close a circle: null at first, and set when all rows are there. */
  readonly nullFirst: readonly ForeignKey[];
}

/** How one of its rows tells its tenant. */
export type Belongs =
  | { readonly column: string }
  | { readonly through: ForeignKey; readonly parent: CatalogTable };

export interface EngineHabits {
  /** Foreign keys are checked row by row, not at the end of a statement: then a table's own ones are circles, too. */
  readonly immediateForeignKeys: boolean;
}

/**
 * Whether its rows are in the order of their primary key as soon as each parent's come by it, after those of the parent
 * before: then nobody has to put all of them aside and sort them.
 */
export function followsParents({ table, belongs }: PlannedTable): boolean {
  if ('column' in belongs) return false;
  const { through, parent } = belongs;
  return (
    parent.primaryKey.length > 0 &&
    begins(table.primaryKey, through.columns) &&
    begins(through.toColumns, parent.primaryKey)
  );
}

function begins(columns: readonly string[], first: readonly string[]): boolean {
  return first.every((column, at) => columns[at] === column);
}
