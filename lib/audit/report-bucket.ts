import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AnyPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { acknowledge, inPacks } from '../acknowledge';
import type { BackupAuditProps } from './backup-audit-props';

const PACKS = ['HIPAA.Security', 'NIST.800.53.R5', 'PCI.DSS.321'];
const NO_ACCESS_LOGS = 'Logged where CloudTrail records data events; give accessLogs for server access logs';

/**
 * Where reports go. Only the service's own role writes: named by a condition, since it comes to be with the first report,
 * and a principal that is not there yet fails the deployment.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/create-report-plan-console.html
 */
export function reportBucket(scope: Construct, id: string, props: BackupAuditProps): s3.Bucket {
  const { partition, account } = Stack.of(scope);
  const { encryptionKey, accessLogs } = props;
  const bucket = new s3.Bucket(scope, id, {
    encryption: encryptionKey ? s3.BucketEncryption.KMS : s3.BucketEncryption.S3_MANAGED,
    encryptionKey,
    bucketKeyEnabled: encryptionKey ? true : undefined,
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    versioned: true,
    serverAccessLogsBucket: accessLogs,
    serverAccessLogsPrefix: accessLogs ? 'backup-reports/' : undefined,
    removalPolicy: props.removalPolicy ?? RemovalPolicy.RETAIN,
    lifecycleRules: [
      {
        id: 'expire-reports',
        expiration: props.retention ?? Duration.days(3 * 365),
        noncurrentVersionExpiration: Duration.days(30),
        abortIncompleteMultipartUploadAfter: Duration.days(2),
      },
    ],
  });
  const reporter = `arn:${partition}:iam::${account}:role/aws-service-role/reports.backup.amazonaws.com/AWSServiceRoleForBackupReports`;
  const byReporter = { ArnEquals: { 'aws:PrincipalArn': reporter } };
  bucket.addToResourcePolicy(
    new PolicyStatement({
      sid: 'ReportsArrive',
      principals: [new AnyPrincipal()],
      actions: ['s3:PutObject'],
      resources: [bucket.arnForObjects('*')],
      conditions: { ...byReporter, StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control' } },
    }),
  );
  encryptionKey?.addToResourcePolicy(
    new PolicyStatement({
      sid: 'ReportsAreEncrypted',
      principals: [new AnyPrincipal()],
      actions: ['kms:GenerateDataKey', 'kms:Encrypt'],
      resources: ['*'],
      conditions: byReporter,
    }),
  );
  acknowledge(bucket, {
    ...inPacks(
      PACKS,
      'S3BucketReplicationEnabled',
      'Reports stay in their region; they are made anew every day',
    ),
    ...(encryptionKey
      ? {}
      : inPacks(
          PACKS,
          'S3DefaultEncryptionKMS',
          'S3 encrypts them; give encryptionKey for a key of your own',
        )),
    ...(accessLogs
      ? {}
      : {
          'AwsSolutions::AwsSolutions-S1': NO_ACCESS_LOGS,
          ...inPacks(PACKS, 'S3BucketLoggingEnabled', NO_ACCESS_LOGS),
        }),
  });
  return bucket;
}
