import { InputError, OperationError } from '../../../errors.js';
import type { CatalogColumn, CatalogTable, ForeignKey } from '../../../tenancy/catalog.js';
import type { TableName } from '../../../tenancy/description.js';
import type { LiveCatalog } from '../../engine.js';
import type { ServerAddress } from '../../server.js';
import { databaseProperties, isTransactional } from '../catalog.js';
import { addressOf, type Connection, connect, q, rows } from '../connect.js';
import { MARKER } from '../marks.js';
import { databaseName } from '../names.js';
import { checkPrivileges } from '../privileges.js';
import { type ColumnKind, kindOf } from './columns.js';

/** A live table with what only MariaDB and MySQL know of it. */
export interface MyTable extends CatalogTable {
  readonly bytes: number;
  readonly kinds: Readonly<Record<string, ColumnKind>>;
  /** Indexes by name, and the columns by which they find rows. */
  readonly paths: readonly { readonly name: string; readonly columns: readonly string[] }[];
  /** The primary key as it is declared, as SQL; empty where there is none. */
  readonly key: string;
  /** Columns that the server sets to the time of an update that does not set them. */
  readonly stamped: readonly string[];
  /** Columns of which the server lets no two rows have the same values. */
  readonly uniques: readonly (readonly string[])[];
}

export interface MyCatalog {
  /** Their schema is empty: the database they are in is the one that was asked for, whatever it is called. */
  readonly tables: readonly MyTable[];
  /** Foreign keys of other databases to these tables. */
  readonly outside: readonly { readonly name: string; readonly from: TableName; readonly to: string }[];
}

/** Of tables for which a description names no schema. */
export const DEFAULT_SCHEMA = '';

/** A user to whom the server does not show all tables and triggers is refused: what is unseen would be unknown. */
export const NEEDED = ['SELECT', 'TRIGGER'];

export async function catalog(server: ServerAddress, database: string): Promise<LiveCatalog> {
  const client = await connect(addressOf(server));
  try {
    const { tables } = await readTables(client, databaseName(database));
    return { tables, defaultSchema: DEFAULT_SCHEMA };
  } finally {
    await client.end();
  }
}

const TABLES = `select table_schema as db, table_name as name, table_type as type, engine as engine,
    table_rows as estimate, data_length as bytes, create_options as options
  from information_schema.tables where table_schema = ? and table_type in ('BASE TABLE', 'SYSTEM VERSIONED')`;
const COLUMNS = `select table_schema as db, table_name as tab, column_name as name, column_type as type, data_type as base,
    is_nullable as nullable, extra as extra, column_default as value, character_set_name as charset
  from information_schema.columns where table_schema = ? order by ordinal_position`;
const INDEXES = `select table_schema as db, table_name as tab, index_name as name, column_name as col, non_unique as plural,
    sub_part as part, index_type as type
  from information_schema.statistics where table_schema = ? order by index_name, seq_in_index`;
const FOREIGN_KEYS = `select k.table_schema as db, k.table_name as tab, k.constraint_name as name, k.column_name as col,
    k.referenced_table_schema as todb, k.referenced_table_name as totab, k.referenced_column_name as tocol
  from information_schema.key_column_usage k
  where k.referenced_table_name is not null and (k.table_schema = ? or k.referenced_table_schema = ?)
  order by k.table_name, k.constraint_name, k.ordinal_position`;
/** Of this database alone: for all of them the server has to look into every table that it has, as for the keys. */
const RULES = `select constraint_schema as db, table_name as tab, constraint_name as name, delete_rule as rule
  from information_schema.referential_constraints where constraint_schema = ?`;
const TRIGGERS = `select event_object_schema as db, event_object_table as tab, trigger_name as name
  from information_schema.triggers where event_object_schema = ? order by trigger_name`;

interface TableRow {
  readonly db: string;
  readonly name: string;
  readonly type: string;
  readonly engine: string | null;
  readonly estimate: string | number | null;
  readonly bytes: string | number | null;
  readonly options: string | null;
}

interface OfTable {
  readonly db: string;
  readonly tab: string;
  readonly name: string;
}

interface ColumnRow extends OfTable {
  readonly type: string;
  readonly base: string;
  readonly nullable: string;
  readonly extra: string;
  readonly value: string | null;
  readonly charset: string | null;
}

interface IndexRow extends OfTable {
  /** Null where it is an expression. */
  readonly col: string | null;
  readonly plural: string | number;
  /** Set where only the beginning of the column is in it. */
  readonly part: string | number | null;
  readonly type: string;
}

interface KeyRow extends OfTable {
  readonly col: string;
  readonly todb: string;
  readonly totab: string;
  readonly tocol: string;
}

interface RuleRow extends OfTable {
  readonly rule: string;
}

