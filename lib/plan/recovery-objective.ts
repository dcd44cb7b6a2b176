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
}
