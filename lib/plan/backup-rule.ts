import { Duration, type TimeZone } from 'aws-cdk-lib';
import { Schedule } from 'aws-cdk-lib/aws-events';
import type { aws_backup } from 'aws-cdk-lib/interfaces';
import { assertSettled } from '../settled';
import type { IRegimeVault } from '../vault';
import type { ResourceType } from './resource-type';

/** A copy with a lifecycle of its own. */
export interface RuleCopy {
  /** The vault that it goes to, of the regime. */
  readonly vault: aws_backup.IBackupVaultRef;

  /**
   * How long it is kept, counted from the backup's own creation.
   *
   * @default - the rule's `copyRetention`
   */
  readonly retention?: Duration;

  /**
   * Age at which it goes to cold storage, where it stays for at least 90 days.
   *
   * @default - never
   */
  readonly moveToColdStorageAfter?: Duration;

  /**
   * Whether EBS snapshots go to the archive tier as well when `moveToColdStorageAfter` is reached.
   *
   * @default false
   */
  readonly archiveSnapshots?: boolean;
}

/** Everything of a rule but its schedule. */
export interface BackupRuleOptions {
  /**
   * 1 to 50 letters, digits, dashes, dots and underscores, different within the plan.
   *
   * @default - what the preset is called: `hourly`, `daily`, ...
   */
  readonly ruleName?: string;

  /**
   * How long recovery points are kept.
   *
   * @default - 7 days for hourly and continuous, 35 for daily, 91 for weekly, 366 for monthly rules
   */
  readonly retention?: Duration;

  /**
   * The time zone of the schedule.
   *
   * @default TimeZone.ETC_UTC
   */
  readonly timeZone?: TimeZone;

  /**
   * How late a job may start before it is given up. At least 60 minutes; counts into the worst-case loss.
   *
   * @default Duration.hours(1)
   */
  readonly startWindow?: Duration;

  /**
   * How long a started job may take before it is cancelled; counts into the worst-case loss. The first, full backup of
   * a very large resource may need more.
   *
   * @default - 3 hours for hourly rules, 1 day for daily ones, 7 days for the others
   */
  readonly completionWindow?: Duration;

  /**
   * Age at which recovery points go to cold storage, where each of them stays for at least 90 days.
   *
   * @default - never
   */
  readonly moveToColdStorageAfter?: Duration;

  /**
   * Whether EBS snapshots go to the archive tier as well when `moveToColdStorageAfter` is reached.
   *
   * @default false
   */
  readonly archiveSnapshots?: boolean;

  /**
   * Continuous backup, for restores to any second, of the types that have it; the others get a snapshot. Retention is
   * 35 days at most.
   *
   * @default false
   */
  readonly continuous?: boolean;

  /**
   * Vaults to which this rule's recovery points are copied, of the regime.
   *
   * @default - the plan's `copies`
   */
  readonly copies?: aws_backup.IBackupVaultRef[];

  /**
   * How long the copies are kept, counted from the backup's own creation.
   *
   * @default - as long as the recovery points themselves
   */
  readonly copyRetention?: Duration;

  /**
   * Copies with a lifecycle of their own, besides `copies`.
   *
   * @default - none
   */
  readonly copiesWithLifecycle?: RuleCopy[];

  /**
   * Tags for the recovery points. No personal data: tags are not confidential.
   *
   * @default - none
   */
  readonly recoveryPointTags?: { [key: string]: string };

  /**
   * A logically air-gapped vault of this region in which recovery points are made at once, where the type allows it.
   *
   * @default - none
   */
  readonly airGappedVault?: IRegimeVault;

  /**
   * Types whose recovery points are indexed, to search them for files: `ResourceType.S3` and `ResourceType.EBS`.
   *
   * @default - none
   */
  readonly index?: ResourceType[];

  /**
   * Look for malware in the recovery points, with GuardDuty. The plan needs a `malwareScanRole`.
   *
   * @default - no scan
   */
  readonly malwareScan?: MalwareScan;
}

