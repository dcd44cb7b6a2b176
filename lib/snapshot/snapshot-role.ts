import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { aws_kms } from 'aws-cdk-lib/interfaces';
import type { Construct } from 'constructs';
import { acknowledgeWildcards } from '../acknowledge';
import type { SnapshotScript } from './snapshot-script';

export interface SnapshotRoleOptions {
  readonly copies: string[];
  /** Of the volumes, and of the copies, which are encrypted anew. */
  readonly keys: aws_kms.IKeyRef[];
  readonly scripts?: SnapshotScript;
  readonly targetTags: { [key: string]: string };
}

export interface SnapshotRole {
  readonly role: iam.Role;
  /** What has to be there before the role is used. */
  readonly rights: Construct;
}

/**
 * The role of a snapshot policy: the AWS managed policy for it may also delete every snapshot of the account and share
 * them with others; this one deletes only what a lifecycle policy has made, and shares nothing.
 */
export function snapshotRole(scope: Construct, id: string, options: SnapshotRoleOptions): SnapshotRole {
  const { partition, region, account } = Stack.of(scope);
  const role = new iam.Role(scope, id, {
    description: 'Data Lifecycle Manager makes, copies and expires instance snapshots',
    assumedBy: new iam.ServicePrincipal('dlm.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': account } },
    }),
  });
  const snapshotsIn = [...new Set([region, ...options.copies])].map(
    (place) => `arn:${partition}:ec2:${place}::snapshot/*`,
  );
  const here = `arn:${partition}:ec2:${region}:${account}`;
  const statements = [
    new iam.PolicyStatement({
      sid: 'Look',
      // EC2's Describe actions know no resources, so only the asterisk grants them.
      actions: ['ec2:DescribeInstances', 'ec2:DescribeVolumes', 'ec2:DescribeSnapshots'],
      resources: ['*'],
    }),
    new iam.PolicyStatement({
      sid: 'Snapshot',
      actions: ['ec2:CreateSnapshot', 'ec2:CreateSnapshots'],
      resources: [`${here}:volume/*`, `${here}:instance/*`, `arn:${partition}:ec2:${region}::snapshot/*`],
    }),
    new iam.PolicyStatement({ sid: 'Tag', actions: ['ec2:CreateTags'], resources: snapshotsIn }),
    new iam.PolicyStatement({
      sid: 'ExpireOwn',
      actions: ['ec2:DeleteSnapshot'],
      resources: snapshotsIn,
      conditions: { Null: { 'aws:ResourceTag/aws:dlm:lifecycle-policy-id': 'false' } },
    }),
  ];
  if (options.copies.length > 0) {
    statements.push(
      new iam.PolicyStatement({ sid: 'Copy', actions: ['ec2:CopySnapshot'], resources: snapshotsIn }),
    );
  }
  if (options.keys.length > 0) {
    const keys = options.keys.map((key) => key.keyRef.keyArn);
    statements.push(
      new iam.PolicyStatement({
        sid: 'UseKeys',
        actions: ['kms:DescribeKey', 'kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*'],
        resources: keys,
      }),
      new iam.PolicyStatement({
        sid: 'GrantKeys',
        actions: ['kms:CreateGrant'],
        resources: keys,
        conditions: { Bool: { 'kms:GrantIsForAWSResource': true } },
      }),
    );
  }
  if (options.scripts) statements.push(...scriptStatements(scope, options.scripts, options.targetTags));
  const policy = new iam.ManagedPolicy(scope, `${id}Policy`, {
    description: 'What Data Lifecycle Manager needs for instance snapshots',
    statements,
    roles: [role],
  });
  acknowledgeWildcards(
    policy,
    'Which instances and volumes it concerns is decided by tag at run time; snapshots are deleted only when a policy made them',
  );
  return { role, rights: policy };
}

/** The AWS managed policy for scripts runs every document with the tag on every instance; this, one on those that are meant. */
function scriptStatements(
  scope: Construct,
  script: SnapshotScript,
  targetTags: { [key: string]: string },
): iam.PolicyStatement[] {
  const { partition, region, account } = Stack.of(scope);
  const { _document: document, _owner: owner } = script;
  const arn =
    owner === 'other'
      ? document
      : `arn:${partition}:ssm:${region}:${owner === 'aws' ? '*' : account}:document/${document}`;
  return [
    new iam.PolicyStatement({
      sid: 'LookAtScripts',
      // These know no resources, or none that is known beforehand.
      actions: ['ssm:GetCommandInvocation', 'ssm:ListCommands', 'ssm:DescribeInstanceInformation'],
      resources: ['*'],
    }),
    new iam.PolicyStatement({
      sid: 'RunScript',
      actions: ['ssm:SendCommand', 'ssm:DescribeDocument', 'ssm:GetDocument'],
      resources: [arn],
      conditions:
        owner === 'aws' ? undefined : { StringEquals: { 'aws:ResourceTag/DLMScriptsAccess': 'true' } },
    }),
    ...Object.entries(targetTags).map(
      ([key, value], i) =>
        new iam.PolicyStatement({
          sid: `RunOn${i + 1}`,
          actions: ['ssm:SendCommand'],
          resources: [`arn:${partition}:ec2:${region}:${account}:instance/*`],
          conditions: { StringEquals: { [`aws:ResourceTag/${key}`]: value } },
        }),
    ),
  ];
}
