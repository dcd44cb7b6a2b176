import { createHash, randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { DeleteObjectCommand, HeadBucketCommand, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { s3Client } from '../../archive/s3-client.js';
import { downloadStream } from '../../archive/s3-download.js';
import { explainS3, statusOf } from '../../archive/s3-errors.js';
import { S3Store } from '../../archive/s3-store.js';
import { uploadStream } from '../../archive/s3-upload.js';
import { InputError } from '../../errors.js';
import type { SqlServerAddress } from './address.js';
import { partitionOf, type StagingPlace } from './staging-place.js';

export type StagedKind = 'dump' | 'restore';

export interface StagedObject {
  readonly bytes: number;
  /** What the server noted on it; RDS keeps there what it needs to decrypt with the tenant's key. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Of these very bytes. */
  readonly etag: string;
}

const DOMAINS: Readonly<Record<string, string>> = {
  aws: 'amazonaws.com',
  'aws-us-gov': 'amazonaws.com',
  'aws-cn': 'amazonaws.com.cn',
  'aws-eusc': 'amazonaws.eu',
};
/** The host name of an instance tells its region. */
const RDS_HOST = /\.([a-z]{2,4}-[a-z-]+-\d+)\.rds\.amazonaws\.(?:com|com\.cn|eu)$/;

/**
 * The place through which backups pass: the server writes them there itself, and reads them from there. An object is
 * named by chance and lives as long as one dump or restore; what a killed one leaves, the next one removes.
 */
export class Staging {
  public readonly location: string;
  private readonly client: S3Client;
  private readonly store: S3Store;

  private constructor(
    public readonly place: StagingPlace,
    private readonly address: SqlServerAddress,
  ) {
    const options = {
      region: place.region,
      ...(place.credentials ? { credentials: place.credentials } : {}),
      ...(place.endpoint ? { endpoint: place.endpoint, forcePathStyle: true } : {}),
    };
    this.client = s3Client(options);
    this.store = new S3Store({ ...options, bucket: place.bucket });
    this.location = `s3://${place.bucket}/${place.prefix}`;
  }

  /** For names only: nothing is asked of S3. Undefined where the server's URL names no bucket. */
  public static named(address: SqlServerAddress): Staging | undefined {
    return address.staging && new Staging(address.staging, address);
  }

  /** Refuses what the server could not use, before anything is begun. */
  public static async open(address: SqlServerAddress, rds: boolean): Promise<Staging> {
    const staging = Staging.named(address);
    if (!staging)
      throw new InputError(
        `SQL Server writes its backups into a bucket itself, and the server URL names none; add ?staging=s3://bucket/prefix`,
      );
    if (staging.place.kmsKey && !rds)
      throw new InputError(
        'kms_key is for RDS, whose backup procedure takes it; elsewhere the staging bucket encrypts',
      );
    await staging.checkRegion(rds);
    return staging;
  }

  private async checkRegion(rds: boolean): Promise<void> {
    const { bucket, region, endpoint } = this.place;
    const instance = rds ? RDS_HOST.exec(this.address.host.toLowerCase())?.[1] : undefined;
    const answer = await this.client.send(new HeadBucketCommand({ Bucket: bucket })).catch((error) => {
      if (statusOf(error) === 301)
        throw new InputError(
          `the staging bucket ${bucket} is not in ${region}; name its region as staging_region`,
        );
      throw explainS3(error, 'looking for the staging bucket', this.location);
    });
    const actual = answer.BucketRegion ?? region;
    if (!endpoint && actual !== region)
      throw new InputError(
        `the staging bucket ${bucket} is in ${actual}, and ${region} was named; name its region as staging_region`,
      );
    if (instance !== undefined && instance !== actual) {
      const wall =
        partitionOf(instance) === partitionOf(actual) ? '' : ', which are different partitions of AWS';
      throw new InputError(
        `the staging bucket ${bucket} is in ${actual} and the instance in ${instance}${wall}; RDS writes backups to its own region only, name a bucket there`,
      );
    }
  }

  /** One folder per server, database and kind: no name of a tenant shows in it, and no URL gets too long. */
  public folder(database: string, kind: StagedKind): string {
    const { host, port } = this.address;
    const hash = createHash('sha256').update(`${host.toLowerCase()}:${port}\0${database}`).digest('hex');
    return `${this.place.prefix}${hash.slice(0, 24)}/${kind}/`;
  }

  public newKey(database: string, kind: StagedKind): string {
    return `${this.folder(database, kind)}${randomBytes(8).toString('hex')}.bak`;
  }

  /** As RDS's procedures name it. */
  public arn(key: string): string {
    return `arn:${partitionOf(this.place.region)}:s3:::${this.place.bucket}/${key}`;
  }

  /** As `BACKUP … TO URL` names it. */
  public url(key: string): string {
    const { bucket, endpoint, region } = this.place;
    if (endpoint) return `s3://${new URL(endpoint).host}/${bucket}/${key}`;
    const domain = DOMAINS[partitionOf(region)];
    if (!domain)
      throw new InputError(`the address of S3 in ${region} is not known here; name it as staging_endpoint`);
    return `s3://${bucket}.s3.${region}.${domain}/${key}`;
  }

  public async describe(key: string): Promise<StagedObject> {
    const head = await this.client
      .send(new HeadObjectCommand({ Bucket: this.place.bucket, Key: key }))
      .catch((error) => {
        throw explainS3(error, `looking at the backup ${key}`, this.location);
      });
    return { bytes: head.ContentLength ?? 0, metadata: head.Metadata ?? {}, etag: head.ETag ?? '' };
  }

  public read(key: string): Promise<Readable> {
    const { client, location } = this;
    return downloadStream({ client, bucket: this.place.bucket, key, location });
  }

  public async write(
    key: string,
    body: Readable,
    metadata: Readonly<Record<string, string>>,
    expectedBytes: number,
  ): Promise<void> {
    const target = {
      client: this.client,
      bucket: this.place.bucket,
      key,
      location: this.location,
      limits: { parts: 10_000, equal: false },
      integrity: 'sha256' as const,
      conditionalWrites: !this.place.endpoint,
      headers: { ContentType: 'application/octet-stream', Metadata: { ...metadata } },
    };
    await uploadStream(target, body, { expectedBytes });
  }

  public async remove(key: string): Promise<void> {
    await this.client
      .send(new DeleteObjectCommand({ Bucket: this.place.bucket, Key: key }))
      .catch((error) => {
        throw explainS3(error, `deleting the backup ${key}`, this.location);
      });
  }

  /** What killed runs left of this database; whoever calls holds the lock that a living run would hold. */
  public async sweep(database: string, kind: StagedKind): Promise<void> {
    const left: string[] = [];
    for await (const { key } of this.store.list(this.folder(database, kind))) left.push(key);
    for (const key of left) await this.remove(key);
    await this.store.sweep(this.folder(database, kind), new Date());
  }
}
