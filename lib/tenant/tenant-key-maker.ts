import { Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { zipFunction } from '../shipped-functions';

export const TENANT_TAG = 'sovereign-tenant';
export const REGIME_TAG = 'sovereign-regime';

/** Makes a tenant's key where there is none; it can neither use a key, nor reach archives or databases. */
export function tenantKeyMaker(scope: Construct, id: string, regime: string): lambda.Function {
  const { partition, region, account } = Stack.of(scope);
  const keys = `arn:${partition}:kms:${region}:${account}:key/*`;
  const names = `alias/sovereign-backup/${regime}/*`;
  const aliases = `arn:${partition}:kms:${region}:${account}:${names}`;
  const tagged = { StringEquals: { [`aws:ResourceTag/${REGIME_TAG}`]: regime } };
  return zipFunction(scope, id, 'tenant-keys', {
    description: 'Makes the key of a tenant that has none',
    environment: { SOVEREIGN_REGIME: regime },
    memorySize: 256,
    // It may be five minutes until the tags of a new key count.
    timeout: Duration.minutes(10),
    statements: [
      new iam.PolicyStatement({
        sid: 'MakeTaggedKeys',
        // A key that does not exist yet has no ARN.
        actions: ['kms:CreateKey', 'kms:TagResource'],
        resources: ['*'],
        conditions: {
          StringEquals: { [`aws:RequestTag/${REGIME_TAG}`]: regime },
          'ForAllValues:StringEquals': { 'aws:TagKeys': [TENANT_TAG, REGIME_TAG] },
        },
      }),
      new iam.PolicyStatement({
        sid: 'NameThem',
        actions: ['kms:CreateAlias', 'kms:UpdateAlias'],
        resources: [aliases],
      }),
      new iam.PolicyStatement({
        sid: 'OfTaggedKeysAlone',
        // By the last one it learns that the tags of a new key count.
        actions: ['kms:CreateAlias', 'kms:UpdateAlias', 'kms:EnableKeyRotation', 'kms:DescribeKey'],
        resources: [keys],
        conditions: tagged,
      }),
      new iam.PolicyStatement({
        sid: 'AskByName',
        actions: ['kms:DescribeKey'],
        // A name that nobody has yet leads to no key, and so to no tags by which the question could be allowed.
        resources: [keys, aliases],
        conditions: { StringLike: { 'kms:RequestAlias': names } },
      }),
    ],
  });
}
