import { Duration } from 'aws-cdk-lib';
import { BackupRule } from './backup-rule';

/** Sets of rules that go together, for `rules` of a plan or an estate. */
export class BackupRules {
  /** Hourly kept 7 days, daily kept 35 days. */
  public static hourly7DaysDaily35Days(): BackupRule[] {
    return [BackupRule.hourly(), BackupRule.daily()];
  }

  /** Continuous (daily for types that have it not) kept 7 days, daily kept 35 days. */
  public static continuous7DaysDaily35Days(): BackupRule[] {
    return [BackupRule.continuous(), BackupRule.daily()];
  }

  /** Daily kept 35 days, weekly kept 13 weeks, monthly kept a year: grandfather, father, son. */
  public static daily35DaysWeekly13WeeksMonthly1Year(): BackupRule[] {
    return [BackupRule.daily(), BackupRule.weekly(), BackupRule.monthly()];
  }

  /** Daily kept 35 days, monthly kept 7 years and in cold storage after 30 days. */
  public static daily35DaysMonthly7YearsCold(): BackupRule[] {
    return [
      BackupRule.daily(),
      BackupRule.monthly({
        retention: Duration.days(7 * 366),
        moveToColdStorageAfter: Duration.days(30),
        archiveSnapshots: true,
      }),
    ];
  }

  private constructor() {}
}
