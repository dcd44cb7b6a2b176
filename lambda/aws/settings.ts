import type { RetentionPolicy } from '../archive/retention.js';
import type { DumpOptions } from '../engine/dump-options.js';
import { OperationError } from '../errors.js';

/** What the constructs tell the functions, by environment variables. */
export interface Settings {
  readonly regime: string;
  readonly region: string;
  readonly bucket: string;
  /** Before every archive's path: `archives/`. */
  readonly prefix: string;
  /** Of the regime's key; not set where each tenant has its own. */
  readonly keyArn: string;
  /** Each tenant has a key of its own, found by its alias. */
  readonly keyPerTenant: boolean;
  /** Noted in manifests. */
  readonly retention?: RetentionPolicy;
  /** Further stores that every dump goes to. */
  readonly externalStores: readonly ExternalStore[];
  /** `postgres://user@host:5432`, never with a password. */
  readonly server: string;
  /** A read replica to dump from; logged in to as the server is. */
  readonly replica?: string;
  /** How dumps are taken. */
  readonly dump: DumpOptions;
  /** Of the secret with the login; without it none is needed, or `iam` is used. */
  readonly secretArn?: string;
  /** `iam`: log in with a token that is made from the function's role instead of a password. */
  readonly login: 'password' | 'iam';
  /** Certificates by which the server's own is judged; `system` for those that the operating system trusts. */
  readonly caFile?: string;
  /** The role whose session, tagged with the tenant, does all that concerns archives. */
  readonly tenantRoleArn?: string;
  /** SQL LIKE pattern of the tenants' databases. */
  readonly tenantPattern?: string;
  /** Where the tenants are listed, if they are not looked for. */
  readonly tenantList?: { readonly bucket: string; readonly key: string };
  /** Tenants are told apart by their size. */
  readonly measureSizes: boolean;
  /** Where tenants share a database: what each of them is in it, and the database. */
  readonly tenancy?: 'schema' | 'rows';
  readonly database?: string;
  /** Of tenancy `rows`: where the description lies. */
  readonly tenancyFile?: { readonly bucket: string; readonly key: string };
}

/** A store at another provider: its URL, and the secret with its credentials and the key of archives there. */
export interface ExternalStore {
  readonly url: string;
  readonly secretArn: string;
}

export function readSettings(environment: NodeJS.ProcessEnv = process.env): Settings {
  const missing: string[] = [];
  const required = (name: string): string => {
    const value = environment[name];
    if (!value) missing.push(name);
    return value ?? '';
  };
  const perTenant = environment.SOVEREIGN_TENANT_KEYS === 'per-tenant';
  const settings = {
    regime: required('SOVEREIGN_REGIME'),
    region: required('AWS_REGION'),
    bucket: required('SOVEREIGN_BUCKET'),
    prefix: environment.SOVEREIGN_PREFIX ?? 'archives/',
    keyArn: perTenant ? '' : required('SOVEREIGN_KEY_ARN'),
    keyPerTenant: perTenant,
    measureSizes: environment.SOVEREIGN_MEASURE_SIZES === 'true',
    externalStores: JSON.parse(environment.SOVEREIGN_EXTERNAL_STORES ?? '[]') as ExternalStore[],
    server: required('SOVEREIGN_SERVER'),
    ...given('replica', environment.SOVEREIGN_REPLICA),
    dump: JSON.parse(environment.SOVEREIGN_DUMP ?? '{}') as DumpOptions,
    login: environment.SOVEREIGN_DB_AUTH === 'iam' ? ('iam' as const) : ('password' as const),
    ...(environment.SOVEREIGN_RETENTION
      ? { retention: JSON.parse(environment.SOVEREIGN_RETENTION) as RetentionPolicy }
      : {}),
    ...given('secretArn', environment.SOVEREIGN_SECRET_ARN),
    ...given('caFile', environment.SOVEREIGN_CA_FILE),
    ...given('tenantRoleArn', environment.SOVEREIGN_TENANT_ROLE_ARN),
    ...given('tenantPattern', environment.SOVEREIGN_TENANT_PATTERN),
    ...placed('tenantList', environment.SOVEREIGN_LIST_BUCKET, environment.SOVEREIGN_LIST_KEY),
    ...shared(environment),
  };
  if (missing.length > 0) {
    throw new OperationError(
      `the function's environment lacks ${missing.join(', ')}; the TenantBackups construct sets them, so deploy it again`,
    );
  }
  return settings;
}

function given<Name extends string>(
  name: Name,
  value: string | undefined,
): { readonly [N in Name]?: string } {
  return value ? ({ [name]: value } as { readonly [N in Name]?: string }) : {};
}

function shared(environment: NodeJS.ProcessEnv): Pick<Settings, 'tenancy' | 'database' | 'tenancyFile'> {
  const tenancy = environment.SOVEREIGN_TENANCY;
  if (tenancy !== 'schema' && tenancy !== 'rows') return {};
  return {
    tenancy,
    ...given('database', environment.SOVEREIGN_DATABASE),
    ...placed('tenancyFile', environment.SOVEREIGN_TENANCY_BUCKET, environment.SOVEREIGN_TENANCY_KEY),
  };
}

/** An object that was deployed with the functions. */
function placed<Name extends 'tenantList' | 'tenancyFile'>(
  name: Name,
  bucket: string | undefined,
  key: string | undefined,
): Pick<Settings, Name> {
  return (bucket && key ? { [name]: { bucket, key } } : {}) as Pick<Settings, Name>;
}
