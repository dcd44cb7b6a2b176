import pg from 'pg';
import { withSchema } from '../../tenancy/description.js';
import { misfit, planTenancy } from '../../tenancy/plan.js';
import type { TenantsRequest } from '../engine.js';
import { addressOf, connect } from './connect.js';
import { databaseName } from './names.js';
import { DEFAULT_SCHEMA, isKept, readCatalog } from './rows/catalog.js';
import { relation } from './rows/shared-rows.js';

/** The tenants that share a database: its schemas like a pattern, or the values of the tenant column. */
export async function tenants({ server, database, of }: TenantsRequest): Promise<string[]> {
  const client = await connect(addressOf(server), databaseName(database));
  try {
    if (of.tenancy === 'schema') return await schemas(client, of.pattern);
    const description = withSchema(of.description, DEFAULT_SCHEMA);
    const plan = planTenancy(description, await readCatalog(client));
    if (plan.problems.length > 0) throw misfit(plan.problems);
    const listed = description.tenants;
    const sources = listed
      ? [listed]
      : plan.tables.flatMap(({ table, belongs }) =>
          'column' in belongs ? [{ ...table, column: belongs.column }] : [],
        );
    const values = sources.map(
      ({ column, ...table }) =>
        `select distinct t.${pg.escapeIdentifier(column)}::text as name from ${relation(table)} t`,
    );
    const { rows } = await client.query<{ name: string }>(
      `select name from (${values.join(' union ')}) found where name is not null order by name collate "C"`,
    );
    return rows.map(({ name }) => name);
  } finally {
    await client.end();
  }
}

/** Without the server's own schemas, and without what restores have put aside or left. */
async function schemas(client: pg.Client, pattern: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string; note: string | null }>(
    `select nspname as name, obj_description(oid, 'pg_namespace') as note from pg_namespace
     where nspname like $1 and nspname !~ '^pg_' and nspname <> 'information_schema' order by nspname collate "C"`,
    [pattern],
  );
  return rows.filter(({ name, note }) => !isKept(name, note)).map(({ name }) => name);
}
