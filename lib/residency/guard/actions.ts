import type { Cargo } from '../model';

/**
 * Calls that are made in the region that receives the copy, or whose permission is asked there: the region of the
 * request is the destination. By what they move; any of the cargoes named makes the call lawful.
 */
export const PULLING: readonly {
  readonly sid: string;
  readonly what: readonly Cargo[];
  readonly actions: readonly string[];
}[] = [
  {
    sid: 'SnapshotsOutOfRegime',
    // AWS Backup makes the same calls under its own role.
    what: ['snapshot', 'backup'],
    actions: [
      'ec2:CopyFpgaImage',
      'ec2:CopyImage',
      'ec2:CopySnapshot',
      'fsx:CopyBackup',
      'lightsail:CopySnapshot',
      'rds:CopyDBClusterSnapshot',
      'rds:CopyDBSnapshot',
      'rds:StartDBInstanceAutomatedBackupsReplication',
      'workspaces:CopyWorkspaceImage',
    ],
  },
  {
    sid: 'ReplicasOutOfRegime',
    what: ['replica'],
    actions: [
      'dynamodb:CreateGlobalTable',
      'dynamodb:CreateGlobalTableWitness',
      'dynamodb:CreateTableReplica',
      'rds:CreateDBInstanceReadReplica',
    ],
  },
  { sid: 'ObjectsOutOfRegime', what: ['object'], actions: ['s3:ReplicateObject'] },
];

/**
 * Calls made where the data is, that name the destination in a parameter of which IAM knows nothing. All that can be
 * said is who may make them: the role that deploys audited templates.
 */
export const OPAQUE: readonly string[] = [
  'appstream:CopyImage',
  'cassandra:AlterMultiRegionResource',
  'cassandra:CreateMultiRegionResource',
  'ds:AddRegion',
  'dsql:AddPeerCluster',
  'ecr:PutReplicationConfiguration',
  'elasticfilesystem:CreateReplicationConfiguration',
  'imagebuilder:CreateDistributionConfiguration',
  'imagebuilder:UpdateDistributionConfiguration',
  'redshift-serverless:CreateSnapshotCopyConfiguration',
  'redshift:EnableSnapshotCopy',
  's3:CreateMultiRegionAccessPoint',
  's3:PutReplicationConfiguration',
  'ssm-incidents:CreateReplicationSet',
  'workspaces:CreateStandbyWorkspaces',
];

/**
 * What stays usable whatever the region of the request: services with one endpoint for the whole partition, and calls
 * that only list. None of them keeps customer data beyond names, bills and certificates.
 */
export const GLOBAL: readonly string[] = [
  'access-analyzer:*',
  'account:*',
  'acm:*',
  'artifact:*',
  'aws-marketplace:*',
  'aws-portal:*',
  'billing:*',
  'budgets:*',
  'ce:*',
  'cloudfront:*',
  'cloudtrail:LookupEvents',
  'consolidatedbilling:*',
  'cur:*',
  'ec2:DescribeRegions',
  'freetier:*',
  'globalaccelerator:*',
  'health:*',
  'iam:*',
  'invoicing:*',
  'networkmanager:*',
  'organizations:*',
  'payments:*',
  'pricing:*',
  'resource-explorer-2:*',
  'route53:*',
  'route53domains:*',
  's3:GetAccountPublicAccessBlock',
  's3:GetBucketLocation',
  's3:ListAllMyBuckets',
  's3:PutAccountPublicAccessBlock',
  'savingsplans:*',
  'shield:*',
  'sso:*',
  'sts:*',
  'support:*',
  'tag:*',
  'tax:*',
  'trustedadvisor:*',
  'waf:*',
  'wafv2:*',
];
