import { PutObjectCommand } from '@aws-sdk/client-s3';
import { s3Client } from '../archive/s3-client.js';
import { explainS3 } from '../archive/s3-errors.js';
import { readJson, type TenantItem } from '../aws/map-results.js';
import { serverLogin } from '../aws/server-login.js';
import { readSettings, type Settings } from '../aws/settings.js';
import { logger, measure } from '../aws/telemetry.js';
import { readTenancy } from '../aws/tenancy.js';
import { engineFor } from '../engine/engines.js';
import { findTenants, type TenantsOf, withSizes } from '../engine/find-tenants.js';
import { InputError, OperationError } from '../errors.js';
import type { TenancyDescription } from '../tenancy/description.js';

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
  const { tenantList: list } = settings;
  const found = list
    ? ((await readJson(s3Client({ region: settings.region }), list.bucket, list.key)) as TenantItem[])
    : await findTenants(
        engine,
        server,
        tenantsOf(settings, settings.tenancy === 'rows' ? await readTenancy(settings) : undefined),
      );
  // Whose size is not known is worked on all the same: by the function first, and by a task where its time does not do.
  const tenants = settings.measureSizes
    ? await withSizes(engine, server, { tenancy: settings.tenancy ?? 'database' }, found, (cause) =>
        logger.warn('the sizes of the tenants could not be told', { cause }),
      )
    : found;
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

/** Whom the settings mean; a fixed list is what it is, whether the server has them or not. */
function tenantsOf(settings: Settings, description: TenancyDescription | undefined): TenantsOf {
  const { tenantPattern: pattern, tenancy, database } = settings;
  if (tenancy === undefined) {
    if (pattern !== undefined) return { tenancy: 'database', pattern };
    throw new OperationError(
      'SOVEREIGN_TENANT_PATTERN is not set: which databases are tenants? The TenantBackups construct sets it, so deploy it again',
    );
  }
  if (database === undefined)
    throw new OperationError(
      'SOVEREIGN_DATABASE is not set: which database do the tenants share? The TenantBackups construct sets it, so deploy it again',
    );
  return description
    ? { tenancy: 'rows', database, description }
    : { tenancy: 'schema', database, pattern: pattern ?? '%' };
}
