import { InputError, OperationError } from '../../../errors.js';
import {
  keyOf,
  nameOf,
  type TableName,
  type TenancyDescription,
  withSchema,
} from '../../../tenancy/description.js';
import type { TenantRows } from '../../../tenancy/dump.js';
import { misfit, planTenancy } from '../../../tenancy/plan.js';
import { type EngineHabits, followsParents, type PlannedTable } from '../../../tenancy/planned-table.js';
import { type Connection, literal, q, rows } from '../connect.js';
import { DEFAULT_SCHEMA, type MyCatalog, type MyTable, readTables } from './catalog.js';

export const ENGINE = { name: 'mariadb', title: 'MariaDB or MySQL' };
export const HABITS: EngineHabits = { immediateForeignKeys: true };

/** What stands after FROM, where rows are called `t` unless another name was given, and after WHERE. */
export interface Which {
  readonly from: string;
  readonly where: string;
}

/** Says where a table's rows lie, as SQL. */
export type Where = (table: TableName) => string;

/** One tenant's rows in a live database: the plan, and the words in which to ask for them. */
export interface SharedRows extends TenantRows {
  readonly database: string;
  /** Differs as soon as a definition does. */
  readonly fingerprint: string;
  readonly live: Where;
  table(table: TableName): MyTable;
  /** Columns that are written: all but those that the server computes. */
  columns(table: TableName): string[];
  /** The tenant's rows. `at` says where the rows of the table lie, and of those through which they belong. */
  own(planned: PlannedTable, at?: Where, alias?: string): Which;
  /** The columns that put the tenant's rows into the order of the primary key, as SQL; empty where there is none. */
  order(planned: PlannedTable, alias?: string): string;
  /** Everybody else's. */
  others(planned: PlannedTable, at?: Where, alias?: string): Which;
  /** The tenant's value, as SQL for this column. */
  literal(table: MyTable, column: string): string;
}

export function names(columns: readonly string[], alias?: string): string {
  return columns.map((column) => (alias ? `${alias}.${q(column)}` : q(column))).join(', ');
}

export function equal(
  a: string,
  columns: readonly string[],
  b: string,
  toColumns: readonly string[],
): string {
  return columns.map((column, at) => `${a}.${q(column)} = ${b}.${q(toColumns[at]!)}`).join(' and ');
}

export async function number(client: Connection, sql: string): Promise<number> {
  const [row] = await rows<{ n: string | number }>(client, sql);
  return Number(row!.n);
}

function forced({
  table,
  columns,
}: {
  readonly table: MyTable;
  readonly columns: readonly string[];
}): string {
  const paths = table.paths.filter((each) =>
    columns.every((column) => each.columns.slice(0, columns.length).includes(column)),
  );
  // By the primary key the whole row is found at once.
  const index = paths.find(({ name }) => name === 'PRIMARY') ?? paths[0];
  return index ? ` force index (${q(index.name)})` : '';
}

/** Refuses whatever the description and the live catalogue disagree on, all at once. */
export async function openRows(
  client: Connection,
  database: string,
  given: TenancyDescription,
  value: string,
): Promise<SharedRows> {
  const description = withSchema(given, DEFAULT_SCHEMA);
  const catalog = await readTables(client, database);
  const plan = planTenancy(description, catalog.tables, HABITS);
  const problems = [...plan.problems, ...engineProblems(plan.tables, catalog)];
  if (problems.length > 0) throw misfit(problems);
  const tables = new Map(catalog.tables.map((table) => [keyOf(table), table]));
  const table = (name: TableName) => tables.get(keyOf(name))!;
  const planned = new Map(plan.tables.map((each) => [keyOf(each.table), each]));
  const live: Where = (name) => q(database, name.table);

  /** The table, and those through which its rows belong, up to the one that has the tenant's column. */
  const path = (each: PlannedTable, first: string) => {
    const steps: { table: MyTable; alias: string; on?: string; columns: readonly string[] }[] = [];
    let alias = first;
    let last = each;
    while ('through' in last.belongs) {
      const { through, parent } = last.belongs;
      const next = `${alias}_`;
      const on = equal(alias, through.columns, next, through.toColumns);
      steps.push({ table: table(last.table), alias, on, columns: through.columns });
      last = planned.get(keyOf(parent))!;
      alias = next;
    }
    const { column } = last.belongs;
    steps.push({ table: table(last.table), alias, columns: [column] });
    return { steps, column: `${alias}.${q(column)}`, literal: literalOf(value, table(last.table), column) };
  };
  const result: SharedRows = {
    engine: ENGINE.name,
    database,
    description,
    value,
    plan,
    fingerprint: JSON.stringify(catalog, (key, each) =>
      ['estimatedRows', 'bytes'].includes(key) ? undefined : each,
    ),
    live,
    table,
    columns: (name) =>
      table(name)
        .columns.filter(({ generated }) => !generated)
        .map((column) => column.name),
    own(each, at, alias = 't') {
      const { steps, column, literal: text } = path(each, alias);
      // From the tenant's column down, by its indexes: the server would rather read a table whole, and lock all of it.
      const from = steps.map((step) => `${(at ?? live)(step.table)} ${step.alias}${at ? '' : forced(step)}`);
      const on = steps.map((step) => (step.on === undefined ? '' : ` on ${step.on}`));
      return {
        from: from
          .map((name, index) => `${name}${on[index]}`)
          .reverse()
          .join(' straight_join '),
        where: `${column} = ${text}`,
      };
    },
    order(each, alias = 't') {
      // Only parents need to be in order, and the server does not have to put all rows aside and sort them.
      return 'through' in each.belongs && followsParents(each)
        ? result.order(planned.get(keyOf(each.belongs.parent))!, `${alias}_`)
        : names(each.table.primaryKey, alias);
    },
    others(each, at = live, alias = 't') {
      const { steps, column, literal: text } = path(each, alias);
      const from = steps.map((step, index) => {
        const on = index === 0 ? '' : ` on ${steps[index - 1]!.on}`;
        return `${at(step.table)} ${step.alias}${on}`;
      });
      return { from: from.join(' left join '), where: `not (${column} <=> ${text})` };
    },
    literal: (of, column) => literalOf(value, of, column),
  };
  // A value that cannot stand in one of the columns is refused here.
  for (const each of plan.tables) result.own(each);
  return result;
}

