import type { Duration } from 'aws-cdk-lib';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { aws_kms } from 'aws-cdk-lib/interfaces';
import type { RestoreTestingPlan } from '../drill';
import type { RegimeBackupPlan } from '../plan';
import type { PrivacyRegime, TransferException } from '../regime';
import type { CacheSnapshots, InstanceSnapshots } from '../snapshot';
import type { TenantBackups, TenantDrill } from '../tenant';
import type { IRegimeVault } from '../vault';
import type { ResidencyWatch } from './residency-watch';
import type { WatchSeverity } from './severity';

/** What is watched in a region, and who is told. */
export interface BackupWatchProps {
  /** The regime whose backups are watched. */
  readonly regime: PrivacyRegime;

  /** Vaults of this stack's region. */
  readonly vaults: IRegimeVault[];

  /**
   * Plans of this region: every resource that they select is asked for.
   *
   * @default - none: missing backups are not noticed
   */
  readonly plans?: RegimeBackupPlan[];

  /**
   * Snapshots of instances of this region.
   *
   * @default - none
   */
  readonly snapshots?: InstanceSnapshots[];

  /**
   * Restore testing plans of this region.
   *
   * @default - none: that drills fail or are not run is not noticed
   */
  readonly drills?: RestoreTestingPlan[];

  /**
   * Tenant backups of this region, for the dashboard and for `notify`. They have alarms of their own.
   *
   * @default - none
   */
  readonly tenants?: TenantBackups[];

  /**
   * Restore drills of tenants of this region, for the dashboard and for `notify`. They have alarms of their own.
   *
   * @default - none
   */
  readonly tenantDrills?: TenantDrill[];

  /**
   * Snapshots of caches of this region.
   *
   * @default - none
   */
  readonly caches?: CacheSnapshots[];

  /**
   * Keys whose deletion would be the end of the backups.
   *
   * @default - the keys of those vaults that are made in this app
   */
  readonly keys?: aws_kms.IKeyRef[];

  /**
   * Notices copies that leave the regime.
   *
   * @default - a new one, where the region of the stack is known at synthesis
   */
  readonly residency?: ResidencyWatch;

  /**
   * Transfers out of the regime that are no reason for an alarm.
   *
   * @default - every copy out of the regime is one
   */
  readonly exceptions?: TransferException[];

  /**
   * Receives alarms, and events as sentences. An encrypted one must let CloudWatch, EventBridge and AWS Backup use its
   * key.
   *
   * @default - a new topic of this region, encrypted with a key of its own
   */
  readonly topic?: ITopic;

  /**
   * Events that matter less are not watched at all.
   *
   * @default WatchSeverity.WARNING
   */
  readonly lowestSeverity?: WatchSeverity;

  /**
   * How often is looked for resources without a recent recovery point, and for what hangs. 5 minutes to 1 hour.
   *
   * @default Duration.minutes(15)
   */
  readonly surveyEvery?: Duration;

  /**
   * How long a copy may take. AWS Backup sets no limit, and copies queue.
   *
   * @default Duration.hours(24)
   */
  readonly copiesWithin?: Duration;

  /**
   * Whether there is a dashboard.
   *
   * @default true
   */
  readonly dashboard?: boolean;

  /**
   * Where it is written what to do: the anchor of each alarm's section is put behind it.
   *
   * @default - the page about the watch in the repository of this package
   */
  readonly runbookUrl?: string;
}

/** Who else is told, and of what. */
export interface NotifyOptions {
  /**
   * What matters less is not told.
   *
   * @default - all that is watched
   */
  readonly atLeast?: WatchSeverity;

  /**
   * Whether the target gets the event itself instead of a sentence about it.
   *
   * @default false
   */
  readonly wholeEvent?: boolean;
}
