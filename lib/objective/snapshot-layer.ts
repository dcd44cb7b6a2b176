import type { Store } from './store';
import { type Layer, span } from './worst-case';

/** Data Lifecycle Manager starts within an hour of the scheduled time. */
const START_DELAY_MINUTES = 60;

/** A schedule of Data Lifecycle Manager as the objective arithmetic sees it. */
export function snapshotLayer(
  intervalMinutes: number,
  retentionDays: number | undefined,
  stores: readonly Store[],
): Layer {
  return {
    name: `snapshots every ${span(intervalMinutes)}`,
    intervalMinutes,
    startDelayMinutes: START_DELAY_MINUTES,
    startDelayReason: 'that a run may start late',
    completionMinutes: 0,
    retentionDays,
    stores,
  };
}
