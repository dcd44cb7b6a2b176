import { KMSClient } from '@aws-sdk/client-kms';
import { logger } from '../aws/telemetry.js';
import { ensureTenantKey } from '../aws/tenant-keys.js';
import { InputError } from '../errors.js';

/**
 * The only function that may make keys, and it reaches neither archives nor databases. Asked before a tenant's dump;
 * with `renew`, by an operator.
 */
export async function handler(event: { readonly tenant?: unknown; readonly renew?: unknown }) {
  const { tenant, renew = false } = event ?? {};
  if (typeof tenant !== 'string' || typeof renew !== 'boolean')
    throw new InputError(
      `the event must be like {"tenant":"acme","renew":false}, got ${JSON.stringify(event)}`,
    );
  const regime = process.env.SOVEREIGN_REGIME ?? '';
  if (!regime) throw new InputError('SOVEREIGN_REGIME is not set; the TenantBackups construct sets it');
  const client = new KMSClient({ retryMode: 'adaptive', maxAttempts: 8 });
  const result = await ensureTenantKey(client, { regime, tenant, renew });
  if (result.made) logger.info('key made', { tenant, ...result, renew });
  return result;
}
