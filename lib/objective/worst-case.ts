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

/** What was promised. */
export interface Objective {
  readonly maxLossMinutes?: number;
  readonly retentionDays?: number;
}

/** How a resource's layers miss the objective, each with its arithmetic. Any one layer that meets a part is enough. */
export function objectiveProblems(subject: string, layers: readonly Layer[], objective: Objective): string[] {
  const problems: string[] = [];
  const { maxLossMinutes: limit, retentionDays: days } = objective;
  if (layers.length === 0) return [`${subject}: nothing backs it up`];
  if (limit !== undefined) {
    const losses = layers.map((layer) => ({ layer, ...worstCaseLoss(layer) }));
    if (losses.every(({ minutes }) => minutes > limit)) {
      const sums = losses.map(({ layer, arithmetic }) => `${layer.name}: ${arithmetic}`).join('; ');
      problems.push(
        `${subject}: the objective allows a loss of ${span(limit)}, and the worst case is more. ${sums}. ` +
          'Run more often, shorten the windows, use continuous backup where the service has it, or relax the objective',
      );
    }
  }
  if (days !== undefined) {
    const kept = layers.map((layer) => layer.retentionDays ?? Number.POSITIVE_INFINITY);
    if (Math.max(...kept) < days) {
      const list = layers.map((layer) => `${layer.name}: ${layer.retentionDays} days`).join('; ');
      problems.push(
        `${subject}: the objective reaches back ${days} days, and nothing is kept that long. ${list}. ` +
          'Keep recovery points longer, or relax the objective',
      );
    }
  }
  return problems;
}

/** Minutes for people: `90 min`, `2 h`, `25 h`, `3 d`. */
export function span(minutes: number): string {
  if (minutes >= 2880 && minutes % 1440 === 0) return `${minutes / 1440} d`;
  return minutes % 60 === 0 && minutes > 0 ? `${minutes / 60} h` : `${minutes} min`;
}
