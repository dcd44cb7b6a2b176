import type { VaultLock } from './vault-lock';

/** A hundred years. */
export const LONGEST_DAYS = 36_500;

/** What AWS Backup would refuse of a lock, before it does so at deployment. */
export function lockProblems(lock: VaultLock): string[] {
  const { minRetentionDays: min, maxRetentionDays: max, coolingOffDays: cooling } = lock;
  if (min === undefined) return [];
  const problems: string[] = [];
  for (const [what, days] of Object.entries({ minRetention: min, maxRetention: max, coolingOff: cooling })) {
    if (days !== undefined && !Number.isInteger(days))
      problems.push(`vault lock: ${what} is ${days} days, write whole days`);
  }
  if (min < 1) problems.push(`vault lock: minRetention is ${min} days, it must be at least 1 day`);
  if (max !== undefined && max < min) {
    problems.push(`vault lock: maxRetention (${max} days) is shorter than minRetention (${min} days)`);
  }
  if (max !== undefined && max > LONGEST_DAYS) {
    problems.push(`vault lock: maxRetention is ${max} days, it may be at most ${LONGEST_DAYS}`);
  }
  if (cooling !== undefined && (cooling < 3 || cooling > LONGEST_DAYS)) {
    problems.push(`vault lock: coolingOff is ${cooling} days, AWS Backup wants 3 to ${LONGEST_DAYS}`);
  }
  return problems;
}

/** Why jobs with this retention would fail at night in a vault with this lock. */
export function retentionAgainstLock(days: number | undefined, lock: VaultLock): string | undefined {
  const { minRetentionDays: min, maxRetentionDays: max } = lock;
  if (min === undefined) return undefined;
  if (days === undefined) {
    return max === undefined
      ? undefined
      : `never deletes, and the vault's lock allows at most ${max} days: set a retention within it`;
  }
  if (days < min) return `keeps for ${days} days, and the vault's lock demands at least ${min}: keep longer`;
  if (max !== undefined && days > max) {
    return `keeps for ${days} days, and the vault's lock allows at most ${max}: keep shorter, or widen the lock`;
  }
  return undefined;
}
