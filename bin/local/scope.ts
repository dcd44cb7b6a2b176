import type { Command } from 'commander';
import { TENANCIES, type Tenancy, type TenantScope } from '../../lambda/engine/engine.js';
import { UsageError } from '../errors.js';

export interface ScopeOptions {
  readonly tenancy?: string;
  readonly schema?: string;
  readonly tenantValue?: string;
}

export function withScope(command: Command): Command {
  return command
    .option(
      '--tenancy <kind>',
      'what the tenant is: a `database` of its own, a `schema` of a database, or `rows` of shared tables',
    )
    .option(
      '--schema <name>',
      "the tenant's schema, where its name is not the tenant's; means --tenancy schema",
    )
    .option(
      '--tenant-value <value>',
      "what stands in the tenant column, where that is not the tenant's name",
    );
}

/** What the options say; undefined where they say nothing. */
export function readScope(options: ScopeOptions, tenant: string): TenantScope | undefined {
  const { schema, tenantValue } = options;
  const tenancy =
    options.tenancy ?? (schema !== undefined ? 'schema' : tenantValue !== undefined ? 'rows' : undefined);
  if (tenancy === undefined) return undefined;
  if (!TENANCIES.includes(tenancy as Tenancy))
    throw new UsageError(`--tenancy is ${JSON.stringify(tenancy)}; known are ${TENANCIES.join(', ')}`);
  if (schema !== undefined && tenancy !== 'schema')
    throw new UsageError(`--schema goes with --tenancy schema, and --tenancy is ${tenancy}`);
  if (tenantValue !== undefined && tenancy !== 'rows')
    throw new UsageError(`--tenant-value goes with --tenancy rows, and --tenancy is ${tenancy}`);
  if (tenancy === 'schema') return { tenancy, schema: schema ?? tenant };
  if (tenancy === 'rows') return { tenancy, value: tenantValue ?? tenant };
  return { tenancy: 'database' };
}
