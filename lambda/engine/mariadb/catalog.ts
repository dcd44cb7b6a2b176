import { InputError } from '../../errors.js';
import type { Omission } from '../engine.js';
import { listed } from '../listed.js';
import { type Connection, one, rows } from './connect.js';
import type { Kind } from './head.js';
import { MARKER } from './marks.js';

export interface Table {
  readonly name: string;
  readonly engine: string | null;
  readonly sequence: boolean;
  /** Keeps old rows (system versioning). */
  readonly versioned: boolean;
  /** Its history goes by numbers of transactions, which no dump can hold. */
  readonly numbered: boolean;
}

/** What a database holds, as far as this user may see it. */
export interface Catalog {
  readonly charset: string;
  readonly collation: string;
  readonly comment: string;
  readonly tables: readonly Table[];
  readonly programs: readonly { readonly kind: Kind; readonly name: string }[];
  /** Accounts in whose name programs run: `name@host`. */
  readonly definers: readonly string[];
  readonly bytes: number;
  /** Differs as soon as a definition does, or, for tables without transactions, a row. */
  readonly fingerprint: ReadonlyMap<string, string>;
}

/** Engines whose tables a snapshot of InnoDB's holds. */
const TRANSACTIONAL = ['innodb', 'rocksdb', 'tokudb', 'sequence'];
/** Engines of whose tables the tools dump the definition only. */
const ROWLESS = ['federated', 'mrg_myisam', 'mrg_isam'];

interface TableRow {
  readonly name: string;
  readonly type: string;
  readonly engine: string | null;
  readonly bytes: string | null;
  readonly stamp: string;
  readonly written: string | null;
}

interface ProgramRow {
  readonly db: string;
  readonly kind: Kind;
  readonly name: string;
  readonly definer: string;
  readonly stamp: string;
}

const TABLES = `select table_name as name, table_type as type, engine as engine, data_length as bytes, update_time as written,
    concat_ws('/', create_time, create_options, table_collation, table_comment, row_format) as stamp
  from information_schema.tables where table_schema = ? order by table_name`;
const COLUMNS = `select table_name as name, sha2(group_concat(concat_ws('/', column_name, column_type, is_nullable,
    collation_name, extra, column_default) order by ordinal_position separator '\\n'), 256) as stamp,
    max(generation_expression = 'ROW START' and data_type = 'bigint') as numbered
  from information_schema.columns where table_schema = ? group by table_name`;
const PROGRAMS = `
  select table_schema as db, 'VIEW' as kind, table_name as name, definer as definer, sha2(view_definition, 256) as stamp
    from information_schema.views where table_schema = ?
  union all select trigger_schema, 'TRIGGER', trigger_name, definer,
      sha2(concat_ws('/', event_object_table, action_timing, event_manipulation, action_order, sql_mode, action_statement), 256)
    from information_schema.triggers where trigger_schema = ?
  union all select routine_schema, routine_type, routine_name, definer, concat_ws('/', last_altered, sql_mode, sha2(routine_definition, 256))
    from information_schema.routines where routine_schema = ?
  union all select event_schema, 'EVENT', event_name, definer, concat_ws('/', last_altered, status, sql_mode, sha2(event_definition, 256))
    from information_schema.events where event_schema = ?`;

/** Undefined when there is no such database. */
export async function readCatalog(client: Connection, database: string): Promise<Catalog | undefined> {
  const properties = await databaseProperties(client, database);
  if (!properties) return undefined;
  await client.query('set session group_concat_max_len = 16777216');
  const found = (await rows<TableRow>(client, TABLES, [database])).filter(({ name }) => name !== MARKER);
  const columns = await rows<{ name: string; stamp: string; numbered: string | number | null }>(
    client,
    COLUMNS,
    [database],
  );
  const programs = (await rows<ProgramRow>(client, PROGRAMS, Array(4).fill(database))).filter(
    // The server takes some names for the same that differ in case.
    ({ db }) => db === database,
  );
  const columnsOf = new Map(columns.map((column) => [column.name, column]));
  const fingerprint = new Map<string, string>();
  const tables: Table[] = [];
  let bytes = 0;
  for (const { name, type, engine, stamp, written, ...row } of found) {
    if (type === 'VIEW') continue;
    const sequence = type === 'SEQUENCE';
    const its = columnsOf.get(name);
    const numbered = Number(its?.numbered) === 1;
    tables.push({ name, engine, sequence, versioned: type === 'SYSTEM VERSIONED', numbered });
    bytes += Number(row.bytes ?? 0);
    const rowsStamp = isTransactional({ engine }) ? '' : (written ?? '');
    fingerprint.set(`table ${name}`, [engine, stamp, its?.stamp, rowsStamp].join('/'));
  }
  for (const { kind, name, definer, stamp } of programs)
    fingerprint.set(`${kind.toLowerCase()} ${name}`, `${definer}/${stamp}`);
  return {
    ...properties,
    tables,
    programs: programs.map(({ kind, name }) => ({ kind, name })),
    definers: [...new Set(programs.map(({ definer }) => definer))].sort(),
    bytes,
    fingerprint,
  };
}

