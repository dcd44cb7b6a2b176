import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { CfnRule, Rule } from 'aws-cdk-lib/aws-events';
import type { IRegimeVault } from '../vault';

/** Namespace of what the survey measures. */
export const SURVEY = 'SovereignBackup/Watch';

/**
 * Counts of AWS Backup, for one vault and where wanted for one type of resource; it has no others. Nothing is sent
 * where there is nothing to count.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/cloudwatch.html
 */
export function backupMetric(
  metricName: string,
  vault: string,
  type?: string,
  options: MetricOptions = {},
): Metric {
  return new Metric({
    namespace: 'AWS/Backup',
    metricName,
    dimensionsMap: { BackupVaultName: vault, ...(type === undefined ? {} : { ResourceType: type }) },
    statistic: Stats.SUM,
    ...options,
  });
}

/**
 * Counts of Data Lifecycle Manager.
 *
 * @see https://docs.aws.amazon.com/ebs/latest/userguide/monitor-dlm-cw-metrics.html
 */
export function snapshotMetric(metricName: string, policyId: string, options: MetricOptions = {}): Metric {
  return new Metric({
    namespace: 'AWS/EBS',
    metricName,
    dimensionsMap: { DLMPolicyId: policyId },
    statistic: Stats.SUM,
    ...options,
  });
}

/** What the survey has found, a gauge: the worst of the period. */
export function surveyMetric(metricName: string, watch: string, options: MetricOptions = {}): Metric {
  return new Metric({
    namespace: SURVEY,
    metricName,
    dimensionsMap: { watch },
    statistic: Stats.MAXIMUM,
    ...options,
  });
}

/** Events that a rule has passed on. */
export function ruleMetric(rule: Rule): Metric {
  return new Metric({
    namespace: 'AWS/Events',
    metricName: 'Invocations',
    // `ruleName` would ask at every use whether another region reads it; metrics stay in theirs.
    dimensionsMap: { RuleName: (rule.node.defaultChild as CfnRule).ref },
    statistic: Stats.SUM,
  });
}

/** The sum; what was not sent is nothing, so that a sum of which one part is missing is one all the same. */
export function sumOf(
  metrics: readonly IMetric[],
  label: string,
  period = Duration.minutes(5),
): MathExpression {
  return new MathExpression({
    expression: metrics.map((_, i) => `FILL(m${i}, 0)`).join(' + '),
    usingMetrics: Object.fromEntries(metrics.map((metric, i) => [`m${i}`, metric])),
    label,
    period,
  });
}

/** A count of AWS Backup over several vaults. */
export function sumOfVaults(
  vaults: readonly IRegimeVault[],
  metricName: string,
  label: string,
  type?: string,
  period?: Duration,
): MathExpression {
  const names = [...new Set(vaults.map(({ vaultName }) => vaultName))];
  return sumOf(
    names.map((name) => backupMetric(metricName, name, type)),
    label,
    period,
  );
}
