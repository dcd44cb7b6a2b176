import { InputError, OperationError, reasonOf } from '../errors.js';
import type { TenancyDescription } from '../tenancy/description.js';
import type { Engine, SizesRequest } from './engine.js';
import { describeServer, type ServerAddress } from './server.js';

/** Which tenants: databases like a SQL pattern, schemas of one database, or what stands in its tenant column. */
export type TenantsOf =
  | { readonly tenancy: 'database'; readonly pattern: string }
  | { readonly tenancy: 'schema'; readonly database: string; readonly pattern: string }
  | { readonly tenancy: 'rows'; readonly database: string; readonly description: TenancyDescription };

export interface FoundTenant {
  readonly tenant: string;
  readonly database: string;
  /** About so much on the server's disk, where that can be told. */
  readonly bytes?: number;
}

/** The tenants that are there now. Nothing found is an error: a changed naming scheme must ring, not pass. */
export async function findTenants(
  engine: Engine,
  server: ServerAddress,
  of: TenantsOf,
): Promise<readonly FoundTenant[]> {
  const where = describeServer(server);
  if ('pattern' in of && /(?<!\\)(\\\\)*\\$/.test(of.pattern))
    throw new InputError(
      `the pattern '${of.pattern}' ends with a backslash, which takes the character behind it literally, and there is none; for one backslash write two`,
    );
  if (of.tenancy === 'database') {
    const databases = await engine.databases(server, of.pattern);
    if (databases.length > 0) return databases.map((name) => ({ tenant: name, database: name }));
    throw new OperationError(
      `no database on ${where} is like '${of.pattern}'; correct the pattern of the tenants' databases or the rights of the user`,
    );
  }
  if (!engine.tenants)
    throw new OperationError(`${engine.name} cannot list the tenants that share a database on ${where}`);
  const { database } = of;
  const tenants = await engine.tenants({ server, database, of });
  if (tenants.length > 0) return tenants.map((tenant) => ({ tenant, database }));
  throw new OperationError(
    `database ${JSON.stringify(database)} on ${where} has no tenant${of.tenancy === 'schema' ? ` whose schema is like '${of.pattern}'` : ''}; correct the source of the tenants or the rights of the user`,
  );
}

/** With about how large each of them is, where the engine can tell; `failed` hears why it could not. */
export async function withSizes(
  engine: Engine,
  server: ServerAddress,
  of: Pick<TenantsOf, 'tenancy'>,
  tenants: readonly FoundTenant[],
  failed: (reason: string) => void,
): Promise<readonly FoundTenant[]> {
  // Of the rows of one tenant among others nobody knows what they take.
  if (!engine.sizes || of.tenancy === 'rows' || tenants.length === 0) return tenants;
  const schemas = of.tenancy === 'schema';
  const nameOf = ({ tenant, database }: FoundTenant) => (schemas ? tenant : database);
  const names = tenants.map(nameOf);
  const what: SizesRequest['of'] = schemas
    ? { database: tenants[0]!.database, schemas: names }
    : { databases: names };
  try {
    const sizes = await engine.sizes({ server, of: what });
    return tenants.map((item) => {
      const bytes = sizes.get(nameOf(item));
      return bytes === undefined ? item : { ...item, bytes };
    });
  } catch (error) {
    failed(reasonOf(error));
    return tenants;
  }
}
