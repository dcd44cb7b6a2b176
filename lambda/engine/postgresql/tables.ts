import pg from 'pg';
import type { TableRows } from '../engine.js';
import type { Depth } from '../table-rows.js';
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

/**
 * Keeps every table as it is for the rest of the transaction. pg_dump lets go of its tables when it is done: whoever still
 * counts then would count what a TRUNCATE left, which no snapshot hides, and the archive could not be restored.
 */
export async function holdTables(client: pg.Client, only?: string): Promise<void> {
  const names = (await ownTables(client))
    .filter(({ schema }) => only === undefined || schema === only)
    .map(({ schema, name }) => `only ${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`);
  if (names.length > 0) await client.query(`lock table ${names.join(', ')} in access share mode`);
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