export async function readTables(client: Connection, database: string): Promise<MyCatalog> {
  if (!(await databaseProperties(client, database)))
    throw new InputError(`there is no database ${JSON.stringify(database)} on the server`);
  await checkPrivileges(client, database, NEEDED);
  const of = async <Row extends { readonly db: string }>(sql: string) =>
    // The server compares names without regard to case; what it found may be another database's.
    (await rows<Row>(client, sql, [database])).filter(({ db }) => db === database);
  const found = (await of<TableRow>(TABLES)).filter(({ name }) => name !== MARKER);
  const columns = byTable(await of<ColumnRow>(COLUMNS));
  const indexes = byTable(await of<IndexRow>(INDEXES));
  const triggers = byTable(await of<OfTable>(TRIGGERS));
  const keys = await rows<KeyRow>(client, FOREIGN_KEYS, [database, database]);
  const rules = byTable(await of<RuleRow>(RULES));
  const own = byTable(keys.filter(({ db }) => db === database));
  const tables = found
    .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
    .map((row): MyTable => {
      const its = columns.get(row.name) ?? [];
      const unfit = unfitness(row);
      const paths = (all: Map<string, IndexRow[]>) =>
        [...all].flatMap(([name, index]) => leading(index).map((columns) => ({ name, columns })));
      const named = grouped(indexes.get(row.name) ?? []);
      return {
        schema: DEFAULT_SCHEMA,
        table: row.name,
        kind: /\bpartitioned\b/i.test(row.options ?? '') ? 'partitioned' : 'table',
        columns: its.map(columnOf),
        kinds: Object.fromEntries(its.map((each) => [each.name, kindOf(each.base, each.charset)])),
        primaryKey: (named.get('PRIMARY') ?? []).flatMap(({ col }) => col ?? []),
        foreignKeys: foreignKeysOf(own.get(row.name) ?? [], rules.get(row.name) ?? [], database),
        indexes: paths(named).map(({ columns }) => columns),
        paths: paths(named),
        key: (named.get('PRIMARY') ?? []).map(keyPart).join(', '),
        stamped: its.flatMap(({ name, extra }) => (/\bon update\b/i.test(extra) ? [name] : [])),
        uniques: [...named.values()].flatMap(unique),
        estimatedRows: row.estimate === null ? -1 : Number(row.estimate),
        bytes: Number(row.bytes ?? 0),
        ...(unfit === undefined ? {} : { unfit }),
        triggers: (triggers.get(row.name) ?? []).map(({ name }) => name),
      };
    });
  const outside = keys
    .filter(({ db, todb }) => todb === database && db !== database)
    .map(({ db, tab, name, totab }) => ({ name, from: { schema: db, table: tab }, to: totab }));
  return { tables, outside };
}

function byTable<Row extends OfTable>(found: readonly Row[]): Map<string, Row[]> {
  const grouped = new Map<string, Row[]>();
  for (const row of found) grouped.set(row.tab, [...(grouped.get(row.tab) ?? []), row]);
  return grouped;
}

function grouped<Row extends OfTable>(found: readonly Row[]): Map<string, Row[]> {
  const named = new Map<string, Row[]>();
  for (const row of found) named.set(row.name, [...(named.get(row.name) ?? []), row]);
  return named;
}

function unfitness({ type, engine }: TableRow): string | undefined {
  if (type === 'SYSTEM VERSIONED')
    return 'is system-versioned: every restore would write into its history, and the history of one tenant cannot be put back';
  // A sequence's own engine never stands behind a table with rows of tenants.
  if (!isTransactional({ engine }) || engine?.toLowerCase() === 'sequence')
    return `has the engine ${engine ?? 'of an unknown name'}, which cannot take back what a restore has begun; ALTER it to InnoDB`;
  return undefined;
}

function columnOf({ name, type, nullable, extra, value, charset, base }: ColumnRow): CatalogColumn {
  const { as } = kindOf(base, charset);
  return {
    name,
    // Bytes of a character set mean nothing without it.
    type: as === 'hex' && charset !== null ? `${type} character set ${charset}` : type,
    nullable: nullable === 'YES',
    generated: /\b(virtual|stored|persistent) generated\b/i.test(extra),
    hasDefault: value !== null || /auto_increment|default_generated/i.test(extra),
  };
}

/** Columns by which rows are found: up to an expression, or to a column of which only the beginning is in it. */
function leading(index: readonly IndexRow[]): string[][] {
  if (!['BTREE', 'HASH'].includes(index[0]!.type.toUpperCase())) return [];
  const names: string[] = [];
  for (const { col, part } of index) {
    if (col === null) break;
    names.push(col);
    if (part !== null) break;
  }
  return names.length > 0 ? [names] : [];
}

function keyPart({ col, part }: IndexRow): string {
  return `${q(col!)}${part === null ? '' : `(${Number(part)})`}`;
}

function unique(index: readonly IndexRow[]): string[][] {
  if (Number(index[0]!.plural) !== 0 || index.some(({ col }) => col === null)) return [];
  return [index.map(({ col }) => col!)];
}

function foreignKeysOf(found: readonly KeyRow[], rules: readonly RuleRow[], database: string): ForeignKey[] {
  return [...grouped(found).entries()].map(([name, parts]) => {
    const { tab, todb, totab } = parts[0]!;
    const rule = rules.find((each) => each.name === name)?.rule;
    if (rule === undefined)
      throw new OperationError(
        `the server does not say what the foreign key ${name} of table ${tab} does on delete; was it dropped just now? run again`,
      );
    return {
      name,
      columns: parts.map(({ col }) => col),
      to: { schema: todb === database ? DEFAULT_SCHEMA : todb, table: totab },
      toColumns: parts.map(({ tocol }) => tocol),
      onDelete: rule.toLowerCase() as ForeignKey['onDelete'],
      deferrable: false,
    };
  });
}