/** A part of a day is reported as a problem, and not thrown. */
const exact = { integral: false };

/** How much of a recovery point is looked at for malware. */
export enum MalwareScan {
  /** All of it. */
  FULL = 'FULL_SCAN',
  /** What has changed since the last recovery point. */
  INCREMENTAL = 'INCREMENTAL_SCAN',
}

/** A whole rule. */
export interface BackupRuleProps extends BackupRuleOptions {
  /** When jobs are scheduled: a cron schedule. */
  readonly schedule: Schedule;
}

/**
 * When recovery points are made, how long they are kept and where they are copied to.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/plan-options-and-configuration.html
 */
export class BackupRule {
  /** Every hour, kept 7 days. */
  public static hourly(options: BackupRuleOptions = {}): BackupRule {
    return new BackupRule({
      ruleName: 'hourly',
      schedule: Schedule.expression('cron(0 * ? * * *)'),
      retention: Duration.days(7),
      completionWindow: Duration.hours(3),
      ...options,
    });
  }

  /** At 05:00 every day, kept 35 days. */
  public static daily(options: BackupRuleOptions = {}): BackupRule {
    return new BackupRule({
      ruleName: 'daily',
      schedule: Schedule.expression('cron(0 5 ? * * *)'),
      retention: Duration.days(35),
      completionWindow: Duration.days(1),
      ...options,
    });
  }

  /** At 05:00 on Sundays, kept 13 weeks. */
  public static weekly(options: BackupRuleOptions = {}): BackupRule {
    return new BackupRule({
      ruleName: 'weekly',
      schedule: Schedule.expression('cron(0 5 ? * SUN *)'),
      retention: Duration.days(91),
      ...options,
    });
  }

  /** At 05:00 on the first of the month, kept a year. */
  public static monthly(options: BackupRuleOptions = {}): BackupRule {
    return new BackupRule({
      ruleName: 'monthly',
      schedule: Schedule.expression('cron(0 5 1 * ? *)'),
      retention: Duration.days(366),
      ...options,
    });
  }

  /** Continuously where the service can, else every day at 05:00; kept 7 days. */
  public static continuous(options: BackupRuleOptions = {}): BackupRule {
    return new BackupRule({
      ruleName: 'continuous',
      schedule: Schedule.expression('cron(0 5 ? * * *)'),
      retention: Duration.days(7),
      completionWindow: Duration.days(1),
      continuous: true,
      ...options,
    });
  }

  /** Everything that was declared, with the preset's values. */
  public readonly props: BackupRuleProps;

  /** @throws when a duration is known only at deployment: locks, cold storage and objectives are checked at synthesis */
  constructor(props: BackupRuleProps) {
    this.props = props;
    const { retention, copyRetention, startWindow, completionWindow, moveToColdStorageAfter } = props;
    const where = `rule '${this.ruleName}'`;
    assertSettled(where, { retention, copyRetention, startWindow, completionWindow, moveToColdStorageAfter });
    for (const [i, copy] of (props.copiesWithLifecycle ?? []).entries()) {
      const { retention: kept, moveToColdStorageAfter: cold } = copy;
      assertSettled(`${where}, copiesWithLifecycle[${i}]`, { retention: kept, moveToColdStorageAfter: cold });
    }
  }

  /** The rule's name. */
  public get ruleName(): string {
    return this.props.ruleName ?? 'rule';
  }

  /** Days that recovery points are kept. */
  public get retentionDays(): number {
    return (this.props.retention ?? Duration.days(35)).toDays(exact);
  }

  /** Days that copies are kept. */
  public get copyRetentionDays(): number {
    return this.props.copyRetention?.toDays(exact) ?? this.retentionDays;
  }

  /** Minutes that a job may be late. */
  public get startWindowMinutes(): number {
    return (this.props.startWindow ?? Duration.hours(1)).toMinutes(exact);
  }

  /** Minutes that a job may take. */
  public get completionWindowMinutes(): number {
    return (this.props.completionWindow ?? Duration.days(7)).toMinutes(exact);
  }
}
