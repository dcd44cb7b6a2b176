/** What the objectives read of a template, for the loader that prunes the rest away. */

/** Keys of a template's Metadata under which constructs of this library write. */
export const RECORD_PREFIX = 'SovereignBackup-';

const DATABASE = [
  'BackupRetentionPeriod',
  'DBClusterIdentifier',
  'SourceDBInstanceIdentifier',
  'AutomaticBackupReplicationRegion',
  'AutomaticBackupReplicationRetentionPeriod',
];
const CACHE = ['SnapshotRetentionLimit'];

/** Properties by type, and of what AWS Backup protects also the tags by which it is chosen. */
export const OBJECTIVE_PROPERTIES: ReadonlyMap<string, readonly string[]> = new Map([
  ['AWS::Backup::BackupPlan', ['BackupPlan']],
  ['AWS::Backup::BackupSelection', ['BackupPlanId', 'BackupSelection']],
  ['AWS::Backup::BackupVault', ['BackupVaultName', 'LockConfiguration']],
  ['AWS::Backup::LogicallyAirGappedBackupVault', ['BackupVaultName', 'MpaApprovalTeamArn']],
  [
    'AWS::Backup::RestoreTestingPlan',
    ['RestoreTestingPlanName', 'ScheduleExpression', 'ScheduleExpressionTimezone', 'RecoveryPointSelection'],
  ],
  [
    'AWS::Backup::RestoreTestingSelection',
    [
      'RestoreTestingPlanName',
      'ProtectedResourceType',
      'ProtectedResourceArns',
      'ProtectedResourceConditions',
      'ValidationWindowHours',
    ],
  ],
  ['AWS::DLM::LifecyclePolicy', ['PolicyDetails', 'State']],
  ['AWS::EC2::Instance', ['Tags']],
  ['AWS::EC2::Volume', ['Tags']],
  ['AWS::RDS::DBInstance', [...DATABASE, 'Tags']],
  ['AWS::RDS::DBCluster', [...DATABASE, 'Tags']],
  ['AWS::DocDB::DBCluster', [...DATABASE, 'Tags']],
  ['AWS::Neptune::DBCluster', [...DATABASE, 'Tags']],
  ['AWS::DynamoDB::Table', ['PointInTimeRecoverySpecification', 'Tags']],
  ['AWS::DynamoDB::GlobalTable', ['Replicas']],
  ['AWS::EFS::FileSystem', ['FileSystemTags']],
  ['AWS::DSQL::Cluster', ['Tags']],
  ['AWS::EKS::Cluster', ['Tags']],
  ['AWS::FSx::FileSystem', ['FileSystemType', 'Tags']],
  ['AWS::FSx::Volume', ['VolumeType', 'Tags']],
  ['AWS::S3::Bucket', ['Tags']],
  ['AWS::Redshift::Cluster', ['Tags']],
  ['AWS::RedshiftServerless::Namespace', ['Tags']],
  ['AWS::Timestream::Table', ['Tags']],
  ['AWS::ElastiCache::ReplicationGroup', [...CACHE, 'Tags']],
  ['AWS::ElastiCache::CacheCluster', [...CACHE, 'Tags']],
  ['AWS::ElastiCache::ServerlessCache', [...CACHE, 'Tags']],
  ['AWS::MemoryDB::Cluster', [...CACHE, 'Tags']],
]);
