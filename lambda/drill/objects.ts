import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import {
  GetObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ObjectVersion,
  S3Client,
} from '@aws-sdk/client-s3';
import { nameIn, type Restored, ValidationFailure, type Validator } from './validator.js';

export interface ObjectsSettings {
  /** How many objects are read whole. */
  readonly sample: number;
  /** Fewer objects than this is a failure. */
  readonly minimumObjects: number;
  /** Whether the sample is compared with the bucket that was backed up. */
  readonly compareWithSource: boolean;
}

interface Listed {
  readonly key: string;
  readonly size: number;
}

/** At most this many keys are listed to draw the sample from: enough to be random, and bounded in huge buckets. */
const LISTED_AT_MOST = 50_000;

/**
 * A sample of the restored objects can be read whole, and has the SHA-256 of the version that the source bucket had
 * when the recovery point was taken.
 */
export const objects: Validator<ObjectsSettings> = async (restored, settings, run) => {
  const s3 = new S3Client();
  const bucket = nameIn(restored.arn);
  const listed = await list(s3, bucket, Math.max(LISTED_AT_MOST, settings.minimumObjects));
  if (listed.length < settings.minimumObjects) {
    throw new ValidationFailure(
      `bucket ${bucket} has ${listed.length} objects, at least ${settings.minimumObjects} are expected`,
    );
  }
  const sample = drawn(listed, settings.sample);
  let compared = 0;
  let read = 0;
  for (const object of sample) {
    if (Date.now() > run.deadline) break;
    if (await matches(s3, bucket, object, settings.compareWithSource ? restored : undefined)) compared += 1;
    read += 1;
  }
  if (read < sample.length) {
    throw new ValidationFailure(
      `time for ${read} of ${sample.length} objects only: ask for a smaller sample`,
    );
  }
  if (settings.compareWithSource && sample.length > 0 && compared === 0) {
    throw new ValidationFailure(
      `none of ${sample.length} objects has a version in the source bucket from before the recovery point`,
    );
  }
  return `${read} of ${listed.length} objects read whole, ${compared} of them equal to their source by SHA-256`;
};

async function list(s3: S3Client, bucket: string, atMost: number): Promise<Listed[]> {
  const found: Listed[] = [];
  let token: string | undefined;
  do {
    const page = await s3.send(new ListObjectsV2Command({ Bucket: bucket, ContinuationToken: token }));
    for (const { Key, Size } of page.Contents ?? []) found.push({ key: Key!, size: Size ?? 0 });
    token = page.NextContinuationToken;
  } while (token && found.length < atMost);
  return found;
}

/** A random sample without repetition. */
function drawn(listed: Listed[], count: number): Listed[] {
  const pool = [...listed];
  const taken = Math.min(count, pool.length);
  for (let index = 0; index < taken; index++) {
    const other = index + Math.floor(Math.random() * (pool.length - index));
    [pool[index], pool[other]] = [pool[other]!, pool[index]!];
  }
  return pool.slice(0, taken);
}

/** Reads the object whole; true when it was also compared, false when the source no longer has that version. */
async function matches(s3: S3Client, bucket: string, object: Listed, source?: Restored): Promise<boolean> {
  const restored = await hashOf(s3, bucket, object.key);
  if (restored.bytes !== object.size) {
    throw new ValidationFailure(
      `object ${object.key}: ${restored.bytes} of ${object.size} bytes could be read`,
    );
  }
  if (!source?.sourceArn) return false;
  const sourceBucket = nameIn(source.sourceArn);
  const version = await versionAt(s3, sourceBucket, object.key, source.recoveryPointAt ?? new Date());
  if (!version) return false;
  const original = await hashOf(s3, sourceBucket, object.key, version.VersionId);
  if (original.sha256 !== restored.sha256) {
    throw new ValidationFailure(
      `object ${object.key} differs from its source: SHA-256 ${restored.sha256}, the source's ${original.sha256}`,
    );
  }
  return true;
}

async function hashOf(s3: S3Client, bucket: string, key: string, versionId?: string) {
  const { Body } = await s3.send(
    // The SDK compares the checksum that S3 keeps with the object while the bytes are read.
    new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId, ChecksumMode: 'ENABLED' }),
  );
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of Body as Readable) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** The version that was current at a time; undefined when it is gone, or was deleted by then. */
async function versionAt(s3: S3Client, bucket: string, key: string, at: Date) {
  const before: ObjectVersion[] = [];
  let keyMarker: string | undefined;
  let versionIdMarker: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectVersionsCommand({
        Bucket: bucket,
        Prefix: key,
        KeyMarker: keyMarker,
        VersionIdMarker: versionIdMarker,
      }),
    );
    const entries = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
    before.push(...entries.filter((entry) => entry.Key === key && entry.LastModified! <= at));
    // Keys come in order: once another key begins, this one has no further versions.
    const more = page.IsTruncated && page.NextKeyMarker === key;
    keyMarker = more ? page.NextKeyMarker : undefined;
    versionIdMarker = page.NextVersionIdMarker;
  } while (keyMarker);
  const current = before.sort((a, b) => b.LastModified!.getTime() - a.LastModified!.getTime())[0];
  return current && 'Size' in current ? current : undefined;
}
