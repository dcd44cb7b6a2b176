import { type TenantScope, WHOLE_DATABASE } from '../engine/engine.js';
import { InputError } from '../errors.js';
import type { Manifest } from './manifest.js';
import { checkName } from './names.js';

/** The database to work in: a tenant's own is called like it, one that is shared has to be named. */
export function databaseOf(request: {
  readonly tenant: string;
  readonly database?: string;
  readonly scope?: TenantScope;
}): { readonly database: string; readonly scope: TenantScope } {
  const { tenant, scope = WHOLE_DATABASE } = request;
  const { tenancy } = scope;
  if (request.database === undefined && tenancy !== 'database')
    throw new InputError(
      `with tenancy ${tenancy} the tenants share a database, so it must be named: give --database (in an event, "database")`,
    );
  const database = request.database ?? tenant;
  checkName(database, 'a database name');
  if (scope.tenancy === 'schema') checkName(scope.schema, 'a schema name');
  if (scope.tenancy === 'rows' && scope.value === '')
    throw new InputError(
      "the tenant column's value cannot be empty: a variable that nobody has set is, too, and the archive of a tenant would hold rows that are nobody's; " +
        "give rows of an empty value one that is not, and leave --tenant-value out where the value is the tenant's name",
    );
  if (scope.tenancy === 'rows') checkName(scope.value, "the tenant column's value");
  return { database, scope };
}

/** What an archive is of; a scope that was asked for must be the same. */
export function scopeOf(manifest: Manifest, asked?: TenantScope): TenantScope {
  const own = archived(manifest);
  if (!asked) return own;
  const name = (scope: TenantScope) =>
    scope.tenancy === 'schema'
      ? `schema ${JSON.stringify(scope.schema)}`
      : scope.tenancy === 'rows'
        ? `the rows of ${JSON.stringify(scope.value)}`
        : 'a whole database';
  if (name(asked) !== name(own))
    throw new InputError(
      `archive ${manifest.archive} is of ${name(own)}, and ${name(asked)} was asked for; the live database was not touched`,
    );
  return { ...own, ...asked };
}

function archived({ tenancy, schema, tenantValue }: Manifest): TenantScope {
  if (tenancy === 'schema') return { tenancy, schema: schema! };
  if (tenancy === 'rows') return { tenancy, value: tenantValue! };
  return WHOLE_DATABASE;
}

/** How a manifest says it. */
export function scopeFields(scope: TenantScope): Pick<Manifest, 'tenancy' | 'schema' | 'tenantValue'> {
  return {
    tenancy: scope.tenancy,
    ...(scope.tenancy === 'schema' ? { schema: scope.schema } : {}),
    ...(scope.tenancy === 'rows' ? { tenantValue: scope.value } : {}),
  };
}
