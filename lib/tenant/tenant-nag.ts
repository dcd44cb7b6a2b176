import type { IConstruct } from 'constructs';
import { acknowledge, acknowledgeWildcards, CONTROL_PACKS, inPacks } from '../acknowledge';

const PACKS = CONTROL_PACKS;
const NO_ACCESS_LOGS = 'Logged where CloudTrail records data events; give accessLogs for server access logs';

/** Why what cdk-nag finds in the tenant backups is meant. */
export function explainToNag(scope: IConstruct, accessLogs: boolean): void {
  acknowledgeWildcards(
    scope,
    'Lambda and X-Ray know no resources for some actions; functions are invoked with their versions; ' +
      'objects and keys of a tenant are bound by the session tag',
  );
  acknowledge(scope, {
    ...inPacks(
      PACKS,
      'IAMNoInlinePolicy',
      'Each policy belongs to one role and to nothing else, and goes with it',
    ),
    ...inPacks(
      PACKS,
      'S3BucketReplicationEnabled',
      'Archives stay in their region; externalStores hold the copies elsewhere',
    ),
    ...inPacks(
      PACKS,
      'S3DefaultEncryptionKMS',
      'The worker encrypts every archive under a KMS key before storing it',
    ),
    ...inPacks(PACKS, 'LambdaConcurrency', 'The map limits how many tenants are dumped at a time'),
    ...inPacks(PACKS, 'LambdaDLQ', 'The state machine sees every failure, and the alarm rings'),
    ...inPacks(
      PACKS,
      'LambdaInsideVPC',
      'Inside one where the server is; the report needs S3 and CloudWatch only',
    ),
    ...inPacks(
      PACKS,
      'CloudWatchLogGroupEncrypted',
      'CloudWatch encrypts logs by itself; of tenants they hold names only',
    ),
    'AwsSolutions::AwsSolutions-ECS2': 'The variables name places; the one secret is read by its ARN',
    'AwsSolutions::AwsSolutions-ECS4': 'A task is a tenant of a run: the run counts it, and its alarm rings',
    ...(accessLogs
      ? {}
      : {
          'AwsSolutions::AwsSolutions-S1': NO_ACCESS_LOGS,
          ...inPacks(PACKS, 'S3BucketLoggingEnabled', NO_ACCESS_LOGS),
        }),
  });
}
