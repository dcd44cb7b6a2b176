/** How long archives are kept. Every rule keeps; what no rule keeps may go. */
export interface RetentionPolicy {
  /** Everything that is younger, in days. */
  readonly keepDays?: number;
  /** The newest of each of so many days, weeks (from Monday) and months that have archives; in UTC. */
  readonly keepDaily?: number;
  readonly keepWeekly?: number;
  readonly keepMonthly?: number;
}

export const ROLLING: RetentionPolicy = { keepDays: 7 };

/** An archive as far as its retention goes. */
export interface Aged {
  readonly archive: string;
  /** Its own time: that of the snapshot, never when some copy of it was written. */
  readonly at: Date;
  /** Whole as far as can be told: its three objects are there, and its data has the right size. */
  readonly good: boolean;
  /** Somebody's order to keep it. */
  readonly held?: boolean;
  /** Kept by the store itself until then. */
  readonly lockedUntil?: Date;
}

export interface Decision {
  readonly archive: string;
  readonly at: Date;
  readonly keep: boolean;
  /** Others may go because this one is good. */
  readonly counts: boolean;
  /** Why it is kept, or why it goes. */
  readonly reasons: readonly string[];
}

const DAY = 24 * 60 * 60 * 1000;

/** What the policy keeps of one tenant's archives, newest first. Nothing but arithmetic: it deletes nothing. */
export function planRetention(archives: readonly Aged[], policy: RetentionPolicy, now: Date): Decision[] {
  const sorted = [...archives].sort(
    (a, b) => b.at.getTime() - a.at.getTime() || (a.archive < b.archive ? 1 : -1),
  );
  const reasons = new Map<string, string[]>(sorted.map(({ archive }) => [archive, []]));
  const counting = new Set<string>();
  const keep = (archive: Aged, reason: string) => reasons.get(archive.archive)!.push(reason);
  const keepAsGood = (archive: Aged, reason: string) => {
    keep(archive, reason);
    counting.add(archive.archive);
  };
  // What is damaged, or of the future, is no backup: it takes nobody's place.
  const good = sorted.filter((archive) => archive.good && archive.at <= now);
  if (good[0]) keepAsGood(good[0], 'the newest good one');
  for (const archive of sorted) {
    const age = now.getTime() - archive.at.getTime();
    if (age < 0) keep(archive, 'of the future: it counts as none until then');
    if (policy.keepDays !== undefined && age <= policy.keepDays * DAY)
      keep(archive, `not older than ${policy.keepDays} days`);
    if (archive.held) keep(archive, 'held');
    if (archive.lockedUntil && archive.lockedUntil > now)
      keep(archive, `locked by its store until ${archive.lockedUntil.toISOString()}`);
  }
  const periods = [
    ['day', policy.keepDaily, dayOf],
    ['week', policy.keepWeekly, weekOf],
    ['month', policy.keepMonthly, monthOf],
  ] as const;
  for (const [name, count = 0, periodOf] of periods) {
    const seen = new Set<string>();
    for (const archive of good) {
      const period = periodOf(archive.at);
      if (seen.has(period)) continue;
      if (seen.size === count) break;
      seen.add(period);
      keepAsGood(archive, `the newest of ${name} ${period}`);
    }
  }
  return sorted.map(({ archive, at }) => {
    const why = reasons.get(archive)!;
    const counts = counting.has(archive);
    return {
      archive,
      at,
      keep: why.length > 0,
      counts,
      reasons: why.length > 0 ? why : ['no rule keeps it'],
    };
  });
}

function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10);
}

/** The Monday on which it begins. */
function weekOf(at: Date): string {
  return dayOf(new Date(at.getTime() - ((at.getUTCDay() + 6) % 7) * DAY));
}

function monthOf(at: Date): string {
  return at.toISOString().slice(0, 7);
}
