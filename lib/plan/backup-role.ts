import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { acknowledgeManagedPolicies } from '../acknowledge';

const MANAGED = ['service-role/AWSBackupServiceRolePolicyForBackup', 'AWSBackupServiceRolePolicyForS3Backup'];

/** The role with which AWS Backup reads resources and writes recovery points. */
export function backupRole(scope: Construct, id: string): iam.Role {
  const role = new iam.Role(scope, id, {
    description: 'AWS Backup reads the protected resources and writes recovery points',
    assumedBy: new iam.ServicePrincipal('backup.amazonaws.com'),
    managedPolicies: MANAGED.map((name) => iam.ManagedPolicy.fromAwsManagedPolicyName(name)),
  });
  acknowledgeManagedPolicies(
    role,
    'AWS Backup adds resource types and their actions; its own managed policies follow, a copy of them would not',
  );
  return role;
}
