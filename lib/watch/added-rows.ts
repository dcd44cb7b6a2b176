/** Rows of the dashboard for what can be added to a watch later. */
import { Duration } from 'aws-cdk-lib';
import {
  Color,
  GraphWidget,
  type IWidget,
  Metric,
  SingleValueWidget,
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { CacheSnapshots } from '../snapshot';
import type { TenantBackups, TenantDrill } from '../tenant';

const HOUR = Duration.hours(1);

/** What is shown of the backups of tenants. */
export function tenantRow(tenants: TenantBackups): IWidget[] {
  const count = (metricName: string, label: string, color: string) =>
    new Metric({
      namespace: 'SovereignBackup',
      metricName,
      dimensionsMap: { service: 'sovereign-backup', regime: tenants.regime.id },
      statistic: Stats.MAXIMUM,
      period: HOUR,
      label,
      color,
    });
  return [
    new GraphWidget({
      title: 'Tenants in each run',
      width: 12,
      height: 6,
      left: [
        count('TenantsExpected', 'expected', Color.GREY),
        count('TenantsSucceeded', 'dumped', Color.GREEN),
        count('TenantsFailed', 'failed', Color.RED),
        count('TenantsMissing', 'never begun', Color.ORANGE),
      ],
    }),
    new GraphWidget({
      title: 'Runs over all tenants',
      width: 12,
      height: 6,
      left: [tenants.metricSucceeded(), tenants.metricFailed({ period: HOUR })],
    }),
  ];
}

/** What is shown of the drills of tenants. */
export function tenantDrillRow(drill: TenantDrill): IWidget[] {
  return [
    new SingleValueWidget({
      title: 'Last good drill of tenants',
      width: 12,
      height: 3,
      metrics: [drill.metricAge({ label: 'days ago' })],
      setPeriodToTimeRange: false,
    }),
    new GraphWidget({
      title: 'Drills of tenants',
      width: 12,
      height: 3,
      left: [drill.metricFailed({ period: HOUR, label: 'failed', color: Color.RED })],
    }),
  ];
}

/** What is shown of the snapshots of caches. */
export function cacheRow(caches: CacheSnapshots): IWidget[] {
  return [
    new GraphWidget({
      title: 'Runs over caches',
      width: 12,
      height: 6,
      left: [
        caches.metricSucceeded({ label: 'succeeded', color: Color.GREEN }),
        caches.metricFailed({ period: HOUR, label: 'failed', color: Color.RED }),
      ],
    }),
  ];
}
