import type { Objective } from '../objective/assessment';
import { assertSettled } from '../settled';
import type { RecoveryObjective } from './recovery-objective';

/** The objective in plain numbers, for the arithmetic. */
export function objectiveOf(objective: RecoveryObjective): Objective {
  const { maxDataLoss, retention, restoreTestEvery } = objective;
  assertSettled('objective', { maxDataLoss, retention, restoreTestEvery });
  return {
    maxLossMinutes: maxDataLoss?.toMinutes({ integral: false }),
    retentionDays: retention?.toDays({ integral: false }),
    copies: objective.copies,
    immutable: objective.immutable,
    restoreTestMinutes: restoreTestEvery?.toMinutes({ integral: false }),
  };
}
