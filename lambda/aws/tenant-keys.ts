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
/** So often in a row tags count for one question and not for another: then it is not the tags. */
const SURE = 10;

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
  request: {
    readonly regime: string;
    readonly tenant: string;
    readonly renew?: boolean;
    /** Milliseconds between two tries while the tags of a new key do not count yet. @default 3000 */
    readonly pause?: number;
  },
): Promise<{ readonly key: string; readonly made: boolean }> {
  const { regime, tenant, renew = false, pause = PAUSE } = request;
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
  const id = made.KeyId!;
  const onceAllowed = (action: string, use: () => Promise<unknown>) =>
    onceTagsCount(client, { key: made, action, pause }, use);
  try {
    await onceAllowed('kms:EnableKeyRotation', () =>
      client.send(new EnableKeyRotationCommand({ KeyId: id })),
    );
    const name = { AliasName: alias, TargetKeyId: id };
    if (found) await onceAllowed('kms:UpdateAlias', () => client.send(new UpdateAliasCommand(name)));
    else await onceAllowed('kms:CreateAlias', () => client.send(new CreateAliasCommand(name)));
  } catch (error) {
    // The key just made stays without a name: a right to delete keys would reach those of all tenants.
    logger.warn('a key was made that no tenant has', { tenant, key: made.Arn });
    // Another run was faster: then that key is the tenant's.
    const other = (error as Error).name === 'AlreadyExistsException' && (await describe(client, alias));
    if (other) return { key: other.Arn!, made: false };
    throw error instanceof OperationError ? error : explainKms(error, alias);
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
    return made!;
  } catch (error) {
    if (isDenied(error)) throw mayNot('kms:CreateKey with its tags (kms:TagResource)', error);
    throw explainKms(error, `of tenant ${JSON.stringify(tenant)}`);
  }
}

function isDenied(error: unknown): boolean {
  return (error as Error).name === 'AccessDeniedException';
}

function mayNot(action: string, error: unknown): OperationError {
  return new OperationError(
    `the function that makes the keys of tenants may not ${action} (${(error as Error).message}): its role has to allow it as the TenantBackups construct does, and no service control policy, permissions boundary or policy of a VPC endpoint may be in the way`,
    { cause: error },
  );
}

/**
 * What is done with a key is allowed by its tags, here and to the worker afterwards, and KMS says that it may be five
 * minutes until tags count: to go on at once would leave a key without a name in each try. A right that is missing looks
 * the same, but for the other rights that the same tags give.
 *
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/abac.html
 */
async function onceTagsCount(
  client: KMSClient,
  { key, action, pause }: { readonly key: KeyMetadata; readonly action: string; readonly pause: number },
  use: () => Promise<unknown>,
): Promise<void> {
  const until = Date.now() + TAGS_COUNT_WITHIN;
  const tagsCount = () =>
    client.send(new DescribeKeyCommand({ KeyId: key.KeyId! })).then(
      () => true,
      () => false,
    );
  for (let otherwise = 0; ; ) {
    try {
      await use();
      return;
    } catch (error) {
      const tooEarly = isDenied(error) || (error as Error).name === 'NotFoundException';
      if (!tooEarly) throw error;
      otherwise = isDenied(error) && (await tagsCount()) ? otherwise + 1 : 0;
      if (otherwise >= SURE || Date.now() > until)
        throw isDenied(error) ? mayNot(`${action} on ${key.Arn}`, error) : error;
      await sleep(pause);
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
