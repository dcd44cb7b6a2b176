import { paginateDescribeDBClusters, paginateDescribeDBInstances, type RDSClient } from '@aws-sdk/client-rds';
import type { ResourceGroupsTaggingAPIClient } from '@aws-sdk/client-resource-groups-tagging-api';
import { findProtected } from './resources.js';
import { type Finding, minutesSince, type Protection, type Trouble } from './settings.js';

/**
 * How far continuous backup is behind. Only RDS and Aurora say to which second they could be restored; of S3 AWS tells
 * nothing but that continuous backup was interrupted.
 */
export async function checkLag(
  clients: { rds: RDSClient; tagging: ResourceGroupsTaggingAPIClient },
  protections: readonly Protection[],
  now: Date,
): Promise<Finding> {
  const limits = new Map<string, number>();
  for (const protection of protections) {
    const { maxLagMinutes } = protection;
    if (maxLagMinutes === undefined) continue;
    for (const arn of await findProtected(clients.tagging, protection)) {
      limits.set(arn, Math.min(maxLagMinutes, limits.get(arn) ?? maxLagMinutes));
    }
  }
  const troubles: Trouble[] = [];
  let ContinuousLag = 0;
  for await (const { arn, restorable } of databases(clients.rds)) {
    const limit = limits.get(arn);
    if (limit === undefined) continue;
    if (!restorable) {
      troubles.push({ message: 'database cannot be restored to any point in time', arn });
      continue;
    }
    const lag = minutesSince(restorable, now);
    ContinuousLag = Math.max(ContinuousLag, lag * 60);
    if (lag > limit) {
      troubles.push({ message: 'continuous backup is behind', arn, ageMinutes: Math.round(lag) });
    }
  }
  return { measures: { ContinuousLag, LaggingDatabases: troubles.length }, troubles };
}

async function* databases(client: RDSClient): AsyncGenerator<{ arn: string; restorable?: Date }> {
  for await (const page of paginateDescribeDBInstances({ client }, {})) {
    for (const instance of page.DBInstances ?? []) {
      // Members of a cluster are restored with it.
      if (instance.DBClusterIdentifier) continue;
      yield { arn: instance.DBInstanceArn ?? '', restorable: instance.LatestRestorableTime };
    }
  }
  for await (const page of paginateDescribeDBClusters({ client }, {})) {
    for (const cluster of page.DBClusters ?? []) {
      yield { arn: cluster.DBClusterArn ?? '', restorable: cluster.LatestRestorableTime };
    }
  }
}
