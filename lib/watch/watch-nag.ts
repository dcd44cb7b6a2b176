import type { IConstruct } from 'constructs';
import { acknowledge, inPacks } from '../acknowledge';

const PACKS = ['HIPAA.Security', 'NIST.800.53.R5', 'PCI.DSS.321'];

/** Why what cdk-nag finds in the watch is meant. */
export function explainWatchToNag(scope: IConstruct): void {
  acknowledge(scope, {
    ...inPacks(
      PACKS,
      'IAMNoInlinePolicy',
      'The policy belongs to the role of the survey alone, and goes with it',
    ),
    ...inPacks(PACKS, 'LambdaConcurrency', 'The schedule starts one survey at a time'),
    ...inPacks(PACKS, 'LambdaDLQ', 'A survey that is missing has its own alarm; a late one is worth nothing'),
    ...inPacks(PACKS, 'LambdaInsideVPC', 'The survey asks public services of AWS only'),
    ...inPacks(
      PACKS,
      'CloudWatchLogGroupEncrypted',
      'CloudWatch encrypts logs by itself; they hold ARNs of resources and no data',
    ),
  });
}
