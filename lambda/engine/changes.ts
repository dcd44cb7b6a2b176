import { OperationError } from '../errors.js';

/** Rows of a table that a restore of rows inserts, updates and deletes. */
export interface Changes {
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

export const NO_CHANGES: Changes = { inserted: 0, updated: 0, deleted: 0 };

/** The restore did something else than it meant to, and is taken back. */
export class NotAsMeant extends OperationError {}

/** What is going to be done, for whoever waits; `present` is how many rows a table has now. */
export function tellChanges<Table>(
  changes: ReadonlyMap<Table, Changes> | undefined,
  present: (table: Table) => number,
): string {
  if (!changes) return "replacing all of the tenant's rows";
  let [inserted, updated, deleted, stay] = [0, 0, 0, 0];
  for (const [table, change] of changes) {
    inserted += change.inserted;
    updated += change.updated;
    deleted += change.deleted;
    stay += present(table) - change.updated - change.deleted;
  }
  return `of the tenant's rows ${inserted} come back, ${updated} change and ${deleted} go; ${stay} stay as they are`;
}
