import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  DeleteObjectsCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import { type S3ClientOptions, s3Client } from './s3-client.js';
import { readDigest } from './s3-digest.js';
import { downloadStream } from './s3-download.js';
import { explainS3, isDenied, isMissing } from './s3-errors.js';
import { readLock, writeLegalHold } from './s3-lock.js';
import { openUploads } from './s3-open-uploads.js';
import type { PartLimits } from './s3-parts.js';
import { uploadStream } from './s3-upload.js';
import {
  type ArchiveStore,
  type ObjectDigest,
  type ObjectLock,
  type StoredObject,
  StoreError,
  type WriteOptions,
  type Written,
} from './store.js';

export interface S3StoreOptions extends S3ClientOptions {
  readonly bucket: string;
  /** What stands before every key; empty, or ending in `/`. */
  readonly prefix?: string;
  /** The country that the provider keeps it in: ISO 3166, two letters. */
  readonly country?: string;
  /** The KMS key with which the bucket encrypts; without it the bucket's own default. AWS only. */
  readonly serverSideKey?: string;
  /** Keeps every written object from deletion for so long; the bucket must have object lock enabled. */
  readonly objectLock?: { readonly mode: 'GOVERNANCE' | 'COMPLIANCE'; readonly days: number };
  /**
   * A refusal to delete is no error: credentials that may only add cannot take anything away, and what killed runs
   * left is removed by a lifecycle rule of the bucket. @default false
   */
  readonly addOnly?: boolean;
  /** The credentials may add objects and nothing else: nothing is listed, read or cleared. @default false */
  readonly writeOnly?: boolean;
  /** @default AWS's: 10,000 parts of any sizes */
  readonly partLimits?: PartLimits;
  /** By what the service checks each part; `md5` for providers that know no SHA-256. @default sha256 */
  readonly integrity?: 'sha256' | 'md5';
  /** Whether the service knows `If-None-Match`; without it a taken key is only looked for. @default true */
  readonly conditionalWrites?: boolean;
}

const day = 24 * 60 * 60 * 1000;

/** Archives in an S3 bucket of AWS or of any provider that speaks its language. */
export class S3Store implements ArchiveStore {
  public readonly location: string;
  public readonly region: string;
  public readonly country?: string;
  public readonly writeOnly: boolean;
  private readonly client: S3Client;
  private readonly prefix: string;

  constructor(private readonly options: S3StoreOptions) {
    this.prefix = options.prefix ?? '';
    if (this.prefix !== '' && !this.prefix.endsWith('/')) {
      throw new StoreError(`the prefix of a bucket must end in "/", got ${JSON.stringify(this.prefix)}`);
    }
    this.client = s3Client(options);
    this.region = options.region;
    if (options.country !== undefined) this.country = options.country;
    this.writeOnly = options.writeOnly ?? false;
    const host = options.endpoint === undefined ? '' : ` at ${new URL(options.endpoint).host}`;
    this.location = `s3://${options.bucket}/${this.prefix}${host}`;
  }

  public write(key: string, body: Readable, options: WriteOptions = {}): Promise<Written> {
    const { options: o } = this;
    return uploadStream(
      {
        client: this.client,
        bucket: o.bucket,
        key: this.prefix + key,
        location: this.location,
        limits: o.partLimits ?? { parts: 10_000, equal: false },
        integrity: o.integrity ?? 'sha256',
        conditionalWrites: o.conditionalWrites ?? true,
        mayLook: !this.writeOnly,
        headers: this.headers(),
      },
      body,
      options,
    );
  }

  public read(key: string): Promise<Readable> {
    return downloadStream(this.place(key));
  }

  public async *list(prefix: string): AsyncIterable<StoredObject> {
    const pages = paginateListObjectsV2(
      { client: this.client },
      { Bucket: this.options.bucket, Prefix: this.prefix + prefix },
    );
    let token: string | undefined;
    try {
      for await (const page of pages) {
        // What such a service leaves out could be the newest archive, or the one that is to be kept.
        if (page.IsTruncated && (!page.NextContinuationToken || page.NextContinuationToken === token))
          throw new StoreError(
            `${this.location} lists ${page.KeyCount ?? page.Contents?.length ?? 0} objects and says that there are more, but not how to ask for them: it does not know ListObjectsV2, and archives cannot be kept there`,
          );
        token = page.NextContinuationToken;
        for (const object of page.Contents ?? []) {
          yield {
            key: object.Key!.slice(this.prefix.length),
            bytes: object.Size ?? 0,
            ...(object.LastModified ? { modified: object.LastModified } : {}),
          };
        }
      }
    } catch (error) {
      throw explainS3(error, `listing ${prefix || 'the archives'}`, this.location);
    }
  }

