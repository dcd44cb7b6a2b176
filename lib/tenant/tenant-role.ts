import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { ARCHIVES } from './archive-bucket';
import { TENANT_TAG } from './tenant-key-maker';

export interface TenantRoleOptions {
  /** Who may become one tenant. */
  readonly workers: iam.IRole[];
  readonly bucket: IBucket;
  /** The shared key; without it each tenant has one that is tagged with it. */
  readonly key?: IKey;
  readonly regime: string;
}

// The policy variable is IAM's, not ours.
// biome-ignore lint/suspicious/noTemplateCurlyInString: IAM resolves it at each request
const TENANT = '${aws:PrincipalTag/tenant}';

/**
 * What a run may do for one tenant. The worker has no rights of its own on archives: it assumes this role with the
 * tenant's key as session tag, and every statement reaches that tenant's prefix and encryption context only. So a run
 * that is led astray by one tenant's data cannot read or damage another's.
 */
export function tenantRole(scope: Construct, id: string, options: TenantRoleOptions): iam.Role {
  const { workers, bucket, key, regime } = options;
  const prefix = `${ARCHIVES}${regime}/${TENANT}`;
  const { partition, region, account } = Stack.of(scope);
  const keys = key?.keyArn ?? `arn:${partition}:kms:${region}:${account}:key/*`;
  const ownTag = { [`aws:ResourceTag/${TENANT_TAG}`]: TENANT };
  const role = new iam.Role(scope, id, {
    description: 'One tenant at a time: its archives and its encryption context',
    // A worker's own role is chained into this one, which STS limits to an hour.
    assumedBy: new iam.CompositePrincipal(
      ...workers.map(
        ({ roleArn }) =>
          new iam.SessionTagsPrincipal(
            new iam.ArnPrincipal(roleArn).withConditions({
              StringLike: { 'aws:RequestTag/tenant': '?*' },
              'ForAllValues:StringEquals': { 'aws:TagKeys': ['tenant'] },
            }),
          ),
      ),
    ),
  });
  const statements = [
    new iam.PolicyStatement({
      sid: 'OwnArchives',
      actions: ['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
      resources: [bucket.arnForObjects(`${prefix}/*`)],
    }),
    // Leftovers of killed runs only: a manifest, and with it an archive, cannot be deleted with this role.
    new iam.PolicyStatement({
      sid: 'OwnLeftovers',
      actions: ['s3:DeleteObject'],
      resources: [
        bucket.arnForObjects(`${prefix}/*/data`),
        bucket.arnForObjects(`${prefix}/*/manifest.seal`),
      ],
    }),
    new iam.PolicyStatement({
      sid: 'OwnList',
      // Listing open uploads cannot be held to a prefix, so no tenant's session may; the bucket's lifecycle gives them up.
      actions: ['s3:ListBucket'],
      resources: [bucket.bucketArn],
      conditions: { StringLike: { 's3:prefix': [`${prefix}/*`] } },
    }),
    new iam.PolicyStatement({
      sid: 'OwnEncryptionContext',
      actions: ['kms:GenerateDataKey', 'kms:Decrypt', 'kms:Encrypt'],
      resources: [keys],
      conditions: {
        StringEquals: {
          'kms:EncryptionContext:tenant': TENANT,
          'kms:EncryptionContext:regime': regime,
          ...(key ? {} : ownTag),
        },
      },
    }),
    ...(key
      ? []
      : [
          new iam.PolicyStatement({
            sid: 'FindOwnKey',
            actions: ['kms:DescribeKey'],
            resources: [keys],
            conditions: { StringEquals: ownTag },
          }),
        ]),
  ];
  for (const statement of statements) role.addToPolicy(statement);
  for (const worker of workers) {
    worker.addToPrincipalPolicy(
      new iam.PolicyStatement({
        sid: 'BecomeOneTenant',
        actions: ['sts:AssumeRole', 'sts:TagSession'],
        resources: [role.roleArn],
      }),
    );
  }
  return role;
}
