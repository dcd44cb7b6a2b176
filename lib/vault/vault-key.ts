import { Aws, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AnyPrincipal, ArnPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';

/** What a key of a region is for, and who else may use it. */
export interface RegionKeyOptions {
  readonly description: string;
  /** Accounts whose AWS Backup may use the key, to copy recovery points in or out. */
  readonly backupAccounts?: readonly string[];
  readonly removalPolicy: RemovalPolicy;
}

/**
 * A key that lives in one region only.
 *
 * A vault lock does not protect its key, and who deletes the key has deleted the backups. So deleting or disabling it
 * takes two steps: first somebody has to change this policy.
 */
export function regionKey(scope: Construct, id: string, options: RegionKeyOptions): Key {
  const key = new Key(scope, id, {
    description: options.description,
    enableKeyRotation: true,
    multiRegion: false,
    pendingWindow: Duration.days(30),
    removalPolicy: options.removalPolicy,
  });
  if (options.removalPolicy !== RemovalPolicy.DESTROY) {
    key.addToResourcePolicy(
      new PolicyStatement({
        sid: 'DeletionTakesAPolicyChangeFirst',
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['kms:ScheduleKeyDeletion', 'kms:DisableKey'],
        resources: ['*'],
      }),
    );
  }
  for (const statement of backupFromOtherAccounts(options.backupAccounts ?? [])) {
    key.addToResourcePolicy(statement);
  }
  return key;
}

/** AWS Backup's service-linked role of the other accounts. A condition names it: as a principal it would have to exist. */
function backupFromOtherAccounts(accounts: readonly string[]): PolicyStatement[] {
  if (accounts.length === 0) return [];
  const principals = accounts.map((account) => new ArnPrincipal(`arn:${Aws.PARTITION}:iam::${account}:root`));
  const roles = accounts.map(
    (account) =>
      `arn:${Aws.PARTITION}:iam::${account}:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup`,
  );
  return [
    new PolicyStatement({
      sid: 'BackupOfOtherAccounts',
      principals,
      actions: [
        'kms:DescribeKey',
        'kms:Encrypt',
        'kms:Decrypt',
        'kms:ReEncrypt*',
        'kms:GenerateDataKey',
        'kms:GenerateDataKeyWithoutPlaintext',
      ],
      resources: ['*'],
      conditions: { ArnEquals: { 'aws:PrincipalArn': roles } },
    }),
    new PolicyStatement({
      sid: 'BackupOfOtherAccountsGrants',
      principals,
      actions: ['kms:CreateGrant', 'kms:ListGrants', 'kms:RevokeGrant'],
      resources: ['*'],
      conditions: {
        ArnEquals: { 'aws:PrincipalArn': roles },
        Bool: { 'kms:GrantIsForAWSResource': true },
      },
    }),
  ];
}
