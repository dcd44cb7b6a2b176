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
  const aliases = `arn:${partition}:kms:${region}:${account}:alias/sovereign-backup/${regime}/*`;
  const tagged = { StringEquals: { [`aws:ResourceTag/${REGIME_TAG}`]: regime } };
  return zipFunction(scope, id, 'tenant-keys', {
    description: 'Makes the key of a tenant that has none',
    environment: { SOVEREIGN_REGIME: regime },
    memorySize: 256,
    timeout: Duration.minutes(1),
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
        actions: ['kms:CreateAlias', 'kms:UpdateAlias', 'kms:DescribeKey', 'kms:EnableKeyRotation'],
        resources: [keys],
        conditions: tagged,
      }),
    ],
  });
}
