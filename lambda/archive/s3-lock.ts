import { HeadObjectCommand, PutObjectLegalHoldCommand, type S3Client } from '@aws-sdk/client-s3';
import { explainS3, isMissing, statusOf } from './s3-errors.js';
import type { ObjectLock } from './store.js';

interface Place {
  readonly client: S3Client;
  readonly bucket: string;
  readonly key: string;
  readonly location: string;
}

/** Without s3:GetObjectRetention and s3:GetObjectLegalHold S3 leaves the answer's fields out, as if nothing were locked. */
export async function readLock({ client, bucket, key, location }: Place): Promise<ObjectLock | undefined> {
  try {
    const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    return {
      ...(head.ObjectLockRetainUntilDate ? { until: head.ObjectLockRetainUntilDate } : {}),
      legalHold: head.ObjectLockLegalHoldStatus === 'ON',
    };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw explainS3(error, `asking for the lock of ${key}`, location);
  }
}

/** False where the bucket has no object lock, or the service does not know it. */
export async function writeLegalHold(place: Place, on: boolean): Promise<boolean> {
  try {
    await place.client.send(
      new PutObjectLegalHoldCommand({
        Bucket: place.bucket,
        Key: place.key,
        LegalHold: { Status: on ? 'ON' : 'OFF' },
        ChecksumAlgorithm: 'SHA256',
      }),
    );
    return true;
  } catch (error) {
    const { name } = error as Error;
    if (isMissing(error)) return true;
    if (name === 'InvalidRequest' || name === 'NotImplemented' || statusOf(error) === 501) return false;
    throw explainS3(error, `${on ? 'holding' : 'releasing'} ${place.key}`, place.location);
  }
}
