import { HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { explainS3, isDenied, isMissing, statusOf } from './s3-errors.js';
import { contentOf } from './s3-upload.js';
import type { ObjectDigest } from './store.js';

interface Place {
  readonly client: S3Client;
  readonly bucket: string;
  readonly key: string;
  readonly location: string;
}

/** One small question. What was sent in parts has a checksum of checksums, which says nothing of the whole. */
export async function readDigest({ client, bucket, key, location }: Place): Promise<ObjectDigest> {
  try {
    const head = await client.send(
      new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' }),
    );
    // Not every service says that it is one of parts.
    const inParts = head.ChecksumType === 'COMPOSITE' || /-\d+"?$/.test(head.ETag ?? '');
    const whole = !inParts && /^[A-Za-z0-9+/]{43}=$/.test(head.ChecksumSHA256 ?? '');
    const sha256 = whole
      ? Buffer.from(head.ChecksumSHA256!, 'base64').toString('hex')
      : contentOf(head.Metadata);
    return {
      ...(sha256 === undefined ? {} : { sha256 }),
      ...(head.ETag === undefined ? {} : { etag: head.ETag }),
    };
  } catch (error) {
    // Who may not ask, and a service that knows no checksums, are told nothing.
    if (isMissing(error) || isDenied(error) || statusOf(error) === 400 || statusOf(error) === 501) return {};
    throw explainS3(error, `asking for the checksum of ${key}`, location);
  }
}
