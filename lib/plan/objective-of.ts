import type { Objective } from '../objective/assessment';
import type { RecoveryObjective } from './recovery-objective';

/** The objective in plain numbers, for the arithmetic. */
export function objectiveOf(objective: RecoveryObjective): Objective {
  return {
    maxLossMinutes: objective.maxDataLoss?.toMinutes(),
    retentionDays: objective.retention?.toDays(),
    copies: objective.copies,
    immutable: objective.immutable,
    restoreTestMinutes: objective.restoreTestEvery?.toMinutes(),
  };
}
