import { InputError } from '../errors.js';
import type { CatalogTable, ForeignKey } from './catalog.js';
import { keyOf, nameOf, type TableName, type TableTenancy, type TenancyDescription } from './description.js';
import { orderTables } from './order.js';
import type { Belongs, EngineHabits, PlannedTable } from './planned-table.js';

/** A foreign key by which another tenant's row could hang on this tenant's: that has to be looked at in the data. */
export interface Crossing {
  readonly from: CatalogTable;
  readonly foreignKey: ForeignKey;
  /** Absent where the referring table is shared. */
  readonly planned?: PlannedTable;
  readonly to: PlannedTable;
}

export interface TenancyPlan {
  /** Parents before children: rows are inserted in this order, and deleted in the opposite one. */
  readonly tables: readonly PlannedTable[];
  readonly references: readonly TableName[];
  readonly crossings: readonly Crossing[];
  /** Deferrable foreign keys that close circles: the engine has to check them at the end. */
  readonly deferred: readonly { readonly table: TableName; readonly foreignKey: ForeignKey }[];
  /** Why nothing may be dumped or restored by this description; empty where it fits. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Holds a description against the live catalogue. Never throws: all that is wrong is in `problems`. */
export function planTenancy(
  description: TenancyDescription,
  catalog: readonly CatalogTable[],
  habits: EngineHabits = { immediateForeignKeys: false },
): TenancyPlan {
  const problems: string[] = [];
  const warnings: string[] = [];
  const live = new Map(catalog.map((table) => [keyOf(table), table]));
  const rules = new Map<string, TableTenancy>();
  for (const rule of description.tables) {
    if (rules.has(keyOf(rule))) problems.push(`table ${nameOf(rule)} is described twice`);
    rules.set(keyOf(rule), rule);
    if (!live.has(keyOf(rule)))
      problems.push(`table ${nameOf(rule)} is described, and is not in the database`);
  }
  for (const table of catalog) {
    if (!rules.has(keyOf(table)))
      problems.push(
        `table ${nameOf(table)} is not in the description; say whose its rows are: column, through, or reference`,
      );
  }
  const planned = new Map<string, PlannedTable>();
  for (const table of catalog) {
    const rule = rules.get(keyOf(table));
    if (!rule) continue;
    if ('reference' in rule) {
      checkShared(table, rule, description, problems);
      continue;
    }
    const belongs = belongingOf(table, rule, live, rules, problems);
    checkKind(table, problems);
    if (!belongs) continue;
    checkTriggers(table, rule, problems, warnings);
    checkAccess(table, rule, belongs, problems, warnings);
    planned.set(keyOf(table), { table, belongs, nullFirst: [] });
  }
  checkPaths(planned, problems);
  checkTenants(description, live, problems);
  if (planned.size === 0 && problems.length === 0)
    problems.push("no table is described as having tenants' rows");
  const order = orderTables([...planned.values()], habits);
  problems.push(...order.problems);
  const tables = order.tables;
  for (const { table, nullFirst } of tables) {
    const computed = table.columns.some(
      ({ name, generated }) => generated && table.primaryKey.includes(name),
    );
    if (nullFirst.length > 0 && (table.primaryKey.length === 0 || computed))
      problems.push(
        `table ${nameOf(table)} lies on a circle of foreign keys and has ${computed ? 'a computed column in its' : 'no'} primary key`,
      );
  }
  const byKey = new Map(tables.map((each) => [keyOf(each.table), each]));
  return {
    tables,
    references: description.tables.filter((rule) => 'reference' in rule),
    crossings: crossingsOf(catalog, byKey),
    deferred: order.deferred,
    problems,
    warnings,
  };
}

/** The refusal to work by a description that does not fit the database. */
export function misfit(problems: readonly string[]): InputError {
  const shown = problems.slice(0, 20);
  const more = problems.length - shown.length;
  return new InputError(
    `the tenancy description does not fit the database: ${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}; ` +
      'correct it, see `sovereign-backup tenancy check`, and give it with --tenancy-file (an archive has the one of its dump)',
  );
}

/** A table that could tell whose its rows are is hardly shared: its rows would be in no tenant's dump. */
function checkShared(
  table: CatalogTable,
  { why }: TableTenancy,
  { tables, tenants }: TenancyDescription,
  problems: string[],
): void {
  if (why !== undefined) return;
  const own = tables.filter((rule) => 'column' in rule && !(tenants && keyOf(tenants) === keyOf(rule)));
  const told = new Set(own.flatMap((rule) => ('column' in rule ? [rule.column] : [])));
  const column = table.columns.find(({ name }) => told.has(name))?.name;
  if (column !== undefined)
    problems.push(
      `table ${nameOf(table)} is described as shared (reference: true) and has the column ${JSON.stringify(column)}, by which other tables tell their tenants: ` +
        `no tenant's dump would have its rows; write \`column: ${column}\`, or give the reason for which it is shared as \`why\``,
    );
}

function belongingOf(
  table: CatalogTable,
  rule: Exclude<TableTenancy, { reference: true }>,
  live: ReadonlyMap<string, CatalogTable>,
  rules: ReadonlyMap<string, TableTenancy>,
  problems: string[],
): Belongs | undefined {
  const name = nameOf(table);
  if ('column' in rule) {
    const column = table.columns.find((each) => each.name === rule.column);
    if (!column) problems.push(`table ${name} has no column ${JSON.stringify(rule.column)}`);
    else if (column.generated) problems.push(computed(name, column.name));
    else return { column: rule.column };
    return undefined;
  }
  const { through } = rule;
  const key = table.foreignKeys.find(
    (each) =>
      keyOf(each.to) === keyOf(through.to) &&
      pairs(each.columns, each.toColumns) === pairs(through.columns, through.toColumns),
  );
  const path = `(${through.columns.join(', ')}) to ${nameOf(through.to)} (${through.toColumns.join(', ')})`;
  if (!key) {
    problems.push(
      `table ${name} has no foreign key from ${path}, so nothing keeps its rows with that table's`,
    );
    return undefined;
  }
  const parent = live.get(keyOf(through.to));
  const parentRule = rules.get(keyOf(through.to));
  if (!parent || !parentRule || 'reference' in parentRule) {
    problems.push(
      `table ${name} goes through ${nameOf(through.to)}, which is not described as having tenants' rows`,
    );
    return undefined;
  }
  const ours = computedOf(table, through.columns) ?? computedOf(parent, through.toColumns);
  if (ours !== undefined) {
    problems.push(computed(name, ours));
    return undefined;
  }
  return { through: key, parent };
}

function computedOf({ columns }: CatalogTable, among: readonly string[]): string | undefined {
  return columns.find((column) => column.generated && among.includes(column.name))?.name;
}

/** An archive has no such columns, so whose its rows are could not be proven while they wait beside the live ones. */
function computed(table: string, column: string): string {
  return `table ${table} tells its tenant by ${JSON.stringify(column)}, which the server computes, so that rows of an archive do not have it; describe it by a column that is written`;
}

/** The same columns to the same columns, in whatever order the key was declared. */
function pairs(columns: readonly string[], toColumns: readonly string[]): string {
  return JSON.stringify(columns.map((column, at) => JSON.stringify([column, toColumns[at]])).sort());
}

function checkKind(table: CatalogTable, problems: string[]): void {
  if (table.kind === 'foreign')
    problems.push(
      `table ${nameOf(table)} is a foreign table, or has one for a partition: such rows lie on another server and cannot be restored`,
    );
  if (table.kind === 'inherited')
    problems.push(
      `table ${nameOf(table)} takes part in table inheritance, of which rows of one tenant cannot be told; partitions can`,
    );
  if (table.unfit) problems.push(`table ${nameOf(table)} ${table.unfit}`);
}

function checkTriggers(
  table: CatalogTable,
  rule: TableTenancy,
  problems: string[],
  warnings: string[],
): void {
  if (!table.triggers?.length) return;
  const which = `table ${nameOf(table)} has triggers that run when rows are restored (${table.triggers.join(', ')})`;
  if (rule.triggersRun) warnings.push(which);
  else
    problems.push(
      `${which}, and nothing can turn them off; drop them, or write \`triggersRun: true\` where that does no harm`,
    );
}

function checkAccess(
  table: CatalogTable,
  rule: TableTenancy,
  belongs: Belongs,
  problems: string[],
  warnings: string[],
): void {
  const name = nameOf(table);
  const columns = 'column' in belongs ? [belongs.column] : belongs.through.columns;
  const text = columns.join(', ');
  const indexed = table.indexes.some((index) =>
    columns.every((column) => index.slice(0, columns.length).includes(column)),
  );
  if (!indexed) {
    if (rule.unindexed)
      warnings.push(`table ${name} has no index on (${text}) and is read whole for every tenant`);
    else
      problems.push(
        `table ${name} has no index that begins with (${text}), so every tenant costs the whole table; create one, or write \`unindexed: true\` if it is small`,
      );
  }
  const loose = columns.filter((column) => table.columns.find(({ name: own }) => own === column)?.nullable);
  if (loose.length > 0)
    warnings.push(
      `table ${name}: ${loose.join(', ')} can be null; such rows belong to no tenant and are in no dump`,
    );
  if (table.primaryKey.length === 0)
    warnings.push(`table ${name} has no primary key, so its rows cannot be told from one another`);
}

/** Every path of `through` must end at a tenant column. */
function checkPaths(planned: Map<string, PlannedTable>, problems: string[]): void {
  for (const [key, { table }] of planned) {
    const seen = new Set([key]);
    let at = planned.get(key);
    while (at && 'through' in at.belongs) {
      const next = keyOf(at.belongs.parent);
      if (seen.has(next)) {
        problems.push(`table ${nameOf(table)} goes through tables in a circle, and no tenant column ends it`);
        break;
      }
      seen.add(next);
      at = planned.get(next);
    }
  }
}

function checkTenants(
  { tenants }: TenancyDescription,
  live: ReadonlyMap<string, CatalogTable>,
  problems: string[],
): void {
  if (!tenants) return;
  const table = live.get(keyOf(tenants));
  if (!table) problems.push(`the list of tenants, table ${nameOf(tenants)}, is not in the database`);
  else if (!table.columns.some(({ name }) => name === tenants.column))
    problems.push(
      `the list of tenants, table ${nameOf(tenants)}, has no column ${JSON.stringify(tenants.column)}`,
    );
}

function crossingsOf(
  catalog: readonly CatalogTable[],
  planned: ReadonlyMap<string, PlannedTable>,
): Crossing[] {
  const crossings: Crossing[] = [];
  for (const from of catalog) {
    const own = planned.get(keyOf(from));
    for (const foreignKey of from.foreignKeys) {
      const to = planned.get(keyOf(foreignKey.to));
      if (!to || (own && cannotCross(own, foreignKey, to))) continue;
      crossings.push({ from, foreignKey, to, ...(own ? { planned: own } : {}) });
    }
  }
  return crossings;
}

/** The key itself carries the tenant, or is how the row belongs. */
function cannotCross({ belongs }: PlannedTable, key: ForeignKey, to: PlannedTable): boolean {
  if ('through' in belongs) return belongs.through.name === key.name;
  const at = key.columns.indexOf(belongs.column);
  return at >= 0 && 'column' in to.belongs && key.toColumns[at] === to.belongs.column;
}
