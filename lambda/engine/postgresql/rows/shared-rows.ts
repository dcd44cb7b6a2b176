import pg from 'pg';
import { InputError, reasonOf } from '../../../errors.js';
import {
  keyOf,
  nameOf,
  type TableColumn,
  type TableName,
  type TenancyDescription,
  withSchema,
} from '../../../tenancy/description.js';
import type { TenantRows } from '../../../tenancy/dump.js';
import { misfit, planTenancy, type TenancyPlan } from '../../../tenancy/plan.js';
import type { PlannedTable } from '../../../tenancy/planned-table.js';
import { connect, type PostgresAddress } from '../connect.js';
import { DEFAULT_SCHEMA, type PgTable, readCatalog } from './catalog.js';
import { type EventTrigger, eventTriggersOf } from './event-triggers.js';
import { statementLimit } from './limit.js';

const q = pg.escapeIdentifier;

export const ENGINE = { name: 'postgresql', title: 'PostgreSQL' };

/** One tenant's rows in a live database: the plan, and the words in which to ask for them. */
export interface SharedRows extends TenantRows {
  readonly tables: ReadonlyMap<string, PgTable>;
  readonly eventTriggers: readonly EventTrigger[];
  live(table: TableName): PgTable;
  /** Columns that are written: all but those that the server computes. */
  columns(table: TableName): string[];
  /** Whether the value of a column is the tenant's, as SQL. */
  is(column: TableColumn, alias: string): string;
  /** Whether a row is the tenant's, as SQL; `of` says where a table's rows lie, in place of the live ones. */
  belongs(planned: PlannedTable, alias: string, of?: (table: TableName) => string): string;
}

/** `"public"."orders"` */
export function relation({ schema, table }: TableName): string {
  return `${q(schema)}.${q(table)}`;
}

export function names(columns: readonly string[], alias?: string): string {
  return columns.map((column) => (alias ? `${alias}.${q(column)}` : q(column))).join(', ');
}

/** What text means must not depend on settings of the database or the role. */
const PLAIN_FORMATS = `set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set extra_float_digits = 1;
  set bytea_output = 'hex'; set timezone = 'UTC'; set xmloption = 'content'; set client_encoding = 'UTF8';
  set array_nulls = on; set lc_monetary = 'C'`;

/**
 * Rows of one tenant are found by their indexes: by default the planner would rather read all tenants' rows, by several
 * processes, where the tenant has more than a few per cent of them. Nothing is compiled that runs once.
 */
const BY_INDEXES = `set jit = off; set max_parallel_workers_per_gather = 0; set random_page_cost = 1.1; set work_mem = '32MB'`;

/** A session that reads or writes one tenant's rows. */
export function connectForRows(
  address: PostgresAddress,
  database: string,
  {
    statementTimeout,
    settings = [],
  }: { readonly statementTimeout?: number; readonly settings?: readonly string[] },
): Promise<pg.Client> {
  return connect(address, database, [
    PLAIN_FORMATS,
    BY_INDEXES,
    ...statementLimit(statementTimeout),
    ...settings,
  ]);
}

/** Refuses whatever the description and the live catalogue disagree on, all at once. */
export async function openRows(
  client: pg.Client,
  given: TenancyDescription,
  value: string,
): Promise<SharedRows> {
  const description = withSchema(given, DEFAULT_SCHEMA);
  const catalog = await readCatalog(client);
  const plan = planTenancy(description, catalog);
  const problems = [...plan.problems, ...engineProblems(plan, catalog)];
  if (problems.length > 0) throw misfit(problems);
  const tables = new Map(catalog.map((table) => [keyOf(table), table]));
  const live = (table: TableName) => tables.get(keyOf(table))!;
  const planned = new Map(plan.tables.map((each) => [keyOf(each.table), each]));
  const told = [
    ...plan.tables.flatMap(({ table, belongs }) => ('column' in belongs ? [{ ...table, ...belongs }] : [])),
    ...(description.tenants ? [description.tenants] : []),
  ];
  // By the type: most descriptions have one column of one type in all tables.
  const literals = new Map<string, string>();
  for (const { column, ...table } of told) {
    const type = live(table).castTypes[column]!;
    if (!literals.has(type)) literals.set(type, await literal(client, value, table, column, type));
  }
  const is: SharedRows['is'] = ({ column, ...table }, alias) =>
    `${alias}.${q(column)} ${live(table).equal[column] ?? '='} ${literals.get(live(table).castTypes[column]!)}`;
  const belongs: SharedRows['belongs'] = (each, alias, of = relation) => {
    if ('column' in each.belongs) return is({ ...each.table, ...each.belongs }, alias);
    const { through, parent } = each.belongs;
    const inner = `${alias}_`;
    const { equal } = live(parent);
    if (through.toColumns.some((column) => column in equal)) {
      const same = through.columns.map((column, at) => {
        const to = through.toColumns[at]!;
        return `${names([to], inner)} ${equal[to] ?? '='} ${names([column], alias)}`;
      });
      return `exists (select from ${of(parent)} ${inner} where ${same.join(' and ')} and ${belongs(planned.get(keyOf(parent))!, inner, of)})`;
    }
    return (
      `(${names(through.columns, alias)}) in (select ${names(through.toColumns, inner)} from ${of(parent)} ${inner} ` +
      `where ${belongs(planned.get(keyOf(parent))!, inner, of)})`
    );
  };
  return {
    engine: ENGINE.name,
    description,
    value,
    plan,
    tables,
    eventTriggers: await eventTriggersOf(client),
    live,
    columns: (table) =>
      live(table)
        .columns.filter(({ generated }) => !generated)
        .map(({ name }) => name),
    is,
    belongs,
  };
}

/** What no plan can know: rules rewrite what we write. */
function engineProblems(plan: TenancyPlan, catalog: readonly PgTable[]): string[] {
  const own = new Set(plan.tables.map(({ table }) => keyOf(table)));
  return catalog
    .filter((table) => own.has(keyOf(table)))
    .flatMap(({ rules }) => rules)
    .map(
      ({ rule, table }) =>
        `table ${table} has the rule ${JSON.stringify(rule)}, which rewrites what is written to it`,
    );
}

/** The value as the column's type writes it: `007` is no name for tenant 7. */
async function literal(
  client: pg.Client,
  value: string,
  table: TableName,
  column: string,
  type: string,
): Promise<string> {
  const text = `${pg.escapeLiteral(value)}::${type}`;
  let canonical: string;
  try {
    const { rows } = await client.query<{ text: string }>(`select (${text})::text as text`);
    canonical = rows[0]!.text;
  } catch (error) {
    throw new InputError(
      `${JSON.stringify(value)} cannot stand in ${nameOf(table)}.${column}, which is ${type}: ${reasonOf(error)}; give the tenant's value with --tenant-value`,
    );
  }
  if (canonical.trimEnd() !== value.trimEnd())
    throw new InputError(
      `${JSON.stringify(value)} is written ${JSON.stringify(canonical)} in ${nameOf(table)}.${column}, which is ${type}; give it so with --tenant-value`,
    );
  return text;
}

/** Whether the list of tenants has this one; undefined where the description names no list. */
export async function isListed(client: pg.Client, rows: SharedRows): Promise<boolean | undefined> {
  const { tenants } = rows.description;
  if (!tenants) return undefined;
  const { rows: found } = await client.query<{ listed: boolean }>(
    `select exists (select from ${relation(tenants)} t where ${rows.is(tenants, 't')}) as listed`,
  );
  return found[0]!.listed;
}
