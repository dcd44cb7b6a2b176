import type { Value } from '../../residency/resolve/alternatives';
import type { Resolver } from '../../residency/resolve/resolver';
import type { Resource, Stack } from '../../residency/resolve/stack';
import { isLiteral } from '../../residency/resolve/text';
import { type PlainRule, RULE_DEFAULTS } from '../rule-layer';
import type { Store } from '../store';
import { branches, type Fields, fieldsOf, flagOf, listOf, numberOf, textOf } from './values';
import type { Vaults } from './vaults';

/** A plan of AWS Backup under one outcome of the template's conditions. */
export interface PlanVariant {
  readonly rules: readonly PlainRule[];
  /** What could not be determined. */
  readonly unclear: readonly string[];
}

export function planVariants(
  resolver: Resolver,
  stack: Stack,
  plan: Resource,
  vaults: Vaults,
): readonly PlanVariant[] {
  return branches(resolver, stack, plan.properties.BackupPlan).map((value) => {
    const unclear: string[] = [];
    const rules = listOf(fieldsOf(value).BackupPlanRule).flatMap((each, i) => {
      const rule = ruleOf(fieldsOf(each), i, stack, vaults, unclear);
      return rule === undefined ? [] : [rule];
    });
    return { rules, unclear };
  });
}

function ruleOf(
  fields: Fields,
  index: number,
  stack: Stack,
  vaults: Vaults,
  unclear: string[],
): PlainRule | undefined {
  const given = textOf(fields.RuleName);
  const name = given !== undefined && isLiteral(given) ? given : `${index + 1}`;
  const schedule = textOf(fields.ScheduleExpression) ?? RULE_DEFAULTS.schedule;
  if (!isLiteral(schedule)) {
    unclear.push(`the schedule of rule ${name}`);
    return undefined;
  }
  const number = (value: Value, what: string) => numberOf(value, `${what} of rule ${name}`, unclear);
  const retentionDays = number(fieldsOf(fields.Lifecycle).DeleteAfterDays, 'the retention');
  const [ordinary, airGapped] = [
    textOf(fields.TargetBackupVault),
    textOf(fields.TargetLogicallyAirGappedBackupVaultArn),
  ].map((vault) => (vault === undefined ? undefined : { ...vaults.storeOf(vault, stack), retentionDays }));
  const made = airGapped ?? ordinary;
  const stores: Store[] = made ? [made] : [];
  if (!made) unclear.push(`the vault of rule ${name}`);
  for (const each of listOf(fields.CopyActions)) {
    const copy = fieldsOf(each);
    const arn = textOf(copy.DestinationBackupVaultArn);
    if (arn === undefined) continue;
    const kept = number(fieldsOf(copy.Lifecycle).DeleteAfterDays, 'the retention of a copy');
    // A copy without a retention of its own, or with -1, ends with what it is a copy of.
    const days = kept === undefined || kept < 0 ? retentionDays : kept;
    stores.push({ ...vaults.storeOf(arn, stack), retentionDays: days });
  }
  const zone = textOf(fields.ScheduleExpressionTimezone);
  return {
    name,
    schedule,
    timeZone: zone,
    startWindowMinutes:
      number(fields.StartWindowMinutes, 'the start window') ?? RULE_DEFAULTS.startWindowMinutes,
    completionWindowMinutes:
      number(fields.CompletionWindowMinutes, 'the completion window') ??
      RULE_DEFAULTS.completionWindowMinutes,
    continuous: flagOf(fields.EnableContinuousBackup),
    retentionDays,
    stores,
    ordinary,
  };
}
