import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { TENANCIES, type Tenancy, type TenantScope } from '../../lambda/engine/engine.js';
import { reasonOf } from '../../lambda/errors.js';
import type { TenancyDescription } from '../../lambda/tenancy/description.js';
import { UsageError } from '../errors.js';

export interface ScopeOptions {
  readonly tenancy?: string;
  readonly schema?: string;
  readonly outside?: string;
  readonly tenantValue?: string;
  readonly tenancyFile?: string;
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
      '--tenancy-file <file>',
      'whose the rows of shared tables are, as `tenancy infer` writes it; means --tenancy rows',
    )
    .option(
      '--tenant-value <value>',
      "what stands in the tenant column, where that is not the tenant's name",
    );
}

/** Of a dump alone: an archive says itself what it needs. */
export function withOutside(command: Command): Command {
  return command.option(
    '--outside <what>',
    "objects of other schemas that the tenant's needs: `refuse` the dump (default), or `require` them of the restore",
  );
}

/** What the options say; undefined where they say nothing. */
export async function readScope(options: ScopeOptions, tenant: string): Promise<TenantScope | undefined> {
  const { schema, outside, tenantValue, tenancyFile } = options;
  const rows = tenantValue !== undefined || tenancyFile !== undefined;
  const tenancy = options.tenancy ?? (schema !== undefined ? 'schema' : rows ? 'rows' : undefined);
  if (tenancy === undefined) return undefined;
  if (!TENANCIES.includes(tenancy as Tenancy))
    throw new UsageError(`--tenancy is ${JSON.stringify(tenancy)}; known are ${TENANCIES.join(', ')}`);
  if (schema !== undefined && tenancy !== 'schema')
    throw new UsageError(`--schema goes with --tenancy schema, and --tenancy is ${tenancy}`);
  if (tenantValue !== undefined && tenancy !== 'rows')
    throw new UsageError(`--tenant-value goes with --tenancy rows, and --tenancy is ${tenancy}`);
  if (tenancyFile !== undefined && tenancy !== 'rows')
    throw new UsageError(`--tenancy-file goes with --tenancy rows, and --tenancy is ${tenancy}`);
  if (outside !== undefined && tenancy !== 'schema')
    throw new UsageError(`--outside goes with --tenancy schema, and --tenancy is ${tenancy}`);
  if (outside !== undefined && outside !== 'refuse' && outside !== 'require')
    throw new UsageError(`--outside is ${JSON.stringify(outside)}; known are refuse, require`);
  if (tenancy === 'schema')
    return { tenancy, schema: schema ?? tenant, ...(outside === undefined ? {} : { outside }) };
  if (tenancy === 'rows')
    return {
      tenancy,
      value: tenantValue ?? tenant,
      ...(tenancyFile === undefined ? {} : { description: await readTenancyFile(tenancyFile) }),
    };
  return { tenancy: 'database' };
}

export async function readTenancyFile(file: string): Promise<TenancyDescription> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(
      `the tenancy description ${JSON.stringify(file)} cannot be read: ${reasonOf(error)}`,
    );
  }
  const { readDescription } = await import('../../lambda/tenancy/read.js');
  return readDescription(text, file);
}
