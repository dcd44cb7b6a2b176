import { PutObjectCommand } from '@aws-sdk/client-s3';
import { s3Client } from '../archive/s3-client.js';
import { explainS3 } from '../archive/s3-errors.js';
import type { TenantItem } from '../aws/map-results.js';
import { serverLogin } from '../aws/server-login.js';
import { readSettings } from '../aws/settings.js';
import { logger, measure } from '../aws/telemetry.js';
import { engineFor } from '../engine/engines.js';
import { describeServer } from '../engine/server.js';
import { InputError, OperationError } from '../errors.js';

const runName = /^[A-Za-z0-9_-]{1,80}$/;

/** Writes the list of tenants that the Map goes through: ten thousand tenants are data, not resources. */
export async function handler(event: { readonly run?: unknown }) {
  const run = event?.run;
  if (typeof run !== 'string' || !runName.test(run)) {
    throw new InputError(`"run" must be the name of an execution, got ${JSON.stringify(run)}`);
  }
  const settings = readSettings();
  const pattern = settings.tenantPattern;
  if (pattern === undefined) {
    throw new OperationError(
      'SOVEREIGN_TENANT_PATTERN is not set: which databases are tenants? The TenantBackups construct sets it, so deploy it again',
    );
  }
  const server = await serverLogin(settings);
  const databases = await (await engineFor(server)).databases(server, pattern);
  measure(settings.regime, [{ name: 'TenantsDiscovered', value: databases.length }]);
  if (databases.length === 0) {
    // Nothing found is nothing backed up: a changed naming scheme must ring, not pass.
    throw new OperationError(
      `no database on ${describeServer(server)} is like '${pattern}'; correct the pattern of the tenants' databases or the rights of the user`,
    );
  }
  const tenants: TenantItem[] = databases.map((database) => ({ tenant: database, database }));
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
