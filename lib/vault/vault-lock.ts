import type { Duration } from 'aws-cdk-lib';
import { assertSettled } from '../settled';

/** How long recovery points of a locked vault must and may be kept. */
export interface VaultLockRetention {
  /**
   * The shortest retention that a job may ask for; a job with a shorter one fails. At least 1 day.
   *
   * @default Duration.days(7)
   */
  readonly minRetention?: Duration;

  /**
   * The longest retention that a job may ask for; a job with a longer one fails. At most 36,500 days.
   *
   * @default - no upper limit
   */
  readonly maxRetention?: Duration;
}

/** A compliance lock: nobody, not even AWS, can shorten or remove it after the cooling-off time. */
export interface ComplianceLockOptions extends VaultLockRetention {
  /**
   * The time in which the lock can still be taken back. At least 3 days.
   *
   * @default Duration.days(14)
   */
  readonly coolingOff?: Duration;
}

/**
 * AWS Backup Vault Lock: what keeps recovery points from being deleted before their time.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html
 */
export class VaultLock {
  /** Nobody deletes early, except principals with the IAM permission to remove the lock. The default. */
  public static governance(retention: VaultLockRetention = {}): VaultLock {
    return new VaultLock(retention);
  }

  /**
   * Nobody deletes early, and after the cooling-off time nobody can remove the lock: neither the account's root user
   * nor AWS. A wrong retention is then paid for until it ends.
   */
  public static irreversibleComplianceNobodyCanRemove(options: ComplianceLockOptions = {}): VaultLock {
    assertSettled('vault lock', { coolingOff: options.coolingOff });
    return new VaultLock(options, options.coolingOff?.toDays({ integral: false }) ?? 14);
  }

  /** No lock: whoever may delete recovery points may do so at any time. */
  public static none(): VaultLock {
    return new VaultLock();
  }

  /** Shortest retention in days; undefined without a lock. */
  public readonly minRetentionDays?: number;

  /** Longest retention in days; undefined when there is no limit. */
  public readonly maxRetentionDays?: number;

  /** Days of cooling-off; undefined for a governance lock. */
  public readonly coolingOffDays?: number;

  private constructor(retention?: VaultLockRetention, coolingOffDays?: number) {
    const { minRetention, maxRetention } = retention ?? {};
    assertSettled('vault lock', { minRetention, maxRetention });
    this.minRetentionDays = retention && (retention.minRetention?.toDays({ integral: false }) ?? 7);
    this.maxRetentionDays = retention?.maxRetention?.toDays({ integral: false });
    this.coolingOffDays = coolingOffDays;
  }
}
