import { PutObjectCommand } from '@aws-sdk/client-s3';
import { s3Client } from '../archive/s3-client.js';
import { explainS3 } from '../archive/s3-errors.js';
import { readJson, type TenantItem } from '../aws/map-results.js';
import { serverLogin } from '../aws/server-login.js';
import { readSettings, type Settings } from '../aws/settings.js';
import { logger, measure } from '../aws/telemetry.js';
import { readTenancy } from '../aws/tenancy.js';
import type { Engine, SizesRequest } from '../engine/engine.js';
import { engineFor } from '../engine/engines.js';
import { describeServer, type ServerAddress } from '../engine/server.js';
import { InputError, OperationError, reasonOf } from '../errors.js';

const runName = /^[A-Za-z0-9_-]{1,80}$/;

/** Writes the list of tenants that the Map goes through: ten thousand tenants are data, not resources. */
export async function handler(event: { readonly run?: unknown }) {
  const run = event?.run;
  if (typeof run !== 'string' || !runName.test(run)) {
    throw new InputError(`"run" must be the name of an execution, got ${JSON.stringify(run)}`);
  }
  const settings = readSettings();
  const server = await serverLogin(settings);
  const engine = await engineFor(server);
  const found = await findTenants(settings, server, engine);
  const tenants = settings.measureSizes ? await measured(settings, server, engine, found) : found;
  measure(settings.regime, [{ name: 'TenantsDiscovered', value: tenants.length }]);
  const key = `runs/${run}/tenants.json`;
  const body = JSON.stringify(tenants);
  await s3Client({ region: settings.region })
    .send(
      new PutObjectCommand({
        Bucket: settings.bucket,
        Key: key,
        Body: body,
        ContentType: 'application/json',
        ChecksumAlgorithm: 'SHA256',
      }),
    )
    .catch((error) => {
      throw explainS3(error, `writing ${key}`, `s3://${settings.bucket}`);
    });
  logger.info('tenants discovered', { run, count: tenants.length });
  return { bucket: settings.bucket, key, count: tenants.length };
}

/** Nothing found is nothing backed up: a changed naming scheme must ring, not pass. */
async function findTenants(
  settings: Settings,
  server: ServerAddress,
  engine: Engine,
): Promise<readonly TenantItem[]> {
  const { tenantPattern: pattern, tenantList: list, tenancy, database } = settings;
  if (list)
    return (await readJson(s3Client({ region: settings.region }), list.bucket, list.key)) as TenantItem[];
  const where = describeServer(server);
  if (tenancy !== undefined) {
    if (!engine.tenants || database === undefined)
      throw new OperationError(`${engine.name} cannot list the tenants that share a database on ${where}`);
    const of =
      tenancy === 'rows'
        ? { tenancy, description: await readTenancy(settings) }
        : { tenancy, pattern: pattern ?? '%' };
    const tenants = await engine.tenants({ server, database, of });
    if (tenants.length > 0) return tenants.map((tenant) => ({ tenant, database }));
    throw new OperationError(
      `database ${JSON.stringify(database)} on ${where} has no tenant${of.tenancy === 'schema' ? ` whose schema is like '${of.pattern}'` : ''}; correct the source of the tenants or the rights of the user`,
    );
  }
  if (pattern === undefined)
    throw new OperationError(
      'SOVEREIGN_TENANT_PATTERN is not set: which databases are tenants? The TenantBackups construct sets it, so deploy it again',
    );
  const databases = await engine.databases(server, pattern);
  if (databases.length > 0) return databases.map((name) => ({ tenant: name, database: name }));
  throw new OperationError(
    `no database on ${where} is like '${pattern}'; correct the pattern of the tenants' databases or the rights of the user`,
  );
}

/**
 * With about how large each of them is, where the engine can tell. Whose size is not known is worked on all the same: by
 * the function first, and by a task where its time does not do.
 */
async function measured(
  settings: Settings,
  server: ServerAddress,
  engine: Engine,
  tenants: readonly TenantItem[],
): Promise<readonly TenantItem[]> {
  const { tenancy, database } = settings;
  // Of the rows of one tenant among others nobody knows what they take.
  if (!engine.sizes || tenancy === 'rows') return tenants;
  const nameOf = (item: TenantItem) => (tenancy === 'schema' ? item.tenant : item.database);
  const names = tenants.map(nameOf);
  const of: SizesRequest['of'] =
    tenancy === 'schema' ? { database: database ?? '', schemas: names } : { databases: names };
  try {
    const sizes = await engine.sizes({ server, of });
    return tenants.map((item) => {
      const bytes = sizes.get(nameOf(item));
      return bytes === undefined ? item : { ...item, bytes };
    });
  } catch (error) {
    logger.warn('the sizes of the tenants could not be told', { cause: reasonOf(error) });
    return tenants;
  }
}
