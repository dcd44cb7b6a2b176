import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { acknowledgeManagedPolicies } from '../acknowledge';
import type { BackupRule } from './backup-rule';

const MANAGED = ['service-role/AWSBackupServiceRolePolicyForBackup', 'AWSBackupServiceRolePolicyForS3Backup'];
const TO_INDEX = 'AWSBackupServiceRolePolicyForIndexing';
const TO_SCAN = 'AWSBackupServiceRolePolicyForScans';

/** The role with which AWS Backup reads resources and writes recovery points, and does what else the rules ask for. */
export function backupRole(scope: Construct, id: string, rules: readonly BackupRule[]): iam.Role {
  const names = [
    ...MANAGED,
    // An index of S3 needs no rights besides.
    ...(rules.some(({ props }) => props.index?.some(({ name }) => name === 'EBS')) ? [TO_INDEX] : []),
    ...(rules.some(({ props }) => props.malwareScan) ? [TO_SCAN] : []),
  ];
  const role = new iam.Role(scope, id, {
    description: 'AWS Backup reads the protected resources and writes recovery points',
    assumedBy: new iam.ServicePrincipal('backup.amazonaws.com'),
    managedPolicies: names.map((name) => iam.ManagedPolicy.fromAwsManagedPolicyName(name)),
  });
  acknowledgeManagedPolicies(
    role,
    'AWS Backup adds resource types and their actions; its own managed policies follow, a copy of them would not',
  );
  return role;
}
