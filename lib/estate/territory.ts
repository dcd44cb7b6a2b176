import type { Stack } from 'aws-cdk-lib';
import type { RestoreTestingPlan } from '../drill';
import type { RegimeBackupPlan } from '../plan';
import type { PrivacyRegime } from '../regime';
import type { CacheSnapshots, CacheSnapshotsProps, InstanceSnapshots } from '../snapshot';
import type { IRegimeVault } from '../vault';

/** Somebody has decided that one region has to do. */
export interface SoleRegion {
  /** Who accepted the risk: a person or an office that can be asked. */
  readonly acceptedBy: string;

  /** The day on which the decision is looked at again, as `YYYY-MM-DD`. Synthesis fails after it. */
  readonly reviewOn: string;

  /**
   * Why.
   *
   * @default - the regime has no second region
   */
  readonly reason?: string;

  /**
   * Another account of the organization that keeps the second copy, in the same region: no protection from the loss of
   * the region, but from everything that can happen to the first account.
   *
   * @default - no second copy
   */
  readonly bunkerAccount?: string;
}

/** Data of one regime: the region it lives in, and where copies of it go. */
export interface Territory {
  /** The regime that data and copies are under. */
  readonly regime: PrivacyRegime;

  /** The region in which the protected resources are. */
  readonly home: string;

  /**
   * Regions of the regime to which everything is copied. Data Lifecycle Manager takes three at most.
   *
   * @default - none, which needs `soleRegion`
   */
  readonly copies?: string[];

  /**
   * The recorded decision to do without a second region.
   *
   * @default - a territory without copies fails synthesis
   */
  readonly soleRegion?: SoleRegion;

  /**
   * Caches of the home region that are snapshotted there. Nothing of them is copied.
   *
   * @default - none
   */
  readonly caches?: CacheSnapshotsProps;
}

/** What the estate has made of a territory, to build on. */
export interface EstateTerritory {
  /** The regime. */
  readonly regime: PrivacyRegime;
  /** The home region. */
  readonly home: string;
  /** The stack of the home region. */
  readonly stack: Stack;
  /** The vault of the home region. */
  readonly vault: IRegimeVault;
  /** The plan of the home region. */
  readonly plan: RegimeBackupPlan;
  /** The snapshots of instances; undefined when instances are not protected. */
  readonly snapshots?: InstanceSnapshots;
  /** The snapshots of caches; undefined when none are named. */
  readonly caches?: CacheSnapshots;
  /** The plan by which restores are tested; undefined when none is. */
  readonly restoreTests?: RestoreTestingPlan;
}
