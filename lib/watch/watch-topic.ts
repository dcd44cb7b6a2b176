import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { regionKey } from '../vault/vault-key';

/**
 * A topic for alarms, rules and vaults of this account, encrypted with a key of its region: not with that
 * of a vault, or nobody would be told that the vault's key was disabled.
 *
 * SNS documents that a key's policy must not name the source of what EventBridge sends, or it never arrives: what the
 * key encrypts is bound to topics of this account instead.
 *
 * @see https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
 */
export function watchTopic(scope: Construct, id: string, regime: string): { topic: Topic; key: Key } {
  const { partition, region, account } = Stack.of(scope);
  const key = regionKey(scope, `${id}Key`, {
    description: `Alarms about the backups of ${regime}`,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'AlarmsAndEventsReachTopics',
      principals: ['cloudwatch', 'events', 'backup'].map(
        (name) => new ServicePrincipal(`${name}.amazonaws.com`),
      ),
      actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
      resources: ['*'],
      conditions: {
        ArnLike: { 'kms:EncryptionContext:aws:sns:topicArn': `arn:${partition}:sns:${region}:${account}:*` },
      },
    }),
  );
  const topic = new Topic(scope, id, { masterKey: key, enforceSSL: true });
  return { topic, key };
}
