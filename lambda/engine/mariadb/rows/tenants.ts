import { InputError } from '../../../errors.js';
import { withSchema } from '../../../tenancy/description.js';
import { misfit, planTenancy } from '../../../tenancy/plan.js';
import type { TenantsRequest } from '../../engine.js';
import { addressOf, connect, q, rows } from '../connect.js';
import { databaseName } from '../names.js';
import { DEFAULT_SCHEMA, readTables } from './catalog.js';
import { HABITS } from './shared-rows.js';

/** The tenants that share a database: the values of the tenant column, written as a dump has to be asked for them. */
export async function tenants({ server, database, of }: TenantsRequest): Promise<string[]> {
  if (of.tenancy !== 'rows')
    throw new InputError('a schema is a database in MariaDB and MySQL; discover databases instead');
  const name = databaseName(database);
  const client = await connect(addressOf(server));
  try {
    const description = withSchema(of.description, DEFAULT_SCHEMA);
    const { tables } = await readTables(client, name);
    const plan = planTenancy(description, tables, HABITS);
    if (plan.problems.length > 0) throw misfit(plan.problems);
    const sources = description.tenants
      ? [description.tenants]
      : plan.tables.flatMap(({ table, belongs }) =>
          'column' in belongs ? [{ table: table.table, column: belongs.column }] : [],
        );
    const found = new Set<string>();
    for (const { table, column } of sources) {
      const kind = tables.find((each) => each.table === table)!.kinds[column]!;
      const text = kind.as === 'hex' ? `lower(hex(t.${q(column)}))` : `t.${q(column)}`;
      // Collations take some values for the same, so the binary ones are told apart.
      const values = await rows<{ name: string | number | null }>(
        client,
        `select distinct cast(${text} as char character set utf8mb4) collate utf8mb4_bin as name from ${q(name, table)} t`,
      );
      for (const value of values) if (value.name !== null) found.add(String(value.name));
    }
    return [...found].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  } finally {
    await client.end();
  }
}
