import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DescribeKeyCommand,
  EnableKeyRotationCommand,
  type KeyMetadata,
  type KMSClient,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms';
import { explainKms } from '../archive/kms-key.js';
import { checkTenant } from '../archive/names.js';
import { tenantKey } from '../archive/tenant-key.js';
import { InputError, OperationError } from '../errors.js';
import { logger } from './telemetry.js';

/** By which roles are held to their tenant's keys. */
export const TENANT_TAG = 'sovereign-tenant';
export const REGIME_TAG = 'sovereign-regime';
const LONGEST_ALIAS = 256;
const TAGS_COUNT_WITHIN = 6 * 60 * 1000;
const PAUSE = 3000;

/** An alias takes no `=`, and a tenant's key no `/`. */
export function tenantKeyAlias(regime: string, tenant: string): string {
  checkTenant(tenant);
  const alias = `alias/sovereign-backup/${regime}/${tenantKey(tenant).replaceAll('=', '/')}`;
  if (alias.length > LONGEST_ALIAS)
    throw new InputError(
      `the tenant's name is too long for the alias of a key: ${alias.length} characters, and ${LONGEST_ALIAS} are allowed`,
    );
  return alias;
}

/** Makes sure that the tenant has a key; with `renew`, gives it a new one, while old archives keep the former. */
export async function ensureTenantKey(
  client: KMSClient,
  request: { readonly regime: string; readonly tenant: string; readonly renew?: boolean },
): Promise<{ readonly key: string; readonly made: boolean }> {
  const { regime, tenant, renew = false } = request;
  const alias = tenantKeyAlias(regime, tenant);
  const found = await describe(client, alias);
  if (found && !renew) {
    if (found.KeyState !== 'Enabled')
      throw new OperationError(
        `the key of tenant ${JSON.stringify(tenant)} is ${found.KeyState}: enable it, or if the tenant was erased, take it off the list of tenants`,
      );
    return { key: found.Arn!, made: false };
  }
  const made = await create(client, regime, tenant);
  try {
    if (found) await client.send(new UpdateAliasCommand({ AliasName: alias, TargetKeyId: made.KeyId! }));
    else await client.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: made.KeyId! }));
  } catch (error) {
    // The key just made stays without a name: a right to delete keys would reach those of all tenants.
    logger.warn('a key was made that no tenant has', { tenant, key: made.Arn });
    // Another run was faster: then that key is the tenant's.
    const other = (error as Error).name === 'AlreadyExistsException' && (await describe(client, alias));
    if (other) return { key: other.Arn!, made: false };
    throw explainKms(error, alias);
  }
  return { key: made.Arn!, made: true };
}

async function create(client: KMSClient, regime: string, tenant: string): Promise<KeyMetadata> {
  try {
    const { KeyMetadata: made } = await client.send(
      new CreateKeyCommand({
        Description: `Archives of one tenant of regime ${regime}`,
        Tags: [
          { TagKey: TENANT_TAG, TagValue: tenantKey(tenant) },
          { TagKey: REGIME_TAG, TagValue: regime },
        ],
      }),
    );
    await onceTagsCount(() => client.send(new EnableKeyRotationCommand({ KeyId: made!.KeyId! })));
    return made!;
  } catch (error) {
    throw explainKms(error, `of tenant ${JSON.stringify(tenant)}`);
  }
}

/**
 * What is done with a key is allowed by its tags, here and to the worker afterwards, and KMS says that it may be five
 * minutes until tags count: to go on at once would leave a key without a name in each try.
 *
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/abac.html
 */
async function onceTagsCount(use: () => Promise<unknown>): Promise<void> {
  const until = Date.now() + TAGS_COUNT_WITHIN;
  for (;;) {
    try {
      await use();
      return;
    } catch (error) {
      const tooEarly = ['AccessDeniedException', 'NotFoundException'].includes((error as Error).name);
      if (!tooEarly || Date.now() > until) throw error;
      await sleep(PAUSE);
    }
  }
}

async function describe(client: KMSClient, alias: string): Promise<KeyMetadata | undefined> {
  try {
    return (await client.send(new DescribeKeyCommand({ KeyId: alias }))).KeyMetadata;
  } catch (error) {
    if ((error as Error).name === 'NotFoundException') return undefined;
    throw explainKms(error, alias);
  }
}
