import type { CatalogTable } from '../tenancy/catalog.js';
import type { ContainerTable } from '../tenancy/container.js';
import type { TenancyPlan } from '../tenancy/plan.js';
import type { PlannedTable } from '../tenancy/planned-table.js';
import type { Staged, StagedTable } from '../tenancy/stage.js';
import type { ComparedTable } from './compare-tables.js';

/** One tenant's rows of a table; none where the archive has a table that is gone from the live database. */
export interface ComparedRows extends ComparedTable {
  readonly planned?: PlannedTable;
  readonly staged?: StagedTable;
}

/** What of an archive waits in temporary tables, beside the tenant's live rows. Columns are their types alone. */
export function comparedRows(
  { tables, gone }: Staged,
  plan: TenancyPlan,
  schemaOf: (schema: string) => string = (schema) => schema,
): { readonly archive: ComparedRows[]; readonly live: ComparedRows[] } {
  const compared = (
    { schema, table, primaryKey }: Pick<ContainerTable, 'schema' | 'table' | 'primaryKey'>,
    columns: readonly { readonly name: string; readonly type: string }[],
  ): ComparedTable => ({
    schema: schemaOf(schema),
    name: table,
    columns: columns.map(({ name, type }) => ({ name, definition: type })),
    // A computed column is in no archive, so a key with one tells no rows apart there.
    key:
      primaryKey.length > 0 && primaryKey.every((key) => columns.some(({ name }) => name === key))
        ? primaryKey
        : null,
  });
  const written = ({ columns }: CatalogTable) => columns.filter(({ generated }) => !generated);
  return {
    archive: [
      ...tables.map((staged) => ({ ...compared(staged.archived, staged.archived.columns), staged })),
      ...gone.map((table) => compared(table, table.columns)),
    ],
    live: plan.tables.map((planned) => ({ ...compared(planned.table, written(planned.table)), planned })),
  };
}
