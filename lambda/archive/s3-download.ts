import { addAbortSignal, Readable } from 'node:stream';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { explainS3, isMissing, isOfObject, statusOf } from './s3-errors.js';
import { ObjectMissingError, StoreError, UnreadableError } from './store.js';

export interface DownloadSource {
  readonly client: S3Client;
  readonly bucket: string;
  readonly key: string;
  readonly location: string;
}

/** Bytes of an object, without the one at `to`. */
interface Range {
  readonly from: number;
  readonly to: number;
}

interface Opened {
  readonly body: Readable;
  readonly etag: string | undefined;
  readonly bytes: number;
}

/** How often in a row a connection may be cut without a byte having come. */
const fruitlessTries = 5;

/**
 * One connection to S3 brings 85 to 90 MB/s, so large objects are read by several, in ranges of 8 to 16 MiB:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance-design-patterns.html
 */
const PART = 8 * 1024 * 1024;
/** Parts that are on their way, or wait in memory. */
const AT_ONCE = 3;

/**
 * One stream over an object, whatever happens to the connections below it: a restore that waits an hour for an index
 * must not fail because the service hung up meanwhile. It goes on from the byte where it was, and only in the very
 * same object (`If-Match`).
 */
export async function downloadStream(source: DownloadSource): Promise<Readable> {
  // The first answer is awaited here so that a missing object is an error of the call and not of the stream.
  const first = await open(source);
  const whole = { from: 0, to: first.bytes };
  const chunks = first.bytes > 2 * PART ? inParts(source, first) : resuming(source, whole, first);
  return Readable.from(chunks, { objectMode: false });
}

/** The first connection, which was opened for the whole, is given up after its part. */
async function* inParts(source: DownloadSource, first: Opened): AsyncGenerator<Buffer> {
  const enough = new AbortController();
  const begun: Promise<Buffer[]>[] = [];
  let next = 0;
  const begin = () => {
    const range = { from: next, to: Math.min(next + PART, first.bytes) };
    const part = gather(resuming(source, range, first, enough.signal));
    // Its error is thrown when its turn comes.
    part.catch(() => {});
    begun.push(part);
    next = range.to;
  };
  try {
    while (next < first.bytes || begun.length > 0) {
      while (begun.length < AT_ONCE && next < first.bytes) begin();
      yield* await begun.shift()!;
    }
  } finally {
    enough.abort();
  }
}

async function gather(chunks: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const gathered: Buffer[] = [];
  for await (const chunk of chunks) gathered.push(chunk);
  return gathered;
}

async function* resuming(
  source: DownloadSource,
  { from, to }: Range,
  first: Opened,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  let fruitless = 0;
  let current = from === 0 ? first : undefined;
  try {
    while (from < to) {
      try {
        current ??= await open(source, { range: { from, to }, etag: first.etag, signal });
        const body = signal ? addAbortSignal(signal, current.body) : current.body;
        for await (const chunk of body as AsyncIterable<Buffer>) {
          const wanted = chunk.subarray(0, to - from);
          from += wanted.length;
          fruitless = 0;
          yield wanted;
          if (from === to) return;
        }
        throw new Error(`the connection ended ${to - from} bytes too early`);
      } catch (error) {
        signal?.throwIfAborted();
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

async function open(
  source: DownloadSource,
  part?: { range: Range; etag: string | undefined; signal: AbortSignal | undefined },
): Promise<Opened> {
  try {
    const answer = await source.client.send(
      new GetObjectCommand({
        Bucket: source.bucket,
        Key: source.key,
        ...(part && { Range: `bytes=${part.range.from}-${part.range.to - 1}` }),
        ...(part?.etag !== undefined && { IfMatch: part.etag }),
      }),
      part?.signal && { abortSignal: part.signal },
    );
    const body = answer.Body as Readable;
    if (part && !answer.ContentRange?.startsWith(`bytes ${part.range.from}-`)) {
      body.destroy();
      throw new StoreError(
        `${source.location} answered with ${answer.ContentRange ?? 'the whole'} of ${source.key} where bytes from ${part.range.from} were asked for: it does not know ranges, and an archive cannot be read from it`,
      );
    }
    return { body, etag: answer.ETag, bytes: answer.ContentLength ?? 0 };
  } catch (error) {
    if (isMissing(error)) throw new ObjectMissingError(source.key, source.location);
    if (statusOf(error) === 412) {
      throw new StoreError(`${source.key} in ${source.location} was replaced while it was being read`);
    }
    const explained = explainS3(error, `reading ${source.key}`, source.location);
    if (isOfObject(error)) throw new UnreadableError(source.key, explained.message, { cause: error });
    throw explained;
  }
}
