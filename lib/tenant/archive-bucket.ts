import { Duration, type RemovalPolicy } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

export const ARCHIVES = 'archives/';
export const RUNS = 'runs/';

export interface ArchiveBucketOptions {
  readonly immutableFor: Duration;
  readonly removalPolicy: RemovalPolicy;
  readonly accessLogs?: s3.IBucket;
}

/**
 * Where the archives are. Every one is encrypted by the worker before it gets here, under the regime's key and bound to
 * its tenant, so the bucket's own encryption needs no second key.
 */
export function archiveBucket(scope: Construct, id: string, options: ArchiveBucketOptions): s3.Bucket {
  return new s3.Bucket(scope, id, {
    encryption: s3.BucketEncryption.S3_MANAGED,
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    versioned: true,
    objectLockEnabled: true,
    objectLockDefaultRetention: s3.ObjectLockRetention.governance(options.immutableFor),
    serverAccessLogsBucket: options.accessLogs,
    serverAccessLogsPrefix: options.accessLogs ? 'tenant-archives/' : undefined,
    removalPolicy: options.removalPolicy,
    lifecycleRules: [
      {
        // Age alone does not decide: a rule here would in time delete the last archive of a tenant whose dumps have
        // stopped. What the pruning deletes becomes noncurrent, and goes when its lock is over.
        id: 'remove-deleted-archives',
        prefix: ARCHIVES,
        noncurrentVersionExpiration: options.immutableFor,
        expiredObjectDeleteMarker: true,
      },
      {
        id: 'expire-runs',
        prefix: RUNS,
        expiration: Duration.days(30),
        noncurrentVersionExpiration: options.immutableFor,
      },
      { id: 'abort-uploads', abortIncompleteMultipartUploadAfter: Duration.days(2) },
    ],
  });
}
