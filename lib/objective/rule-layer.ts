import { longestGapMinutes } from './cron';
import type { Store } from './store';
import type { TypeRecord } from './type-table';
import type { Layer } from './worst-case';

/** A rule of an AWS Backup plan in plain values, whoever wrote it. */
export interface PlainRule {
  readonly name: string;
  readonly schedule: string;
  readonly timeZone?: string;
  readonly startWindowMinutes: number;
  readonly completionWindowMinutes: number;
  readonly continuous: boolean;
  /** Undefined is for ever. */
  readonly retentionDays?: number;
  readonly stores: readonly Store[];
  /** The ordinary vault of a rule whose first store is an air-gapped one: what cannot be copied stays there. */
  readonly ordinary?: Store;
}

/** Of a type: how far behind continuous backup may be, where it has any, and whether recovery points can be copied. */
export type Abilities = Pick<TypeRecord, 'lagMinutes' | 'copies'>;

/** What AWS Backup does where a rule says nothing. */
export const RULE_DEFAULTS = {
  schedule: 'cron(0 5 ? * * *)',
  startWindowMinutes: 480,
  completionWindowMinutes: 10_080,
} as const;

/**
 * The rule as the objective arithmetic sees it.
 *
 * @param type what the resource's type can do; undefined for any
 * @throws Error when the schedule cannot be read
 */
export function ruleLayer(rule: PlainRule, type: Abilities = {}): Layer {
  return {
    name: `rule ${rule.name}`,
    intervalMinutes: scheduleGap(rule.schedule, rule.timeZone),
    startDelayMinutes: rule.startWindowMinutes,
    startDelayReason: 'start window',
    completionMinutes: rule.completionWindowMinutes,
    lagMinutes: rule.continuous ? type.lagMinutes : undefined,
    retentionDays: rule.retentionDays,
    stores:
      type.copies === false ? [rule.ordinary ?? rule.stores[0]].flatMap((one) => one ?? []) : rule.stores,
  };
}

/** The longest wait between two runs. Where clocks are changed, a night can have an hour more. */
export function scheduleGap(schedule: string, timeZone = 'Etc/UTC'): number {
  const gap = longestGapMinutes(schedule);
  return gap > 60 && timeZone !== 'Etc/UTC' && timeZone !== 'UTC' ? gap + 60 : gap;
}
