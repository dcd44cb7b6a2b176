import type { Resolver } from '../../residency/resolve/resolver';
import type { Resource, Stack } from '../../residency/resolve/stack';
import { isLiteral } from '../../residency/resolve/text';
import { longestGapMinutes } from '../cron';
import { snapshotLayer } from '../snapshot-layer';
import type { Store } from '../store';
import type { Layer } from '../worst-case';
import {
  branches,
  type Fields,
  fieldsOf,
  knownText,
  listOf,
  numberOf,
  tagsOf,
  textOf,
  textsOf,
} from './values';

/** A policy of Data Lifecycle Manager: snapshots of what has any of its tags. */
export interface LifecyclePolicy {
  readonly types: readonly string[];
  readonly tags: ReadonlyMap<string, string>;
  readonly layers: readonly Layer[];
  readonly unclear: readonly string[];
}

const TYPES: Readonly<Record<string, string>> = { INSTANCE: 'EC2', VOLUME: 'EBS' };
const DAYS: Readonly<Record<string, number>> = { DAYS: 1, WEEKS: 7, MONTHS: 30, YEARS: 365 };

export function lifecycleVariants(
  resolver: Resolver,
  stack: Stack,
  resource: Resource,
): readonly LifecyclePolicy[] {
  if (textOf(branches(resolver, stack, resource.properties.State)[0]) === 'DISABLED') return [];
  return branches(resolver, stack, resource.properties.PolicyDetails).map((value) => {
    const details = fieldsOf(value);
    const unclear: string[] = [];
    return {
      types: textsOf(details.ResourceTypes).flatMap((type) => TYPES[type] ?? []),
      tags: tagsOf(details.TargetTags),
      layers: listOf(details.Schedules).flatMap((each) => scheduleLayer(fieldsOf(each), stack, unclear)),
      unclear,
    };
  });
}

function scheduleLayer(schedule: Fields, stack: Stack, unclear: string[]): Layer[] {
  const create = fieldsOf(schedule.CreateRule);
  const cron = textOf(create.CronExpression);
  const hours = numberOf(create.Interval, 'the interval of a snapshot schedule', unclear);
  if (cron !== undefined ? !isLiteral(cron) : hours === undefined) {
    unclear.push('the schedule of a snapshot policy');
    return [];
  }
  let minutes: number;
  try {
    minutes = cron !== undefined ? longestGapMinutes(cron) : hours! * 60;
  } catch (error) {
    unclear.push(`the schedule of a snapshot policy (${(error as Error).message})`);
    return [];
  }
  const retentionDays = daysOf(fieldsOf(schedule.RetainRule), minutes, unclear);
  const account = knownText(stack.account);
  const stores: Store[] = [
    { kind: 'snapshots', name: null, region: knownText(stack.region), account, lock: 'none', retentionDays },
  ];
  for (const each of listOf(schedule.CrossRegionCopyRules)) {
    const copy = fieldsOf(each);
    const target = textOf(copy.Target) ?? textOf(copy.TargetRegion);
    if (target === undefined) continue;
    const days = daysOf(fieldsOf(copy.RetainRule), minutes, unclear);
    stores.push({
      kind: 'snapshots',
      name: null,
      region: knownText(target),
      account,
      lock: 'none',
      retentionDays: days,
    });
  }
  return [snapshotLayer(minutes, retentionDays, stores)];
}

/** A number of snapshots reaches back that many runs. */
function daysOf(retain: Fields, intervalMinutes: number, unclear: string[]): number | undefined {
  const count = numberOf(retain.Count, 'the retention of a snapshot schedule', unclear);
  if (count !== undefined) return Math.floor((count * intervalMinutes) / 1440);
  const interval = numberOf(retain.Interval, 'the retention of a snapshot schedule', unclear);
  const unit = DAYS[textOf(retain.IntervalUnit) ?? ''];
  return interval === undefined || unit === undefined ? undefined : interval * unit;
}
