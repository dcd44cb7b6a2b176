import { DescribeKeyCommand, KMSClient, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms';
import { InputError } from '../errors.js';
import type { ErasableKeys } from './erase-tenant.js';
import { explainKms, regionOfKey } from './kms-key.js';

/** A tenant's own key in AWS KMS, which deletes it after a waiting period in which that can be cancelled. */
export async function erasableKmsKey(arn: string, waitingDays: number): Promise<ErasableKeys> {
  if (!Number.isInteger(waitingDays) || waitingDays < 7 || waitingDays > 30)
    throw new InputError(`the waiting period is ${waitingDays} days; KMS takes 7 to 30`);
  const client = new KMSClient({ region: regionOfKey(arn), retryMode: 'adaptive', maxAttempts: 8 });
  const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId: arn })).catch((error) => {
    throw explainKms(error, arn);
  });
  const keyId = KeyMetadata?.KeyId;
  const pending = KeyMetadata?.DeletionDate;
  return {
    ids: [arn],
    method: pending
      ? 'deletion of the KMS key had been scheduled before'
      : `deletion of the KMS key scheduled with a waiting period of ${waitingDays} days`,
    async destroy() {
      if (pending) return pending;
      const answer = await client
        // KMS deletes keys of the caller's own account only, so the id says enough.
        .send(new ScheduleKeyDeletionCommand({ KeyId: keyId, PendingWindowInDays: waitingDays }))
        .catch((error) => {
          throw explainKms(error, arn);
        });
      return answer.DeletionDate ?? new Date(Date.now() + waitingDays * 24 * 60 * 60 * 1000);
    },
  };
}