export interface DatabaseProperties {
  readonly charset: string;
  readonly collation: string;
  readonly comment: string;
}

export async function databaseProperties(
  client: Connection,
  database: string,
): Promise<DatabaseProperties | undefined> {
  const found = await rows<Record<string, string>>(
    client,
    'select * from information_schema.schemata where schema_name = ?',
    [database],
  );
  // Where names fold case, another tenant's database may answer to this one's name.
  const own = found.find((row) => row.SCHEMA_NAME === database);
  if (!own) return undefined;
  return {
    charset: own.DEFAULT_CHARACTER_SET_NAME!,
    collation: own.DEFAULT_COLLATION_NAME!,
    comment: own.SCHEMA_COMMENT ?? '',
  };
}

/** On a server that keeps names in lower case, one with a capital is no name that anything there has. */
export async function refuseCapitals(client: Connection, name: string): Promise<void> {
  const kept = name.toLowerCase();
  if (kept === name) return;
  const { folds } = await one<{ folds: string | number }>(client, 'select @@lower_case_table_names as folds');
  if (Number(folds) === 1)
    throw new InputError(
      `this server keeps the names of databases in lower case (lower_case_table_names = 1), and ${JSON.stringify(name)} has capitals; give it as ${JSON.stringify(kept)}, with --database where the tenant is called otherwise`,
    );
}

export function isTransactional({ engine }: Pick<Table, 'engine'>): boolean {
  return TRANSACTIONAL.includes((engine ?? '').toLowerCase());
}

/** Whether the dump has rows of it. */
export function hasRows({ engine, sequence }: Table): boolean {
  return !sequence && !ROWLESS.includes((engine ?? '').toLowerCase());
}

/** What is not as it was, in words; empty when all is. */
export function changes(before: Catalog, after: Catalog | undefined): string[] {
  if (!after) return ['the database itself'];
  const names = new Set([...before.fingerprint.keys(), ...after.fingerprint.keys()]);
  return [...names].filter((name) => before.fingerprint.get(name) !== after.fingerprint.get(name));
}

/** What a dump of this database cannot hold, and why. */
export function omissions(catalog: Catalog, history: boolean): Omission[] {
  const numbered = catalog.tables.filter((table) => table.numbered).map(({ name }) => name);
  const each = (tables: readonly Table[], what: string, why: string) =>
    tables.map(({ name }) => ({ what: `${what} ${name}`, why }));
  return [
    {
      what: 'accounts, their passwords and their grants',
      why: 'they belong to the server, not to one database',
    },
    ...each(
      catalog.tables.filter((table) => !hasRows(table) && !table.sequence),
      'the rows of table',
      'its engine keeps them elsewhere',
    ),
    ...each(
      catalog.tables.filter((table) => hasRows(table) && !isTransactional(table)),
      'the moment of table',
      'its engine has no snapshots: its rows were read a little later than the others, and nobody wrote to it meanwhile',
    ),
    ...each(
      history ? [] : catalog.tables.filter(({ versioned }) => versioned),
      'the history of system-versioned table',
      numbered.length > 0
        ? `mariadb-dump dumps the rows of the past of all tables or of none, and cannot where transactions are numbered, as in ${listed(numbered)}`
        : 'only MariaDB 10.11 and newer can dump and restore rows of the past',
    ),
  ];
}
