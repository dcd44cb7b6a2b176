import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { AwsCredentialIdentity } from '@aws-sdk/types';
import type { RenewableCredentials } from '../archive/s3-client.js';
import { tenantKey } from '../archive/tenant-key.js';
import { InputError, OperationError } from '../errors.js';

/** A session that came from another session, as a function's is, lasts an hour at most. */
const sessionSeconds = 3600;
/** Fetched anew so long before its end that no call under way loses it. */
const renewBefore = 10 * 60 * 1000;
const longestTag = 256;

/**
 * Credentials that reach one tenant: a session of the tenant role with the tag `tenant`, on which its policies and the
 * key's depend. A dump that takes longer than a session goes on with the next one.
 */
export function tenantCredentials(roleArn: string, tenant: string, region: string): RenewableCredentials {
  const tag = tenantKey(tenant);
  if (tag.length > longestTag) {
    throw new InputError(
      `the tenant's name ${JSON.stringify(tenant)} takes ${tag.length} characters as a session tag; ${longestTag} are allowed`,
    );
  }
  const client = new STSClient({ region, retryMode: 'adaptive', maxAttempts: 8 });
  let session: Promise<AwsCredentialIdentity> | undefined;
  let until = 0;

  async function assume(): Promise<AwsCredentialIdentity> {
    const answer = await client
      .send(
        new AssumeRoleCommand({
          RoleArn: roleArn,
          // Appears in CloudTrail; the tag beside it has the whole name.
          RoleSessionName: `tenant-${tag}`.slice(0, 64),
          DurationSeconds: sessionSeconds,
          Tags: [{ Key: 'tenant', Value: tag }],
        }),
      )
      .catch((error: Error) => {
        throw new OperationError(
          `the tenant role ${roleArn} could not be assumed (${error.name}: ${error.message}); its trust policy must let the function's role do sts:AssumeRole and sts:TagSession`,
          { cause: error },
        );
      });
    const given = answer.Credentials;
    if (!given?.AccessKeyId || !given.SecretAccessKey) {
      throw new OperationError(`STS gave no credentials for the tenant role ${roleArn}`);
    }
    until = (given.Expiration?.getTime() ?? Date.now() + sessionSeconds * 1000) - renewBefore;
    return {
      accessKeyId: given.AccessKeyId,
      secretAccessKey: given.SecretAccessKey,
      ...(given.SessionToken ? { sessionToken: given.SessionToken } : {}),
      ...(given.Expiration ? { expiration: given.Expiration } : {}),
    };
  }

  return {
    provide: () => {
      if (!session || Date.now() >= until) {
        until = Number.POSITIVE_INFINITY;
        const asked = assume();
        session = asked;
        // A failed attempt must not be what every later call gets.
        asked.catch(() => {
          if (session === asked) session = undefined;
        });
      }
      return session;
    },
    renew: () => {
      session = undefined;
    },
  };
}