  public async folders(prefix: string): Promise<string[]> {
    const under = this.prefix + prefix;
    const pages = paginateListObjectsV2(
      { client: this.client },
      { Bucket: this.options.bucket, Prefix: under, Delimiter: '/' },
    );
    const names: string[] = [];
    try {
      for await (const { CommonPrefixes = [] } of pages)
        names.push(...CommonPrefixes.map(({ Prefix }) => Prefix!.slice(under.length, -1)));
    } catch (error) {
      throw explainS3(error, `listing the folders of ${prefix || 'the archives'}`, this.location);
    }
    return names;
  }

  public async remove(keys: readonly string[]): Promise<void> {
    const most = 1000;
    for (let from = 0; from < keys.length; from += most) {
      const batch = keys.slice(from, from + most).map((key) => ({ Key: this.prefix + key }));
      const result = await this.client
        .send(
          new DeleteObjectsCommand({ Bucket: this.options.bucket, Delete: { Objects: batch, Quiet: true } }),
        )
        .catch((error) => {
          if ((this.options.addOnly || this.writeOnly) && isDenied(error)) return { Errors: [] };
          throw explainS3(error, `deleting ${batch.length} objects`, this.location);
        });
      const refused = (result.Errors ?? []).filter(
        ({ Code }) =>
          Code !== 'NoSuchKey' && !((this.options.addOnly || this.writeOnly) && Code === 'AccessDenied'),
      );
      const first = refused[0];
      if (first) {
        const named = Object.assign(new Error(first.Message), { name: first.Code ?? 'unknown error' });
        throw explainS3(
          named,
          `deleting ${first.Key}${refused.length > 1 ? ` and ${refused.length - 1} more` : ''}`,
          this.location,
        );
      }
    }
  }

  public digestOf(key: string): Promise<ObjectDigest> {
    return readDigest(this.place(key));
  }

  public lockOf(key: string): Promise<ObjectLock | undefined> {
    return readLock(this.place(key));
  }

  public async setLegalHold(keys: readonly string[], on: boolean): Promise<void> {
    // The first refusal says that this bucket has no object lock: then the note alone holds.
    for (const key of keys) if (!(await writeLegalHold(this.place(key), on))) return;
  }

  private place(key: string) {
    return {
      client: this.client,
      bucket: this.options.bucket,
      key: this.prefix + key,
      location: this.location,
    };
  }

  public async sweep(prefix: string, olderThan: Date): Promise<void> {
    try {
      for await (const upload of openUploads(this.client, this.options.bucket, this.prefix + prefix)) {
        if (upload.initiated >= olderThan) continue;
        await this.client
          .send(
            new AbortMultipartUploadCommand({
              Bucket: this.options.bucket,
              Key: upload.key,
              UploadId: upload.id,
            }),
          )
          .catch((error) => {
            if (!isMissing(error)) throw error;
          });
      }
    } catch (error) {
      // Listing uploads cannot be narrowed to one tenant, so a tenant's role has no right to it; the lifecycle rule of
      // the bucket gives up open uploads there.
      if (isDenied(error)) return;
      throw explainS3(error, `clearing unfinished uploads under ${prefix}`, this.location);
    }
  }

  private headers(): Partial<CreateMultipartUploadCommandInput> {
    const { serverSideKey, objectLock } = this.options;
    return {
      ContentType: 'application/octet-stream',
      ...(serverSideKey === undefined
        ? {}
        : { ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId: serverSideKey, BucketKeyEnabled: true }),
      ...(objectLock === undefined
        ? {}
        : {
            ObjectLockMode: objectLock.mode,
            ObjectLockRetainUntilDate: new Date(Date.now() + objectLock.days * day),
          }),
    };
  }
}
