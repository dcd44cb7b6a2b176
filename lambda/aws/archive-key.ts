import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import type { ArchiveKey } from '../archive/key.js';
import { explainKms, kmsKey } from '../archive/kms-key.js';
import { askedEachTime, type RenewableCredentials } from '../archive/s3-client.js';
import { InputError, OperationError } from '../errors.js';
import type { Settings } from './settings.js';
import { tenantKeyAlias } from './tenant-keys.js';

/**
 * The regime's key, or the tenant's own by its alias. An alias can be pointed elsewhere, but only to a key that the
 * tenant role may use: one that is tagged with this tenant.
 */
export async function archiveKey(
  settings: Settings,
  tenant: string,
  credentials: RenewableCredentials | undefined,
): Promise<ArchiveKey> {
  const own = credentials ? { credentials } : {};
  if (!settings.keyPerTenant) return kmsKey({ arn: settings.keyArn, ...own });
  const client = new KMSClient({
    region: settings.region,
    ...(credentials ? { credentials: askedEachTime(credentials) } : {}),
    retryMode: 'adaptive',
    maxAttempts: 8,
  });
  const alias = tenantKeyAlias(settings.regime, tenant);
  const answer = await client.send(new DescribeKeyCommand({ KeyId: alias })).catch((error) => {
    if ((error as Error).name === 'NotFoundException')
      throw new InputError(
        `there is no key ${alias}: the tenant has no archives under a key of its own, or was erased`,
      );
    throw explainKms(error, alias);
  });
  const arn = answer.KeyMetadata?.Arn;
  if (!arn) throw new OperationError(`KMS described ${alias} without its ARN`);
  const prefix = arn.slice(0, arn.lastIndexOf('/') + 1);
  return {
    ...kmsKey({ arn, ...own }),
    // Former keys of the tenant; that an archive names one does not give the right to use it.
    other: (id) => (id.startsWith(prefix) ? kmsKey({ arn: id, ...own }) : undefined),
  };
}
