import type { Store } from './store';

/** One way by which recovery points are made, in plain minutes and days. */
export interface Layer {
  /** For people: `hourly snapshots`, `rule daily`. */
  readonly name: string;
  /** Longest time between two scheduled starts; undefined for a layer that runs continuously. */
  readonly intervalMinutes?: number;
  /** How late after the scheduled time a run may begin. */
  readonly startDelayMinutes: number;
  /** Who says so: `DLM may start late`. */
  readonly startDelayReason: string;
  /** How long a run may take before it is cancelled, 0 where the point in time is taken at once. */
  readonly completionMinutes: number;
  /** How far behind a continuous layer may be. */
  readonly lagMinutes?: number;
  /** How long recovery points are kept; undefined is for ever. */
  readonly retentionDays?: number;
  /** Where they are kept, the first of these at once and the others after a copy. */
  readonly stores?: readonly Store[];
}

/** Restores that are tested on a schedule. What came of them is in the account, not in the declaration. */
export interface Drill {
  readonly name: string;
  readonly everyMinutes: number;
  /** Whether somebody looks at what was restored. */
  readonly judged: boolean;
}

export interface WorstCase {
  readonly minutes: number;
  /** The sum, written out. */
  readonly arithmetic: string;
}

/**
 * What may be lost when disaster strikes at the worst moment: just before the next recovery point is complete. That one
 * is started a whole interval after the last, late by the start delay, and may take its whole completion time.
 */
export function worstCaseLoss(layer: Layer): WorstCase {
  if (layer.lagMinutes !== undefined) {
    return { minutes: layer.lagMinutes, arithmetic: `${span(layer.lagMinutes)} behind, continuously` };
  }
  const interval = layer.intervalMinutes ?? 0;
  const parts = [`${span(interval)} between runs`];
  if (layer.startDelayMinutes > 0) parts.push(`${span(layer.startDelayMinutes)} ${layer.startDelayReason}`);
  if (layer.completionMinutes > 0) parts.push(`${span(layer.completionMinutes)} until it must be complete`);
  const minutes = interval + layer.startDelayMinutes + layer.completionMinutes;
  return { minutes, arithmetic: `${parts.join(' + ')} = ${span(minutes)}` };
}

/** Minutes for people: `90 min`, `2 h`, `25 h`, `3 d`. */
export function span(minutes: number): string {
  if (minutes >= 2880 && minutes % 1440 === 0) return `${minutes / 1440} d`;
  return minutes % 60 === 0 && minutes > 0 ? `${minutes / 60} h` : `${minutes} min`;
}
