import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';

export const logger = new Logger({ serviceName: 'sovereign-backup' });

const metrics = new Metrics({ namespace: 'SovereignBackup', serviceName: 'sovereign-backup' });

export interface Measure {
  readonly name: string;
  readonly value: number;
  readonly unit?: 'Count' | 'Bytes' | 'Seconds';
}

/**
 * Sends measures by the log (embedded metric format). The regime is a dimension; a tenant is not, because every
 * combination of dimensions is a metric of its own that is paid for.
 */
export function measure(regime: string, measures: readonly Measure[]): void {
  metrics.addDimension('regime', regime);
  for (const { name, value, unit } of measures) metrics.addMetric(name, MetricUnit[unit ?? 'Count'], value);
  metrics.publishStoredMetrics();
}
