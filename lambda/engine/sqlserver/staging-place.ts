import { InputError } from '../../errors.js';

/** Where the server writes its backups, and reads them from, on their way to and from the archives. */
export interface StagingPlace {
  readonly bucket: string;
  /** Ends in `/`, or is empty. */
  readonly prefix: string;
  readonly region: string;
  /** Of S3-compatible storage that is not AWS's. */
  readonly endpoint?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** The key in KMS under which RDS encrypts what it writes; `tenant`: the one that the archive gets. */
  readonly kmsKey?: string;
}

const TENANT = 'tenant';

/** The ARN of the key for a backup whose archive gets that key. */
export function backupKey(
  { kmsKey, region }: StagingPlace,
  archiveKey: string | undefined,
): string | undefined {
  if (kmsKey !== TENANT) return kmsKey;
  if (!archiveKey?.startsWith('arn:'))
    throw new InputError(
      `the server URL has kms_key=tenant, and this archive gets ${archiveKey ?? 'none'}, which RDS cannot use; give --kms-key, or the ARN of a key in KMS as kms_key`,
    );
  checkKey(archiveKey, region, partitionOf(region));
  return archiveKey;
}

const SHAPE = '?staging=s3://bucket/prefix';

/** Reads the options of the server's URL that speak of it. */
export function stagingPlace(
  options: Readonly<Record<string, string>>,
  environment: NodeJS.ProcessEnv,
): StagingPlace | undefined {
  const { staging, kms_key: kmsKey, staging_endpoint: endpoint } = options;
  if (staging === undefined) {
    for (const name of ['kms_key', 'staging_region', 'staging_endpoint']) {
      if (options[name] !== undefined)
        throw new InputError(`the server URL has ${name} and no staging; add ${SHAPE}`);
    }
    return undefined;
  }
  if (!URL.canParse(staging) || !/^s3:\/\/[^/?#@]+(\/[^?#]*)?$/.test(staging))
    throw new InputError(`staging is ${JSON.stringify(staging)}; write it like ${SHAPE}`);
  const { hostname: bucket, pathname } = new URL(staging);
  const region = options.staging_region ?? environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION;
  if (region && !/^[a-z0-9-]+$/.test(region))
    throw new InputError(
      `the staging bucket's region is ${JSON.stringify(region)}; write it like eu-central-1`,
    );
  if (!region)
    throw new InputError('the staging bucket has no region; add &staging_region=… or set AWS_REGION');
  if (endpoint !== undefined && !/^https?:\/\/[^/]+\/?$/.test(endpoint))
    throw new InputError(
      `staging_endpoint is ${JSON.stringify(endpoint)}; write it like https://minio.internal:9000`,
    );
  const partition = partitionOf(region);
  if (kmsKey !== undefined && kmsKey !== TENANT) checkKey(kmsKey, region, partition);
  const path = decodeURIComponent(pathname.slice(1));
  const id = environment.SOVEREIGN_STAGING_ACCESS_KEY_ID;
  const secret = environment.SOVEREIGN_STAGING_SECRET_ACCESS_KEY;
  return {
    bucket,
    prefix: path === '' || path.endsWith('/') ? path : `${path}/`,
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(id && secret ? { credentials: { accessKeyId: id, secretAccessKey: secret } } : {}),
    ...(kmsKey === undefined ? {} : { kmsKey }),
  };
}

/** RDS takes the ARN of a symmetric key of its own region; an alias or a bare id it does not take. */
function checkKey(arn: string, region: string, partition: string): void {
  const [, of, service, where, account, key] =
    /^arn:([^:]+):([^:]+):([^:]*):(\d{12}):key\/([0-9a-zA-Z-]+)$/.exec(arn) ?? [];
  if (service !== 'kms' || !account || !key)
    throw new InputError(
      `kms_key is ${JSON.stringify(arn)}; write the key's ARN, like arn:aws:kms:eu-central-1:111111111111:key/…, or tenant for the one that archives get`,
    );
  if (of !== partition || where !== region)
    throw new InputError(
      `kms_key is in ${where} of partition ${of}, and the staging bucket in ${region} of ${partition}; RDS uses keys of its own region only`,
    );
}

const PARTITIONS: readonly (readonly [prefix: string, partition: string])[] = [
  ['cn-', 'aws-cn'],
  ['us-gov-', 'aws-us-gov'],
  ['eusc-', 'aws-eusc'],
  ['us-iso-', 'aws-iso'],
  ['us-isob-', 'aws-iso-b'],
  ['eu-isoe-', 'aws-iso-e'],
  ['us-isof-', 'aws-iso-f'],
];

/** S3's ARNs name neither region nor account, but the partition they must. */
export function partitionOf(region: string): string {
  return PARTITIONS.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'aws';
}
