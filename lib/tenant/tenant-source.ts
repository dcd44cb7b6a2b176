import { DeclarationError } from '../errors';
import type { DatabaseServer } from './database-server';

/** One tenant of a fixed list. */
export interface ListedTenant {
  /** The tenant's name. */
  readonly tenant: string;

  /**
   * Its database.
   *
   * @default - the tenant's name
   */
  readonly database?: string;
}

/**
 * Which tenants there are. Tenants are data, not resources: however many there are, the template stays the same size.
 */
export class TenantSource {
  /**
   * Every database of the server whose name matches, found anew in each run.
   *
   * @param server where to look
   * @param pattern a SQL LIKE pattern, as in `tenant\_%`: `%` is anything, `_` any one character, a backslash takes
   * them literally
   */
  public static discover(server: DatabaseServer, pattern: string): TenantSource {
    if (pattern.trim() === '') {
      throw new DeclarationError("TenantSource.discover: the pattern is empty, write '%' for every database");
    }
    return new TenantSource(server, pattern);
  }

  /**
   * These tenants and no others. Who is not on the list is not backed up: prefer `discover`.
   *
   * @param server where their databases are
   * @param tenants each once
   */
  public static list(server: DatabaseServer, tenants: ListedTenant[]): TenantSource {
    const names = tenants.map(({ tenant }) => tenant);
    const twice = names.filter((name, index) => names.indexOf(name) !== index);
    if (tenants.length === 0) throw new DeclarationError('TenantSource.list: no tenants, name at least one');
    if (twice.length > 0) {
      throw new DeclarationError(
        `TenantSource.list: named more than once: ${[...new Set(twice)].join(', ')}`,
      );
    }
    if (names.some((name) => name === ''))
      throw new DeclarationError('TenantSource.list: a tenant has no name');
    return new TenantSource(server, undefined, tenants);
  }

  /**
   * Every schema of one database whose name matches, found anew in each run. The tenant's name is the schema's.
   *
   * @param server where to look
   * @param database the database that the tenants share
   * @param pattern a SQL LIKE pattern, as in `discover`
   */
  public static schemas(server: DatabaseServer, database: string, pattern: string): TenantSource {
    if (database === '') throw new DeclarationError('TenantSource.schemas: the database has no name');
    if (pattern.trim() === '') {
      throw new DeclarationError("TenantSource.schemas: the pattern is empty, write '%' for every schema");
    }
    return new TenantSource(server, pattern, undefined, { tenancy: 'schema', database });
  }

  /**
   * Every tenant of tables that they share, found anew in each run. The tenant's name is what stands in the tenant
   * column.
   *
   * @param server where to look
   * @param database the database that the tenants share
   * @param tenancyFile path of the description of whose the rows are, as `sovereign-backup tenancy infer` writes it
   */
  public static rows(server: DatabaseServer, database: string, tenancyFile: string): TenantSource {
    if (database === '') throw new DeclarationError('TenantSource.rows: the database has no name');
    if (tenancyFile === '') throw new DeclarationError('TenantSource.rows: name the tenancy description');
    return new TenantSource(server, undefined, undefined, { tenancy: 'rows', database, tenancyFile });
  }

  /** The server that holds the databases. */
  public readonly server: DatabaseServer;

  /** The pattern of a source that discovers. */
  public readonly pattern?: string;

  /** The tenants of a fixed list. */
  public readonly tenants?: ListedTenant[];

  /** What a tenant is, where it is not a database: `schema` or `rows`. */
  public readonly tenancy?: string;

  /** The database that the tenants share. */
  public readonly database?: string;

  /** The description of whose the rows are, of a source of rows. */
  public readonly tenancyFile?: string;

  private constructor(
    server: DatabaseServer,
    pattern?: string,
    tenants?: ListedTenant[],
    shared: { readonly tenancy?: string; readonly database?: string; readonly tenancyFile?: string } = {},
  ) {
    this.server = server;
    this.pattern = pattern;
    this.tenants = tenants;
    this.tenancy = shared.tenancy;
    this.database = shared.database;
    this.tenancyFile = shared.tenancyFile;
  }
}
