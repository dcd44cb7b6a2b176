/** How much an event or alarm matters. */
export enum WatchSeverity {
  /** Worth knowing afterwards: a deployment changed a plan. */
  INFO = 'INFO',
  /** Somebody should look during the day: one job failed, and is tried again by the next run. */
  WARNING = 'WARNING',
  /** Somebody should get up: backups are being destroyed, or what was promised is broken. */
  CRITICAL = 'CRITICAL',
}

const ORDER = [WatchSeverity.INFO, WatchSeverity.WARNING, WatchSeverity.CRITICAL];

/** Whether something matters at least so much. */
export function atLeast(severity: WatchSeverity, least: WatchSeverity): boolean {
  return ORDER.indexOf(severity) >= ORDER.indexOf(least);
}
