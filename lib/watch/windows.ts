import type { RestoreTestingPlan } from '../drill';
import { longestGapMinutes } from '../objective/cron';
import type { RegimeBackupPlan } from '../plan';
import { layerOf } from '../plan/rule-check';
import type { InstanceSnapshots } from '../snapshot';

/** A restore, its validation and its deletion may take so long. */
const DRILL_SLACK_MINUTES = 24 * 60;

/**
 * How old the newest recovery point of a plan may be: from one run to the next, with the start and the completion
 * window of the next. Of several rules the one that keeps it youngest counts; undefined when no schedule can be read.
 */
export function newestWithinMinutes(plan: RegimeBackupPlan): number | undefined {
  const sums = plan._declared.rules.flatMap((rule) => {
    const layer = layerOf(rule, []);
    return layer ? [(layer.intervalMinutes ?? 0) + layer.startDelayMinutes + layer.completionMinutes] : [];
  });
  return sums.length > 0 ? Math.min(...sums) : undefined;
}

/** The same of snapshots; an hour more, in which a snapshot that was begun is completed. */
export function snapshotWithinMinutes(snapshots: InstanceSnapshots): number {
  const layer = snapshots._layer();
  return (layer.intervalMinutes ?? 0) + layer.startDelayMinutes + 60;
}

/** How long ago the last good drill may be. */
export function drillWithinMinutes(drills: RestoreTestingPlan): number | undefined {
  const { schedule, startWindow } = drills._declared;
  try {
    return longestGapMinutes(schedule) + startWindow.toMinutes() + DRILL_SLACK_MINUTES;
  } catch {
    // The plan has already said so.
    return undefined;
  }
}
