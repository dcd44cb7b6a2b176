import type { Duration } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type { aws_kms } from 'aws-cdk-lib/interfaces';
import type { PrivacyRegime, TransferException } from '../regime';
import type { SnapshotScript } from './snapshot-script';

/** Which instances, how often, and where copies go. */
export interface InstanceSnapshotsProps {
  /**
   * Instances that have any of these tags are snapshotted, all their volumes at the same moment. Taking the tag away
   * stops the snapshots and also their expiry: the ones there are stay until somebody deletes them.
   */
  readonly targetTags: { [key: string]: string };

  /**
   * How often: 1, 2, 3, 4, 6, 8, 12 or 24 hours. A run starts up to an hour late, so hourly means to lose two hours at
   * worst.
   *
   * @default Duration.hours(1)
   */
  readonly interval?: Duration;

  /**
   * The first run of the day, UTC, as `HH:MM`.
   *
   * @default '00:00'
   */
  readonly startTime?: string;

  /**
   * How long snapshots are kept.
   *
   * @default Duration.days(7)
   */
  readonly retention?: Duration;

  /**
   * Up to three regions of the regime to which every snapshot is copied, encrypted.
   *
   * @default - no copies
   */
  readonly copies?: string[];

  /**
   * How long copies are kept.
   *
   * @default - as long as the snapshots
   */
  readonly copyRetention?: Duration;

  /**
   * Keys of the copies' regions, by region.
   *
   * @default - the EBS default key of the account in that region
   */
  readonly copyKeys?: { [region: string]: aws_kms.IKeyRef };

  /**
   * Customer managed keys of the instances' volumes: the policy's role needs them to copy and to share.
   *
   * @default - volumes are encrypted with the AWS managed key, or not at all
   */
  readonly volumeKeys?: aws_kms.IKeyRef[];

  /**
   * The regime that copies stay in.
   *
   * @default - the widest regime of the catalogue that holds the stack's region
   */
  readonly regime?: PrivacyRegime;

  /**
   * Dated leave to copy to regions of another regime.
   *
   * @default - no copy leaves the regime
   */
  readonly exceptions?: TransferException[];

  /**
   * Leave the boot volumes out.
   *
   * @default false
   */
  readonly excludeBootVolume?: boolean;

  /**
   * What runs on each instance before and after, so that its application is consistent in the snapshots. The role made
   * here may then run that one document on instances with the target tags; a role of one's own needs the same.
   *
   * @default - nothing: the snapshots are crash-consistent
   */
  readonly scripts?: SnapshotScript;

  /**
   * Tags for the snapshots, besides those of the volumes, which are copied. No personal data.
   *
   * @default - none
   */
  readonly snapshotTags?: { [key: string]: string };

  /**
   * The role of the lifecycle policy.
   *
   * @default - a new role that may snapshot the account's volumes, and delete only what the policy made
   */
  readonly role?: iam.IRole;
}
