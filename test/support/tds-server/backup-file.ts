// Backup files of the scripted server: what a real one's are to it, these are to the model. They are written to and
// read from S3 for real, so what is lost or changed on the way is lost or changed here, too.
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { deflateSync, inflateSync } from 'node:zlib';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { ModelDatabase } from './model';
import { ServerError } from './tokens';

/** A database as it lies in a backup. */
export type Backed = Pick<ModelDatabase, 'name' | 'owner' | 'tables' | 'users' | 'properties' | 'broken'>;

export interface WriteOptions {
  readonly compressed: boolean;
  readonly kmsKey?: string;
}

/** Data keys by the ARN of the key in KMS that keeps them: nobody but the service can open them. */
const dataKeys = new Map<string, { readonly arn: string; readonly key: Buffer }>();

const BEGIN = { plain: 'TAPE', compressed: 'MSSQLBAK' } as const;

export function encode(database: Backed, compressed: boolean): Buffer {
  const { name, owner, tables, users, properties, broken } = database;
  const body = Buffer.from(JSON.stringify({ name, owner, tables, users, properties, broken }));
  const packed = compressed ? deflateSync(body) : body;
  const begin = Buffer.alloc(16);
  begin.write(compressed ? BEGIN.compressed : BEGIN.plain, 'latin1');
  begin.writeUInt32LE(packed.length, 12);
  const whole = Buffer.concat([begin, packed]);
  return Buffer.concat([whole, createHash('sha256').update(whole).digest()]);
}

export function decode(bytes: Buffer): Backed & { readonly compressed: boolean } {
  const text = bytes.subarray(0, 8).toString('latin1');
  const compressed = text === BEGIN.compressed;
  if (!compressed && !text.startsWith(BEGIN.plain))
    throw new ServerError(
      3241,
      'The media family on device is incorrectly formed. SQL Server cannot process this media family.',
    );
  const whole = bytes.subarray(0, -32);
  const good = createHash('sha256').update(whole).digest().equals(bytes.subarray(-32));
  if (!good || bytes.readUInt32LE(12) !== bytes.length - 48)
    throw new ServerError(3189, 'Damage to the backup set was detected.');
  const body = whole.subarray(16);
  return { ...(JSON.parse((compressed ? inflateSync(body) : body).toString()) as Backed), compressed };
}

export class BackupFiles {
  constructor(private readonly client: S3Client) {}

  public async exists(bucket: string, key: string): Promise<boolean> {
    return this.client.send(new HeadObjectCommand({ Bucket: bucket, Key: key })).then(
      () => true,
      () => false,
    );
  }

  public async write(bucket: string, key: string, database: Backed, options: WriteOptions): Promise<void> {
    let body = encode(database, options.compressed);
    let metadata: Record<string, string> = {};
    if (options.kmsKey) {
      const [name, dataKey, iv] = [randomBytes(16).toString('hex'), randomBytes(32), randomBytes(16)];
      dataKeys.set(name, { arn: options.kmsKey, key: dataKey });
      const cipher = createCipheriv('aes-256-ctr', dataKey, iv);
      body = Buffer.concat([cipher.update(body), cipher.final()]);
      metadata = { 'x-amz-key-v2': name, 'x-amz-iv': iv.toString('base64'), 'x-amz-wrap-alg': 'kms' };
    }
    await this.client
      .send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, Metadata: metadata }))
      .catch((error: Error) => {
        throw new ServerError(3201, `Cannot open backup device: Access Denied (${error.name})`);
      });
  }

  /** The bytes in the clear; with a key in KMS, as RDS opens them, without one as they lie there. */
  public async read(
    bucket: string,
    key: string,
    kmsKey?: string,
  ): Promise<Backed & { readonly compressed: boolean }> {
    const answer = await this.client
      .send(new GetObjectCommand({ Bucket: bucket, Key: key }))
      .catch((error: Error) => {
        throw new ServerError(3201, `Cannot open backup device '${key}': Access Denied (${error.name})`);
      });
    const bytes = Buffer.from(await answer.Body!.transformToByteArray());
    const name = answer.Metadata?.['x-amz-key-v2'];
    if (!kmsKey) return decode(bytes);
    const known = name === undefined ? undefined : dataKeys.get(name);
    if (!known || known.arn !== kmsKey)
      throw new ServerError(
        50000,
        'The KMS key that was given is not the one that the file was encrypted with',
      );
    const iv = Buffer.from(answer.Metadata?.['x-amz-iv'] ?? '', 'base64');
    const decipher = createDecipheriv('aes-256-ctr', known.key, iv);
    return decode(Buffer.concat([decipher.update(bytes), decipher.final()]));
  }
}
