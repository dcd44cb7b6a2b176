/** Backups that a service makes of its own resources, by a property of the resource. */
import type { Resolver } from '../../residency/resolve/resolver';
import type { Resource, Stack } from '../../residency/resolve/stack';
import type { Store } from '../store';
import type { Layer } from '../worst-case';
import { branches, fieldsOf, flagOf, knownText, numberOf, textOf } from './values';

export interface OwnBackups {
  readonly layers: readonly Layer[];
  readonly unclear: readonly string[];
}

const CONTINUOUS_LAG_MINUTES = 5;
const DAY_MINUTES = 1440;
/** A daily window begins some time within the hour that the service chose or was given. */
const WINDOW_MINUTES = 60;

type Reader = (
  resource: Resource,
  read: (node: unknown) => ReturnType<typeof branches>[number],
) => OwnBackups;

/** Undefined for a type that makes none. */
export function ownBackupsOf(resolver: Resolver, stack: Stack, resource: Resource): OwnBackups {
  const reader = READERS[resource.type];
  if (reader === undefined) return { layers: [], unclear: [] };
  const found = reader(resource, (node) => branches(resolver, stack, node)[0]);
  const here: Store = {
    kind: 'automated',
    name: null,
    region: knownText(stack.region),
    account: knownText(stack.account),
    lock: 'none',
  };
  return {
    unclear: found.unclear,
    layers: found.layers.map((layer) => ({
      ...layer,
      stores: [
        { ...here, retentionDays: layer.retentionDays },
        ...(layer.stores ?? []).map((store) => ({ ...store, account: here.account })),
      ],
    })),
  };
}

const database: Reader = ({ properties }, read) => {
  const unclear: string[] = [];
  const days = numberOf(read(properties.BackupRetentionPeriod), 'BackupRetentionPeriod', unclear) ?? 1;
  if (days === 0) return { layers: [], unclear };
  const replica = textOf(read(properties.AutomaticBackupReplicationRegion));
  const replicaDays = numberOf(
    read(properties.AutomaticBackupReplicationRetentionPeriod),
    'AutomaticBackupReplicationRetentionPeriod',
    unclear,
  );
  const stores: Store[] = replica
    ? [
        {
          kind: 'automated',
          name: null,
          region: knownText(replica),
          account: null,
          lock: 'none',
          retentionDays: replicaDays ?? 7,
        },
      ]
    : [];
  return { layers: [continuous('automated backups', days, stores)], unclear };
};

const table: Reader = ({ properties }, read) => {
  const pitr = fieldsOf(read(properties.PointInTimeRecoverySpecification));
  return pointInTime(pitr);
};

/** Replicas other than the one in the stack's own region are tables of their own. */
const globalTable: Reader = ({ properties }, read) => {
  const replicas = read(properties.Replicas);
  const all = Array.isArray(replicas) ? replicas : [];
  const off: OwnBackups = { layers: [], unclear: [] };
  const each = all.map((replica) =>
    pointInTime(fieldsOf(fieldsOf(replica).PointInTimeRecoverySpecification)),
  );
  return each.some(({ layers }) => layers.length === 0) ? off : (each[0] ?? off);
};

function pointInTime(specification: ReturnType<typeof fieldsOf>): OwnBackups {
  if (!flagOf(specification.PointInTimeRecoveryEnabled)) return { layers: [], unclear: [] };
  const unclear: string[] = [];
  const days = numberOf(specification.RecoveryPeriodInDays, 'RecoveryPeriodInDays', unclear) ?? 35;
  return { layers: [continuous('point-in-time recovery', days)], unclear };
}

const cache: Reader = ({ properties }, read) => {
  const unclear: string[] = [];
  const days = numberOf(read(properties.SnapshotRetentionLimit), 'SnapshotRetentionLimit', unclear) ?? 0;
  if (days === 0) return { layers: [], unclear };
  const layer: Layer = {
    name: 'daily snapshots',
    intervalMinutes: DAY_MINUTES,
    startDelayMinutes: WINDOW_MINUTES,
    startDelayReason: 'snapshot window',
    completionMinutes: 0,
    retentionDays: days,
  };
  return { layers: [layer], unclear };
};

function continuous(name: string, retentionDays: number, stores: readonly Store[] = []): Layer {
  return {
    name,
    startDelayMinutes: 0,
    startDelayReason: '',
    completionMinutes: 0,
    lagMinutes: CONTINUOUS_LAG_MINUTES,
    retentionDays,
    stores,
  };
}

const READERS: Readonly<Record<string, Reader>> = {
  'AWS::RDS::DBInstance': database,
  'AWS::RDS::DBCluster': database,
  'AWS::DocDB::DBCluster': database,
  'AWS::Neptune::DBCluster': database,
  'AWS::DynamoDB::Table': table,
  'AWS::DynamoDB::GlobalTable': globalTable,
  'AWS::ElastiCache::ReplicationGroup': cache,
  'AWS::ElastiCache::CacheCluster': cache,
  'AWS::ElastiCache::ServerlessCache': cache,
  'AWS::MemoryDB::Cluster': cache,
};
