import type { Duration } from 'aws-cdk-lib';

/** What was promised about how much can be lost and how far one can go back. */
export interface RecoveryObjective {
  /**
   * The most that may be lost at the worst moment, with schedules, start delays and completion times counted.
   *
   * @default - not checked
   */
  readonly maxDataLoss?: Duration;

  /**
   * How far back in time something can be restored.
   *
   * @default - not checked
   */
  readonly retention?: Duration;

  /**
   * In how many vaults, accounts or regions a copy must be, the vault of the home region counted.
   *
   * @default - not checked
   */
  readonly copies?: number;

  /**
   * Whether a copy must be where nobody can delete it: in an air-gapped vault, or under a lock in compliance mode.
   *
   * @default - not checked
   */
  readonly immutable?: boolean;

  /**
   * The longest time between two tested restores. Known to an estate, and to the `objectives` command; a plan or a
   * snapshot policy alone tests none.
   *
   * @default - not checked
   */
  readonly restoreTestEvery?: Duration;
}
