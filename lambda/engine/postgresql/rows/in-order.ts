import type { ContainerTable } from '../../../tenancy/container.js';
import { keyOf, type TableName } from '../../../tenancy/description.js';
import { followsParents, type PlannedTable } from '../../../tenancy/planned-table.js';
import { names, relation, type SharedRows } from './shared-rows.js';

/** The tenant's rows of a table in the order of its primary key, as a query. */
export function inOrder(rows: SharedRows, table: ContainerTable): string {
  const planned = plannedOf(rows, table);
  const columns = names(
    table.columns.map(({ name }) => name),
    't',
  );
  const { belongs } = planned;
  if ('column' in belongs || !foundByParents(rows, planned, belongs))
    return `select ${columns} from ${relation(table)} t where ${rows.belongs(planned, 't')}${by(table.primaryKey, 't')}`;
  // Rows come while they are found, parent by parent; of a sort the first would come when the last is found.
  const { through, parent } = belongs;
  const rest = table.primaryKey.slice(through.columns.length);
  return `select t.* from
    (select ${names(through.toColumns, 'o')} from ${relation(parent)} o
     where ${rows.belongs(plannedOf(rows, parent), 'o')}${by(through.toColumns, 'o')}) o
    cross join lateral
    (select ${columns} from ${relation(table)} t
     where (${names(through.columns, 't')}) = (${names(through.toColumns, 'o')})${by(rest, 't')} offset 0) t`;
}

function by(key: readonly string[], alias: string): string {
  return key.length > 0 ? ` order by ${names(key, alias)}` : '';
}

function plannedOf(rows: SharedRows, table: TableName): PlannedTable {
  return rows.plan.tables.find((each) => keyOf(each.table) === keyOf(table))!;
}

/** Whether one look into the index of the primary key finds the rows of a parent, and these are in order then. */
function foundByParents(
  rows: SharedRows,
  planned: PlannedTable,
  { through, parent }: Extract<PlannedTable['belongs'], { parent: unknown }>,
): boolean {
  const [own, to] = [rows.live(planned.table), rows.live(parent)];
  const plain = (column: string, at: number) => {
    const other = through.toColumns[at]!;
    return own.castTypes[column] === to.castTypes[other] && !(other in to.equal);
  };
  return own.kind === 'table' && followsParents(planned) && through.columns.every(plain);
}
