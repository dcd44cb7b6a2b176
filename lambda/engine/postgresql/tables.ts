import pg from 'pg';
import type { TableRows } from '../engine.js';
import { type Column, checksumSql } from './checksums.js';

export interface OwnTable {
  readonly schema: string;
  readonly name: string;
  /** Without generated columns, which are computed anew. By name, because a restored table may have another order. */
  readonly columns: readonly Column[];
}

/**
 * Every table that holds rows of its own: ordinary tables and partitions; not their partitioned parents, not foreign
 * tables, not materialized views (computed anew), and not what belongs to an extension.
 */
export const OWN_TABLES = `
  select n.nspname as schema, c.relname as name,
    (select coalesce(jsonb_agg(jsonb_build_object('name', a.attname,
         'type', case when t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace then t.typname end)
         order by a.attname collate "C"), '[]')
       from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
       where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and c.relpersistence in ('p', 'u')
    and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and not (c.relpersistence = 'u' and pg_catalog.pg_is_in_recovery())
    and not exists (select from pg_catalog.pg_depend d
      where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e')
  order by 1, 2`;

export async function ownTables(client: pg.Client): Promise<OwnTable[]> {
  return (await client.query<OwnTable>(OWN_TABLES)).rows;
}

/** How much is said of each table: its rows' number, or also a checksum of their content. */
export type Depth = 'rows' | 'content';

export async function countTable(client: pg.Client, table: OwnTable, depth: Depth): Promise<TableRows> {
  const { schema, name } = table;
  const checksum = depth === 'content' ? `, ${checksumSql(table.columns)} as checksum` : '';
  const { rows } = await client.query<{ rows: string; checksum?: string }>(
    `select count(*) as rows${checksum} from only ${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`,
  );
  const [counted] = rows;
  return {
    schema,
    name,
    rows: Number(counted!.rows),
    ...(counted!.checksum === undefined ? {} : { checksum: counted!.checksum }),
  };
}

/** The number of large objects, where there are any: a dump has them all, and they are no table of the tenant's. */
export async function countLargeObjects(client: pg.Client): Promise<TableRows[]> {
  const large = await client.query<{ rows: string }>(
    'select count(*) as rows from pg_catalog.pg_largeobject_metadata',
  );
  const rows = Number(large.rows[0]!.rows);
  return rows === 0 ? [] : [{ schema: 'pg_catalog', name: 'pg_largeobject_metadata', rows }];
}

/** Every table in the session's snapshot. */
export async function countTables(
  client: pg.Client,
  depth: Depth,
  alive: () => void = () => {},
  /** Only this schema, and no large objects, which belong to none. */
  only?: string,
): Promise<TableRows[]> {
  const counted: TableRows[] = [];
  for (const table of await ownTables(client)) {
    if (only !== undefined && table.schema !== only) continue;
    alive();
    counted.push(await countTable(client, table, depth));
  }
  if (only !== undefined) return counted;
  return [...counted, ...(await countLargeObjects(client))];
}

/** Where two counts differ, in words; empty when they agree. Checksums count where both have them. */
export function differences(expected: readonly TableRows[], got: readonly TableRows[]): string[] {
  const key = ({ schema, name }: TableRows) => JSON.stringify([schema, name]);
  const rest = new Map(got.map((table) => [key(table), table]));
  const found: string[] = [];
  for (const table of expected) {
    const other = rest.get(key(table));
    rest.delete(key(table));
    const name = `${table.schema}.${table.name}`;
    if (!other) found.push(`${name} is missing`);
    else if (other.rows !== table.rows) found.push(`${name} has ${other.rows} rows instead of ${table.rows}`);
    else if ((other.checksum ?? table.checksum) !== (table.checksum ?? other.checksum))
      found.push(`${name} has the right number of rows, but their content is another`);
  }
  for (const { schema, name } of rest.values()) found.push(`${schema}.${name} was not in the dump`);
  return found;
}
