import { Readable } from 'node:stream';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { explainS3, isMissing, statusOf } from './s3-errors.js';
import { ObjectMissingError, StoreError } from './store.js';

export interface DownloadSource {
  readonly client: S3Client;
  readonly bucket: string;
  readonly key: string;
  readonly location: string;
}

interface Opened {
  readonly body: Readable;
  readonly etag: string | undefined;
  /** Size of the whole object. */
  readonly size: number;
}

/** How often in a row a connection may be cut without a byte having come. */
const fruitlessTries = 5;

/**
 * One stream over an object, whatever happens to the connections below it: a restore that waits an hour for an index
 * must not fail because the service hung up meanwhile. It goes on from the byte where it was, and only in the very
 * same object (`If-Match`).
 */
export async function downloadStream(source: DownloadSource): Promise<Readable> {
  // The first answer is awaited here so that a missing object is an error of the call and not of the stream.
  const first = await open(source, 0);
  return Readable.from(resuming(source, first), { objectMode: false });
}

async function* resuming(source: DownloadSource, first: Opened): AsyncGenerator<Buffer> {
  let offset = 0;
  let fruitless = 0;
  let current: Opened | undefined = first;
  try {
    while (offset < first.size) {
      try {
        current ??= await open(source, offset, first.etag);
        for await (const chunk of current.body as AsyncIterable<Buffer>) {
          offset += chunk.length;
          fruitless = 0;
          yield chunk;
        }
        if (offset < first.size)
          throw new Error(`the connection ended after ${offset} of ${first.size} bytes`);
      } catch (error) {
        fruitless += 1;
        // An answer with a status was tried often enough by the client itself.
        if (fruitless >= fruitlessTries || (error as { exitCode?: number }).exitCode !== undefined) {
          throw explainS3(error, `reading ${source.key}`, source.location);
        }
      }
      current?.body.destroy();
      current = undefined;
    }
  } finally {
    current?.body.destroy();
  }
}

async function open(source: DownloadSource, offset: number, etag?: string): Promise<Opened> {
  try {
    const answer = await source.client.send(
      new GetObjectCommand({
        Bucket: source.bucket,
        Key: source.key,
        ...(offset > 0 ? { Range: `bytes=${offset}-` } : {}),
        ...(etag === undefined ? {} : { IfMatch: etag }),
      }),
    );
    return {
      body: answer.Body as Readable,
      etag: answer.ETag,
      size: offset + (answer.ContentLength ?? 0),
    };
  } catch (error) {
    if (isMissing(error)) throw new ObjectMissingError(source.key, source.location);
    if (statusOf(error) === 412) {
      throw new StoreError(`${source.key} in ${source.location} was replaced while it was being read`);
    }
    throw explainS3(error, `reading ${source.key}`, source.location);
  }
}
