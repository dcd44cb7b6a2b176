/** A template with a bit of everything that backs something up. */
export const EVERYTHING = `
Parameters:
  Hours: { Type: Number }
Conditions:
  Rich: !Equals [!Ref AWS::Region, eu-central-1]
Resources:
  Vault:
    Type: AWS::Backup::BackupVault
    Properties:
      BackupVaultName: home
      LockConfiguration: { MinRetentionDays: 7, ChangeableForDays: 3 }
  Plan:
    Type: AWS::Backup::BackupPlan
    Properties:
      BackupPlan:
        BackupPlanName: plan
        BackupPlanRule:
          - RuleName: daily
            TargetBackupVault: !Ref Vault
            ScheduleExpression: cron(0 5 ? * * *)
            StartWindowMinutes: 60
            CompletionWindowMinutes: 120
            EnableContinuousBackup: true
            Lifecycle: { DeleteAfterDays: 35 }
            CopyActions:
              - DestinationBackupVaultArn: !Sub arn:\${AWS::Partition}:backup:eu-west-1:\${AWS::AccountId}:backup-vault:away
                Lifecycle: { DeleteAfterDays: 90 }
  Tagged:
    Type: AWS::Backup::BackupSelection
    Properties:
      BackupPlanId: !Ref Plan
      BackupSelection:
        SelectionName: tagged
        IamRoleArn: arn:aws:iam::111111111111:role/backup
        Resources: ['arn:aws:rds:*:*:db:*', 'arn:aws:dynamodb:*:*:table/*', 'arn:aws:s3:::*']
        NotResources: [!Sub 'arn:aws:dynamodb:\${AWS::Region}:\${AWS::AccountId}:table/\${Scratch}']
        Conditions:
          StringEquals: [{ ConditionKey: aws:ResourceTag/env, ConditionValue: prod }]
          StringNotLike: [{ ConditionKey: aws:ResourceTag/backup, ConditionValue: 'n*' }]
  Database:
    Type: AWS::RDS::DBInstance
    Properties: { BackupRetentionPeriod: 0, Tags: [{ Key: env, Value: prod }] }
  Skipped:
    Type: AWS::RDS::DBInstance
    Properties: { BackupRetentionPeriod: 0, Tags: [{ Key: env, Value: prod }, { Key: backup, Value: never }] }
  Replica:
    Type: AWS::RDS::DBInstance
    Properties: { SourceDBInstanceIdentifier: !Ref Database }
  Scratch:
    Type: AWS::DynamoDB::Table
    Properties: { Tags: [{ Key: env, Value: prod }] }
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }
      Tags: [{ Key: env, Value: prod }]
  Logs: { Type: AWS::S3::Bucket }
  Cache:
    Type: AWS::ElastiCache::ReplicationGroup
    Properties: { SnapshotRetentionLimit: 5 }
  Idle: { Type: AWS::ElastiCache::ReplicationGroup }
  Snapshots:
    Type: AWS::DLM::LifecyclePolicy
    Properties:
      State: ENABLED
      PolicyDetails:
        ResourceTypes: [INSTANCE]
        TargetTags: [{ Key: role, Value: db }]
        Schedules:
          - CreateRule: { Interval: !Ref Hours, IntervalUnit: HOURS }
            RetainRule: { Count: 48 }
            CrossRegionCopyRules: [{ Target: eu-west-1, RetainRule: { Interval: 2, IntervalUnit: WEEKS } }]
  Drill:
    Type: AWS::Backup::RestoreTestingPlan
    Properties:
      RestoreTestingPlanName: weekly
      ScheduleExpression: cron(0 3 ? * SUN *)
      RecoveryPointSelection: { IncludeVaults: [!GetAtt Vault.BackupVaultArn] }
  DrillOfDatabases:
    Type: AWS::Backup::RestoreTestingSelection
    Properties:
      RestoreTestingPlanName: !Ref Drill
      ProtectedResourceType: RDS
      ProtectedResourceArns: ['*']
      ValidationWindowHours: 4
`;

/** Types that stay where they are, under a rule that sends what can go to an air-gapped vault and to another region. */
export const STAYING = `
Resources:
  Home: { Type: AWS::Backup::BackupVault, Properties: { BackupVaultName: home } }
  Gapped:
    Type: AWS::Backup::LogicallyAirGappedBackupVault
    Properties: { BackupVaultName: gapped, MinRetentionDays: 7, MaxRetentionDays: 40 }
  Plan:
    Type: AWS::Backup::BackupPlan
    Properties:
      BackupPlan:
        BackupPlanName: plan
        BackupPlanRule:
          - RuleName: daily
            TargetBackupVault: !Ref Home
            TargetLogicallyAirGappedBackupVaultArn: !GetAtt Gapped.BackupVaultArn
            ScheduleExpression: cron(0 5 ? * * *)
            Lifecycle: { DeleteAfterDays: 35 }
            CopyActions:
              - DestinationBackupVaultArn: arn:aws:backup:eu-west-1:111111111111:backup-vault:away
  All:
    Type: AWS::Backup::BackupSelection
    Properties:
      BackupPlanId: !Ref Plan
      BackupSelection:
        SelectionName: all
        IamRoleArn: arn:aws:iam::111111111111:role/backup
        Resources:
          - !Sub arn:aws:redshift:\${AWS::Region}:\${AWS::AccountId}:cluster:\${Warehouse}
          - !GetAtt OntapVolume.ResourceARN
          - !Sub arn:aws:fsx:\${AWS::Region}:\${AWS::AccountId}:file-system/\${Zfs}
  Warehouse: { Type: AWS::Redshift::Cluster }
  Ontap: { Type: AWS::FSx::FileSystem, Properties: { FileSystemType: ONTAP } }
  OntapVolume: { Type: AWS::FSx::Volume, Properties: { VolumeType: ONTAP } }
  Zfs: { Type: AWS::FSx::FileSystem, Properties: { FileSystemType: OPENZFS } }
  ZfsVolume: { Type: AWS::FSx::Volume, Properties: { VolumeType: OPENZFS } }
`;