/** What no plan can know of: keys that InnoDB alone allows, and what other databases have to do with these tables. */
function engineProblems(planned: readonly PlannedTable[], { tables, outside }: MyCatalog): string[] {
  const all = new Map(tables.map((table) => [keyOf(table), table]));
  const own = new Set(planned.map(({ table }) => table.table));
  const loose = planned.flatMap(({ table, belongs }) => {
    if (!('through' in belongs)) return [];
    const { through } = belongs;
    const target = all.get(keyOf(through.to))!;
    return target.uniques.some((key) => key.every((column) => through.toColumns.includes(column)))
      ? []
      : [
          `table ${nameOf(table)} goes through ${nameOf(target)} by (${through.toColumns.join(', ')}), which is not unique there, so a row can belong to several`,
        ];
  });
  return [
    ...loose,
    ...outside
      .filter(({ to }) => own.has(to))
      .map(
        ({ name, from, to }) =>
          `table ${nameOf(from)} of another database refers to ${to} by the foreign key ${name}, and its rows would hang on the tenant's`,
      ),
  ];
}

const RANGE = 1n << 64n;

/** The tenant's value as the column's type has it: text that the type reads as something else is refused. */
function literalOf(value: string, table: MyTable, column: string): string {
  const { group, as } = table.kinds[column]!;
  const { type } = table.columns.find(({ name }) => name === column)!;
  const cannot = (why: string) =>
    new InputError(
      `${JSON.stringify(value)} cannot stand in ${nameOf(table)}.${column}, which is ${type}: ${why}; give the tenant's value with --tenant-value`,
    );
  if (group === 'whole') {
    if (!/^-?\d{1,20}$/.test(value)) throw cannot('it is no whole number');
    const number = BigInt(value);
    if (number >= RANGE || number < -RANGE / 2n) throw cannot('it is out of range');
    if (String(number) !== value)
      throw new InputError(
        `${JSON.stringify(value)} is written ${JSON.stringify(String(number))} in ${nameOf(table)}.${column}, which is ${type}; give it so with --tenant-value`,
      );
    return value;
  }
  if (group === 'binary') {
    if (!/^([0-9a-f]{2})+$/.test(value)) throw cannot('bytes are given as hexadecimal digits, 0-9 and a-f');
    return `x'${value}'`;
  }
  if (group === 'uuid' && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value))
    throw cannot('it is no UUID in lower case');
  if (group === 'number' || group === 'bit' || as === 'hex')
    throw new InputError(
      `${nameOf(table)}.${column} is ${type}, and a tenant's column is a whole number, text, binary or a UUID here`,
    );
  return literal(value);
}

/**
 * Most collations take `Acme`, `acme` and `acme ` for the same. Where two such values are in a tenant's column, nobody
 * can say whose the rows are that refer to it, so nothing is dumped or restored.
 */
export async function checkSpelling(client: Connection, shared: SharedRows): Promise<void> {
  for (const { table, belongs } of shared.plan.tables) {
    if (!('column' in belongs)) continue;
    const live = shared.table(table);
    const { group } = live.kinds[belongs.column]!;
    if (group !== 'text' && group !== 'long') continue;
    const column = `t.${q(belongs.column)}`;
    const text = shared.literal(live, belongs.column);
    const [other] = await rows<{ found: string }>(
      client,
      `select cast(${column} as char character set utf8mb4) as found from ${shared.live(table)} t
       where ${column} = ${text} and not (cast(convert(${column} using utf8mb4) as binary) <=> cast(${text} as binary)) limit 1`,
    );
    if (other)
      throw new InputError(
        `${nameOf(table)}.${belongs.column} has ${JSON.stringify(other.found)}, which its collation takes for the same as ${JSON.stringify(shared.value)}: these cannot be told apart as tenants; give the value as it is written with --tenant-value, or let one of them be written otherwise`,
      );
  }
}

/** Whether the list of tenants has this one; undefined where the description names no list. */
export async function isListed(client: Connection, shared: SharedRows): Promise<boolean | undefined> {
  const { tenants } = shared.description;
  if (!tenants) return undefined;
  const text = shared.literal(shared.table(tenants), tenants.column);
  const found = await number(
    client,
    `select count(*) as n from ${shared.live(tenants)} t where t.${q(tenants.column)} = ${text}`,
  );
  return found > 0;
}

/** Keeps definitions as they are until the transaction ends; reads and writes go on. */
export async function holdTables(client: Connection, shared: SharedRows): Promise<void> {
  for (const { table } of shared.plan.tables)
    await client.query(`select 1 from ${shared.live(table)} limit 0`);
}

/** For whoever holds the tables: what was checked is still so. */
export async function checkUnaltered(client: Connection, shared: SharedRows): Promise<void> {
  const now = await openRows(client, shared.database, shared.description, shared.value);
  if (now.fingerprint !== shared.fingerprint)
    throw new OperationError(
      `tables of database ${JSON.stringify(shared.database)} were altered meanwhile; nothing was changed: run again when nobody alters them`,
    );
}
