import { reachableRegions, type Transfer } from '../regime/reachable';

/** What is watched for, and as seen from which region. */
export interface Watched {
  readonly partition: string;
  readonly regions: readonly string[];
  readonly transfers: readonly Transfer[];
}

/** An event pattern of EventBridge, as JSON. */
export interface CopyEvent {
  /** Names the rule. */
  readonly id: string;
  readonly description: string;
  readonly pattern: Readonly<Record<string, unknown>>;
}

const viaCloudTrail = 'AWS API Call via CloudTrail';

/** Only calls that were accepted. */
const accepted = { errorCode: [{ exists: false }] };

/** In a region of the regime: jobs and calls that name a destination outside of it. */
export function departures({ partition, regions, transfers }: Watched): CopyEvent[] {
  const to = (...cargo: string[]) => reachableRegions(regions, transfers, ...cargo);
  const otherVault = to('backup').map((region) => `arn:${partition}:backup:${region}:`);
  return [
    {
      id: 'BackupCopies',
      description: 'AWS Backup copies a recovery point to a vault outside the regime',
      pattern: {
        source: ['aws.backup'],
        'detail-type': ['Copy Job State Change'],
        detail: {
          state: ['RUNNING', 'COMPLETED'],
          destinationBackupVaultArn: [{ 'anything-but': { prefix: otherVault } }],
        },
      },
    },
    {
      id: 'KeyReplicas',
      description: 'A key is replicated, or made primary, outside the regime',
      pattern: {
        source: ['aws.kms'],
        'detail-type': [viaCloudTrail],
        detail: {
          ...accepted,
          eventName: ['ReplicateKey', 'UpdatePrimaryRegion'],
          $or: ['replicaRegion', 'primaryRegion'].map((parameter) => ({
            requestParameters: { [parameter]: [{ 'anything-but': to('key') }] },
          })),
        },
      },
    },
    {
      id: 'SecretReplicas',
      description: 'A secret is replicated outside the regime',
      pattern: {
        source: ['aws.secretsmanager'],
        'detail-type': [viaCloudTrail],
        detail: {
          ...accepted,
          eventName: ['CreateSecret', 'ReplicateSecretToRegions'],
          requestParameters: { addReplicaRegions: { region: [{ 'anything-but': to('secret') }] } },
        },
      },
    },
  ];
}

/**
 * In a region outside the regime: what arrives from one inside it. EBS and RDS tell of a copy where it lands, and the
 * calls that make it are made there too.
 */
export function arrivals({ partition, regions, transfers }: Watched, here: string): CopyEvent[] {
  const events: CopyEvent[] = [];
  const open = (...cargo: string[]) => reachableRegions([], transfers, ...cargo).includes(here);
  const fromArn = (service: string) =>
    regions.map((region) => ({ wildcard: `arn:${partition}:${service}:${region}:*` }));
  if (!open('snapshot', 'backup')) {
    events.push(
      {
        id: 'EbsSnapshots',
        description: 'An EBS snapshot of the regime was copied here',
        pattern: {
          source: ['aws.ec2'],
          'detail-type': ['EBS Snapshot Notification'],
          detail: {
            event: ['copySnapshot'],
            result: ['succeeded'],
            // The region stands in the place of the account in some of these ARNs.
            source: regions.flatMap((region) => [
              { prefix: `arn:${partition}:ec2:${region}:` },
              { prefix: `arn:${partition}:ec2::${region}:` },
            ]),
          },
        },
      },
      {
        id: 'RdsSnapshots',
        description: 'A database snapshot of the regime is copied here',
        pattern: {
          source: ['aws.rds'],
          'detail-type': ['RDS DB Snapshot Event'],
          detail: {
            // Copies between regions, started and finished.
            EventID: ['RDS-EVENT-0059', 'RDS-EVENT-0060'],
            Message: regions.map((region) => ({ wildcard: `*from region ${region}*` })),
          },
        },
      },
      {
        id: 'ImageCopies',
        description: 'A machine image or snapshot of the regime is copied here',
        pattern: {
          source: ['aws.ec2'],
          'detail-type': [viaCloudTrail],
          detail: {
            ...accepted,
            eventName: ['CopyImage', 'CopySnapshot'],
            requestParameters: { sourceRegion: [...regions] },
          },
        },
      },
      {
        id: 'DatabaseCopies',
        description: 'Snapshots or automated backups of a database of the regime are copied here',
        pattern: databaseCalls(
          ['CopyDBClusterSnapshot', 'CopyDBSnapshot', 'StartDBInstanceAutomatedBackupsReplication'],
          ['sourceDBClusterSnapshotIdentifier', 'sourceDBInstanceArn', 'sourceDBSnapshotIdentifier'],
          fromArn('rds'),
        ),
      },
    );
  }
  if (!open('replica')) {
    events.push({
      id: 'DatabaseReplicas',
      description: 'A replica of a database of the regime is made here',
      pattern: databaseCalls(
        ['CreateDBCluster', 'CreateDBInstanceReadReplica'],
        ['replicationSourceIdentifier', 'sourceDBInstanceIdentifier'],
        fromArn('rds'),
      ),
    });
  }
  return events;
}

function databaseCalls(calls: readonly string[], parameters: readonly string[], from: readonly unknown[]) {
  return {
    source: ['aws.rds'],
    'detail-type': [viaCloudTrail],
    detail: {
      ...accepted,
      eventName: calls,
      $or: parameters.map((parameter) => ({ requestParameters: { [parameter]: from } })),
    },
  };
}
