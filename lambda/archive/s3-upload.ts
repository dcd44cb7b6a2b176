import { createHash, randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { DamagedError } from './damaged-error.js';
import { attemptsOf, explainS3, isDenied, isMissing, statusOf } from './s3-errors.js';
import { findInterrupted, isSamePart, type SentPart } from './s3-open-uploads.js';
import { type PartLimits, partSizes } from './s3-parts.js';
import { ObjectExistsError, StoreError, type WriteOptions, type Written } from './store.js';

export interface UploadTarget {
  readonly client: S3Client;
  readonly bucket: string;
  readonly key: string;
  /** For messages. */
  readonly location: string;
  readonly limits: PartLimits;
  /** By what the service checks every part it receives. */
  readonly integrity: 'sha256' | 'md5';
  /** Whether the service refuses a write to a taken key by itself (`If-None-Match`). */
  readonly conditionalWrites: boolean;
  /** Whether the credentials may ask what is there. */
  readonly mayLook?: boolean;
  /** Encryption, object lock: what the object shall have besides its bytes. */
  readonly headers: Partial<CreateMultipartUploadCommandInput>;
}

const concurrency = 3;
/** Bytes of parts on their way at once; one part larger than that travels alone. */
const inFlightBudget = 48 * 1024 * 1024;
/** Under which an upload names itself, so that a refused repetition of our own write is told from somebody else's. */
const marker = 'write-id';
const ofContent = 'sha256-';

/** The SHA-256 of all that a resumable upload sent, which was held against it before the upload was completed. */
export function contentOf(metadata: Readonly<Record<string, string>> | undefined): string | undefined {
  const id = metadata?.[marker];
  return id?.startsWith(ofContent) ? id.slice(ofContent.length) : undefined;
}

/**
 * Streams a body of unknown length into one object. The object appears in the last call, and only after the body has
 * ended well; on any failure the parts are given up and nothing is left, unless the upload is `resumable`.
 */
export async function uploadStream(
  target: UploadTarget,
  body: Readable,
  { expectedBytes, signal, resumable }: WriteOptions = {},
): Promise<Written> {
  const upload = new Upload(target, resumable);
  const giveUp = () => upload.giveUp(signal!.reason);
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    if (!target.conditionalWrites && target.mayLook !== false) await upload.refuseTaken();
    return await upload.run(body, partSizes(resumable?.bytes ?? expectedBytes, target.limits));
  } catch (error) {
    body.destroy();
    throw await upload.abandon(error);
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}

class Upload {
  private readonly id: string;
  private readonly stop = new AbortController();
  private readonly inFlight = new Map<Promise<void>, number>();
  private readonly done: CompletedPart[] = [];
  /** Memory of parts that have arrived, for the next ones: the collector is too slow for what passes here. */
  private readonly spare: Buffer[] = [];
  private uploadId?: string;
  private firstFault?: unknown;
  private bytes = 0;
  /** What an interrupted upload of the same had left there, by part number. */
  private there: ReadonlyMap<number, SentPart> = new Map();
  private kept = 0;
  private mayResume: boolean;
  private hurried = false;

  constructor(
    private readonly target: UploadTarget,
    resumable: WriteOptions['resumable'],
  ) {
    // Whoever completes an upload of these very bytes has done our work.
    this.id = resumable ? ofContent + resumable.sha256 : randomUUID();
    this.mayResume = resumable !== undefined;
  }

  private get place() {
    return { Bucket: this.target.bucket, Key: this.target.key };
  }

  private get ifFree() {
    return this.target.conditionalWrites ? { IfNoneMatch: '*' } : {};
  }

  /** For services without conditional writes: a look before the write, which cannot see a simultaneous one. */
  async refuseTaken(): Promise<void> {
    if ((await this.owner()) !== 'nobody') throw new ObjectExistsError(this.target.key, this.target.location);
  }

  async run(body: Readable, sizeOf: (part: number) => number): Promise<Written> {
    let number = 1;
    let part = this.memory(sizeOf(number));
    let filled = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      let taken = 0;
      while (taken < chunk.length) {
        // A full part is sent only when more follows: the last one may be the only one.
        if (filled === part.length) {
          await this.sendPart(number, part, body);
          number += 1;
          part = this.memory(sizeOf(number));
          filled = 0;
        }
        const copied = chunk.copy(part, filled, taken);
        filled += copied;
        taken += copied;
      }
      this.bytes += chunk.length;
    }
    const last = part.subarray(0, filled);
    if (number === 1) await this.putWhole(last);
    else {
      await this.sendPart(number, last, body);
      await Promise.all(this.inFlight.keys());
      if (this.firstFault !== undefined) throw this.firstFault;
      await this.complete();
    }
    return { bytes: this.bytes, ...(this.kept > 0 ? { kept: this.kept } : {}) };
  }

  private memory(bytes: number): Buffer {
    const used = this.spare.pop();
    return used?.length === bytes ? used : Buffer.allocUnsafeSlow(bytes);
  }

  private async putWhole(body: Buffer): Promise<void> {
    const { client, headers } = this.target;
    const put = new PutObjectCommand({
      ...(headers as object),
      ...this.place,
      ...this.ifFree,
      ...this.checksumOf(body),
      Metadata: { ...headers.Metadata, [marker]: this.id },
      Body: body,
    });
    await this.settle(() => client.send(put, { abortSignal: this.stop.signal }));
  }

  private async begin(): Promise<string> {
    const { client, headers, integrity } = this.target;
    const created = await client.send(
      new CreateMultipartUploadCommand({
        ...headers,
        ...this.place,
        ...(integrity === 'sha256' ? { ChecksumAlgorithm: 'SHA256' } : {}),
        Metadata: { ...headers.Metadata, [marker]: this.id },
      }),
    );
    if (!created.UploadId) throw new StoreError(`${this.target.location} began an upload without naming it`);
    return created.UploadId;
  }

  /** The upload that an earlier run began with the same first part, where parts are kept. */
  private async goOn(first: Buffer): Promise<string | undefined> {
    if (!this.mayResume) return undefined;
    const { client, bucket, key } = this.target;
    const found = await findInterrupted({ client, bucket, key }, first);
    // Where the next run could not find them, parts are not left lying about.
    if (found === 'unknown') this.mayResume = false;
    if (found === 'unknown' || found === undefined) return undefined;
    this.there = found.parts;
    return found.id;
  }

  private keepPart(number: number, { etag }: SentPart, body: Buffer): void {
    const checksum = this.checksumOf(body);
    this.kept += body.length;
    this.spare.push(body);
    this.done.push({
      PartNumber: number,
      ETag: etag,
      ...('ChecksumSHA256' in checksum ? { ChecksumSHA256: checksum.ChecksumSHA256 } : {}),
    });
  }

  /** Starts sending and returns as soon as there is room for the next part. */
  private async sendPart(number: number, body: Buffer, source: Readable): Promise<void> {
    if (number > this.target.limits.parts) {
      throw new StoreError(
        `the upload to ${this.target.location} needs more than the ${this.target.limits.parts} parts the service allows; the expected size was far too low: state a larger one`,
      );
    }
    this.uploadId ??= (await this.goOn(body)) ?? (await this.begin());
    const there = this.there.get(number);
    if (there && isSamePart(there, body)) return this.keepPart(number, there, body);
    const sending: Promise<void> = this.uploadPart(number, body)
      .catch((error) => {
        // What fails because we gave up says nothing about why we did.
        if (!this.stop.signal.aborted) this.firstFault = error;
        this.stop.abort();
        // Ends the loop over the source also while it waits for a dumper that has gone quiet.
        source.destroy(error instanceof Error ? error : new Error(String(error)));
      })
      .finally(() => this.inFlight.delete(sending));
    this.inFlight.set(sending, body.length);
    while (this.inFlight.size >= concurrency || this.bytesInFlight() + body.length > inFlightBudget) {
      await Promise.race(this.inFlight.keys());
      if (this.inFlight.size === 0) break;
    }
    if (this.firstFault !== undefined) throw this.firstFault;
  }

  private bytesInFlight(): number {
    let sum = 0;
    for (const bytes of this.inFlight.values()) sum += bytes;
    return sum;
  }

  private async uploadPart(number: number, body: Buffer): Promise<void> {
    const checksum = this.checksumOf(body);
    const sent = await this.target.client.send(
      new UploadPartCommand({
        ...this.place,
        ...checksum,
        UploadId: this.uploadId,
        PartNumber: number,
        Body: body,
      }),
      { abortSignal: this.stop.signal },
    );
    this.spare.push(body);
    this.done.push({
      PartNumber: number,
      ETag: sent.ETag,
      ...('ChecksumSHA256' in checksum ? { ChecksumSHA256: checksum.ChecksumSHA256 } : {}),
    });
  }

  private checksumOf(
    body: Buffer,
  ): { ChecksumSHA256: string; ChecksumAlgorithm: 'SHA256' } | { ContentMD5: string } {
    const digest = createHash(this.target.integrity).update(body).digest('base64');
    return this.target.integrity === 'sha256'
      ? // Buckets with object lock want the algorithm named, too.
        { ChecksumSHA256: digest, ChecksumAlgorithm: 'SHA256' }
      : { ContentMD5: digest };
  }

  private async complete(): Promise<void> {
    this.done.sort((a, b) => a.PartNumber! - b.PartNumber!);
    const completion = new CompleteMultipartUploadCommand({
      ...this.place,
      ...this.ifFree,
      UploadId: this.uploadId,
      MultipartUpload: { Parts: this.done },
      // The service refuses when what it put together is not as long as what we sent.
      ...(this.target.integrity === 'sha256' ? { MpuObjectSize: this.bytes } : {}),
    });
    let refused = false;
    await this.settle(() =>
      this.target.client.send(completion).catch((error) => {
        refused = true;
        throw error;
      }),
    );
    // Another run has made the same object: these parts are nobody's any more.
    if (refused && this.mayResume) await this.giveBack().catch(() => {});
  }

  /**
   * Makes the object appear, and finds out what happened when the answer does not say: an answer can be lost after the
   * service did its work, and then the repetition is refused as if somebody else had written the object.
   */
  private async settle(send: () => Promise<unknown>): Promise<void> {
    try {
      await send();
    } catch (error) {
      if (this.hurried) throw error;
      const refused = statusOf(error) === 412 || statusOf(error) === 409;
      if (statusOf(error) !== undefined && statusOf(error)! < 500 && !refused && !isMissing(error))
        throw error;
      const owner = await this.owner().catch(() => 'unknown');
      if (owner === 'us') return;
      if (refused && (owner === 'somebody' || attemptsOf(error) === 1))
        throw new ObjectExistsError(this.target.key, this.target.location);
      throw error;
    }
  }

  private async owner(): Promise<'us' | 'somebody' | 'nobody' | 'unknown'> {
    try {
      const head = await this.target.client.send(new HeadObjectCommand(this.place));
      return head.Metadata?.[marker] === this.id ? 'us' : 'somebody';
    } catch (error) {
      if (isMissing(error)) return 'nobody';
      // Credentials that may only write cannot look.
      if (isDenied(error)) return 'unknown';
      throw error;
    }
  }

  private async giveBack(): Promise<void> {
    await this.target.client.send(
      new AbortMultipartUploadCommand({ ...this.place, UploadId: this.uploadId }),
      this.hurried ? { abortSignal: AbortSignal.timeout(5000) } : {},
    );
  }

  /** From outside: what is on its way is cut off, and nothing is waited for. */
  giveUp(reason: unknown): void {
    this.firstFault ??= reason;
    this.hurried = true;
    this.stop.abort();
  }

  /** Gives the parts back and returns the error to throw. */
  async abandon(error: unknown): Promise<Error> {
    this.stop.abort();
    await Promise.all(this.inFlight.keys());
    const fault = this.firstFault ?? error;
    // What the body itself failed with is told as it is: only a call to the service carries `$metadata`.
    const explained =
      fault instanceof Error && !('$metadata' in fault)
        ? fault
        : explainS3(fault, `writing ${this.target.key}`, this.target.location);
    if (this.uploadId === undefined) return explained;
    // What is wrong with the bytes themselves, or with the key, no further run mends.
    if (this.mayResume && !(fault instanceof DamagedError) && !(fault instanceof ObjectExistsError))
      return explained;
    try {
      await this.giveBack();
    } catch (refusal) {
      if (!isMissing(refusal)) {
        explained.message += `. The parts sent so far could not be given up either (${(refusal as Error).name}); they are invisible, and the next run or the bucket's lifecycle rule removes them`;
      }
    }
    return explained;
  }
}
