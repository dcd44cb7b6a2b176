import { createHash } from 'node:crypto';
import { ListMultipartUploadsCommand, ListPartsCommand, type S3Client } from '@aws-sdk/client-s3';
import { isDenied, isMissing, statusOf } from './s3-errors.js';

interface OpenUpload {
  readonly key: string;
  readonly id: string;
  readonly initiated: Date;
}

/** Uploads that were begun under the prefix and neither completed nor given up. */
export async function* openUploads(
  client: S3Client,
  bucket: string,
  prefix: string,
): AsyncGenerator<OpenUpload, void, undefined> {
  let position: { KeyMarker?: string; UploadIdMarker?: string } = {};
  for (;;) {
    const page = await client.send(
      new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...position }),
    );
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      // Some services ignore the prefix.
      if (Key?.startsWith(prefix) && UploadId && Initiated)
        yield { key: Key, id: UploadId, initiated: Initiated };
    }
    const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page;
    // A service that names no next page of a list that it says to go on, or the same again, is not followed.
    const named = KeyMarker !== undefined || UploadIdMarker !== undefined;
    const same = KeyMarker === position.KeyMarker && UploadIdMarker === position.UploadIdMarker;
    if (!page.IsTruncated || !named || same) return;
    position = { KeyMarker, UploadIdMarker };
  }
}

/** A part that the service has, and by what it can be told whether it is ours. */
export interface SentPart {
  readonly bytes: number;
  readonly etag: string;
  readonly sha256?: string;
}

export interface InterruptedUpload {
  readonly id: string;
  readonly parts: ReadonlyMap<number, SentPart>;
}

interface UploadPlace {
  readonly client: S3Client;
  readonly bucket: string;
  readonly key: string;
}

/**
 * The upload to this key that got farthest of those that begin with this part; none where another content is under way
 * there, which is left alone. `unknown` where the credentials may not ask, or the service cannot tell.
 */
export async function findInterrupted(
  place: UploadPlace,
  first: Buffer,
): Promise<InterruptedUpload | undefined | 'unknown'> {
  const { client, bucket, key } = place;
  let farthest: InterruptedUpload | undefined;
  try {
    for await (const upload of openUploads(client, bucket, key)) {
      if (upload.key !== key) continue;
      const parts = await partsOf(place, upload.id);
      const begins = parts.get(1);
      if (!begins || !isSamePart(begins, first)) continue;
      if (!farthest || parts.size > farthest.parts.size) farthest = { id: upload.id, parts };
    }
  } catch (error) {
    if (isDenied(error) || statusOf(error) === 501) return 'unknown';
    throw error;
  }
  return farthest;
}

async function partsOf({ client, bucket, key }: UploadPlace, id: string): Promise<Map<number, SentPart>> {
  const parts = new Map<number, SentPart>();
  try {
    for (let after: string | undefined; ; ) {
      const page = await client.send(
        new ListPartsCommand({ Bucket: bucket, Key: key, UploadId: id, PartNumberMarker: after }),
      );
      for (const { PartNumber, Size, ETag, ChecksumSHA256 } of page.Parts ?? []) {
        if (PartNumber === undefined || Size === undefined || ETag === undefined) continue;
        parts.set(PartNumber, {
          bytes: Size,
          etag: ETag,
          ...(ChecksumSHA256 ? { sha256: ChecksumSHA256 } : {}),
        });
      }
      // A service that names a next page of a list that is whole, or none of one that is not, is not followed.
      if (!page.IsTruncated || !page.NextPartNumberMarker || page.NextPartNumberMarker === after) break;
      after = page.NextPartNumberMarker;
    }
  } catch (error) {
    // Completed or given up since it was listed.
    if (!isMissing(error)) throw error;
    return new Map();
  }
  return parts;
}

/** By the checksum that the service took itself; without one by the ETag, where that is the part's MD5. */
export function isSamePart(part: SentPart, body: Buffer): boolean {
  if (part.bytes !== body.length) return false;
  if (part.sha256 !== undefined) return part.sha256 === createHash('sha256').update(body).digest('base64');
  const [md5] = /[0-9a-f]{32}/i.exec(part.etag) ?? [];
  return (
    part.etag.replaceAll('"', '') === md5 &&
    md5.toLowerCase() === createHash('md5').update(body).digest('hex')
  );
}
