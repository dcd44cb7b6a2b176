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
