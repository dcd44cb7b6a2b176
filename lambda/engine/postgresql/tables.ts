import pg from 'pg';
import type { TableRows } from '../engine.js';

/**
 * Every table that holds rows of its own: ordinary tables and partitions; not their partitioned parents, not foreign
 * tables, not materialized views (computed anew), and not what belongs to an extension.
 */
export const OWN_TABLES = `
  select n.nspname as schema, c.relname as name
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and c.relpersistence in ('p', 'u')
    and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and not (c.relpersistence = 'u' and pg_catalog.pg_is_in_recovery())
    and not exists (select from pg_catalog.pg_depend d
      where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e')
  order by 1, 2`;

/** Rows of every table in the session's snapshot, and the number of large objects where there are any. */
export async function countRows(client: pg.Client, alive: () => void = () => {}): Promise<TableRows[]> {
  const tables: TableRows[] = [];
  const { rows } = await client.query<{ schema: string; name: string }>(OWN_TABLES);
  for (const { schema, name } of rows) {
    alive();
    const table = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
    const counted = await client.query<{ rows: string }>(`select count(*) as rows from only ${table}`);
    tables.push({ schema, name, rows: Number(counted.rows[0]!.rows) });
  }
  const large = await client.query<{ rows: string }>(
    'select count(*) as rows from pg_catalog.pg_largeobject_metadata',
  );
  const objects = Number(large.rows[0]!.rows);
  if (objects > 0) tables.push({ schema: 'pg_catalog', name: 'pg_largeobject_metadata', rows: objects });
  return tables;
}

/** Where two counts differ, in words; empty when they agree. */
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
  }
  for (const { schema, name } of rest.values()) found.push(`${schema}.${name} was not in the dump`);
  return found;
}
