import { Duration, Token } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { CfnTable, Table } from 'aws-cdk-lib/aws-dynamodb';
import { CfnVolume } from 'aws-cdk-lib/aws-ec2';
import { CfnFileSystem, CfnVolume as FsxVolume } from 'aws-cdk-lib/aws-fsx';
import { CfnDBCluster, CfnDBInstance } from 'aws-cdk-lib/aws-rds';
import { CfnNamespace } from 'aws-cdk-lib/aws-redshiftserverless';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Topic } from 'aws-cdk-lib/aws-sns';
import {
  BackupRule,
  RegimeBackupPlan,
  RegimeVault,
  ResourceType,
  type SelectionOptions,
  TagCondition,
  VaultLock,
} from 'cdk-sovereign-backup';
import { Construct } from 'constructs';
import { lint } from '../support/cfn-lint';
import { appWith, complaint, stackIn } from '../synth';

function planWith(options: Partial<ConstructorParameters<typeof RegimeBackupPlan>[2]> = {}) {
  const app = appWith();
  const stack = stackIn('eu-central-1', app);
  const vault = new RegimeVault(stack, 'Vault');
  const plan = new RegimeBackupPlan(stack, 'Plan', { vault, ...options });
  return { app, stack, vault, plan };
}

const selectionOf = (stack: ReturnType<typeof stackIn>) =>
  Object.values(Template.fromStack(stack).findResources('AWS::Backup::BackupSelection'))[0]!.Properties
    .BackupSelection;

test('constructs: everything under them that AWS Backup protects, by reference, without instances of clusters', async () => {
  const { app, stack, plan } = planWith();
  const shop = new Construct(stack, 'Shop');
  new CfnTable(shop, 'Orders', {
    keySchema: [{ attributeName: 'id', keyType: 'HASH' }],
    attributeDefinitions: [{ attributeName: 'id', attributeType: 'S' }],
    billingMode: 'PAY_PER_REQUEST',
  });
  new CfnDBCluster(shop, 'Cluster', {
    engine: 'aurora-postgresql',
    masterUsername: 'a',
    manageMasterUserPassword: true,
    storageEncrypted: true,
    deletionProtection: true,
  });
  const member = { engine: 'aurora-postgresql', dbInstanceClass: 'db.r6g.large' };
  new CfnDBInstance(shop, 'Member', { ...member, dbClusterIdentifier: 'cluster' });
  new Bucket(shop, 'Files', { versioned: true });
  const scratch = new Bucket(shop, 'Scratch', { versioned: true });
  plan.protect('Shop', { constructs: [shop], excludeConstructs: [scratch] });
  const { Resources: resources, NotResources: except } = selectionOf(stack);
  const texts = (list: unknown[]) => list.map((each) => JSON.stringify(each));
  expect(texts(resources).map((text) => /:(table\/|cluster:|s3:::|db:)/.exec(text)?.[1])).toEqual([
    'table/',
    'cluster:',
    's3:::',
    's3:::',
  ]);
  expect(texts(except)).toEqual([expect.stringContaining('ShopScratch')]);
  expect(complaint(app)).toBe('');
  expect(await lint(app, stack)).toBe('');
});

test('types: each by the ARNs that its service documents, in the partition of the stack', () => {
  const documented = {
    EC2: 'ec2:*:*:instance/*',
    EBS: 'ec2:*:*:volume/*',
    RDS: 'rds:*:*:db:*',
    AURORA: 'rds:*:*:cluster:*',
    AURORA_DSQL: 'dsql:*:*:cluster/*',
    DOCUMENTDB: 'rds:*:*:cluster:*',
    NEPTUNE: 'rds:*:*:cluster:*',
    DYNAMODB: 'dynamodb:*:*:table/*',
    EFS: 'elasticfilesystem:*:*:file-system/*',
    FSX: 'fsx:*:*:file-system/*',
    FSX_ONTAP: 'fsx:*:*:volume/*',
    S3: 's3:::*',
    REDSHIFT: 'redshift:*:*:cluster:*',
    REDSHIFT_SERVERLESS: 'redshift-serverless:*:*:namespace/*',
    EKS: 'eks:*:*:cluster/*',
    TIMESTREAM: 'timestream:*:*:database/*',
    CLOUDFORMATION: 'cloudformation:*:*:stack/*',
    VMWARE: 'backup-gateway:*:*:vm/*',
    SAP_HANA: 'ssm-sap:*:*:HANA/*',
    STORAGE_GATEWAY: 'storagegateway:*:*:gateway/*',
  };
  const types = Object.entries(ResourceType).filter(([, each]) => each instanceof ResourceType);
  expect(Object.fromEntries(types.map(([name, { arnPattern }]) => [name, arnPattern]))).toEqual(documented);
  const { stack, plan } = planWith();
  plan.protect('All', { tags: { env: 'prod' }, types: types.map(([, type]) => type) });
  const arns = selectionOf(stack).Resources.map(
    (each: { 'Fn::Join': [string, unknown[]] }) => each['Fn::Join'][1],
  );
  // Each pattern once: AWS Backup tells Aurora, DocumentDB and Neptune apart, their ARNs do not.
  expect(arns).toEqual(
    [...new Set(Object.values(documented))].map((pattern) => [
      'arn:',
      { Ref: 'AWS::Partition' },
      `:${pattern}`,
    ]),
  );
});

test('conditions of all four kinds, all of which must hold', () => {
  const { app, stack, plan } = planWith();
  plan.protect('Some', {
    tags: { env: 'prod' },
    conditions: [
      TagCondition.equalTo('team', 'shop'),
      TagCondition.notEqualTo('backup', 'no'),
      TagCondition.like('name', 'db-*'),
      TagCondition.notLike('name', '*-test'),
    ],
  });
  const of = (key: string, value: string) => ({
    ConditionKey: `aws:ResourceTag/${key}`,
    ConditionValue: value,
  });
  expect(selectionOf(stack)).toMatchObject({
    Resources: ['*'],
    Conditions: {
      StringEquals: [of('env', 'prod'), of('team', 'shop')],
      StringNotEquals: [of('backup', 'no')],
      StringLike: [of('name', 'db-*')],
      StringNotLike: [of('name', '*-test')],
    },
  });
  expect(complaint(app)).toBe('');
});

test('any of several tags is a list of tags, and nothing else', () => {
  const { app, stack, plan } = planWith();
  plan.protect('Any', { anyTags: { gold: 'yes', silver: 'yes' } });
  const { Resources: resources, ListOfTags: list } = selectionOf(stack);
  expect(resources).toBeUndefined();
  expect(list).toEqual(
    ['gold', 'silver'].map((key) => ({
      ConditionKey: key,
      ConditionType: 'STRINGEQUALS',
      ConditionValue: 'yes',
    })),
  );
  expect(complaint(app)).toBe('');
});

test.each<[string, SelectionOptions, string]>([
  ['nothing', {}, 'names no tags, types, constructs or arns'],
  [
    'any tag and a type',
    { anyTags: { a: 'b' }, types: [ResourceType.EC2] },
    'put anyTags into a selection of its own',
  ],
  ['what is no ARN', { arns: ['orders'] }, "has 'orders', which is no ARN: write arn:partition:service"],
  [
    'what is elsewhere',
    { arns: ['arn:aws:s3:::x'], exclude: ['arn:aws:rds:us-east-1:111111111111:db:x'] },
    'which is in region us-east-1 and the plan in eu-central-1',
  ],
  [
    'what is somebody else’s',
    { arns: ['arn:aws:rds:eu-central-1:222222222222:db:x'] },
    'which is in account 222222222222 and the plan in 111111111111',
  ],
  ['an asterisk in the middle', { arns: ['arn:aws:s3:::a*b'] }, 'takes an asterisk in a resource'],
  [
    'too many patterns',
    { arns: Array.from({ length: 31 }, (_, i) => `arn:aws:s3:::${i}*`) },
    'lists 31 resources, 31 of them patterns',
  ],
  [
    'too many ARNs',
    { arns: Array.from({ length: 501 }, (_, i) => `arn:aws:s3:::${i}`) },
    'lists 501 resources',
  ],
  [
    'too many tags and conditions',
    { tags: Object.fromEntries(Array.from({ length: 31 }, (_, i) => [`k${i}`, 'v'])) },
    'has 31 tags and conditions, AWS Backup takes 30',
  ],
  [
    'a list that is a parameter, beside others',
    {
      arns: Token.asList({ Ref: 'Arns' }),
      types: [ResourceType.S3],
    },
    'arns is a list that is known only at deployment',
  ],
])('refuses %s', (_name, options, message) => {
  const { app, plan } = planWith();
  plan.protect('Selection', options);
  expect(complaint(app)).toContain(message);
});

test('refuses a construct with nothing to protect, and one of another region', () => {
  const { app, stack, plan } = planWith();
  const away = new Table(stackIn('eu-west-1', app, 'Away'), 'Table', {
    partitionKey: { name: 'id', type: 'S' as never },
  });
  plan.protect('Selection', { constructs: [new Topic(stack, 'Topic'), away] });
  const message = complaint(app);
  expect(message).toContain('nothing under Stack/Topic is of a type that AWS Backup protects');
  expect(message).toMatch(/Away\/Table\/Resource is in eu-west-1 and the plan in eu-central-1/);
});

test('refuses a copy to another account of what is encrypted under a key that AWS manages', () => {
  const app = appWith();
  const stack = stackIn('eu-central-1', app);
  const bunker = RegimeVault.fromAttributes(stack, 'Bunker', {
    vaultName: 'bunker',
    region: 'eu-central-1',
    account: '222222222222',
  });
  const vault = new RegimeVault(stack, 'Vault', { copyAccounts: ['222222222222'] });
  const plan = new RegimeBackupPlan(stack, 'Plan', { vault, copies: [bunker] });
  const volume = { availabilityZone: 'eu-central-1a', size: 8, encrypted: true };
  plan.protect('Volumes', {
    constructs: [
      new CfnVolume(stack, 'Managed', volume),
      new CfnVolume(stack, 'Own', { ...volume, kmsKeyId: 'alias/own' }),
      new CfnVolume(stack, 'Named', {
        ...volume,
        kmsKeyId: 'arn:aws:kms:eu-central-1:111111111111:alias/aws/ebs',
      }),
    ],
  });
  const message = complaint(app);
  expect(message).toContain(
    'Stack/Managed (EBS) is encrypted under a key that AWS manages, and its backups cannot be copied to account 222222222222',
  );
  expect(message).toContain('Stack/Named (EBS) is encrypted under a key that AWS manages');
  expect(message).not.toContain('Stack/Own (EBS)');
});

describe('what a type cannot do', () => {
  const copies = () => [
    RegimeVault.fromAttributes(stackIn('eu-central-1'), 'Away', { vaultName: 'away', region: 'eu-west-1' }),
  ];
  const rules = [BackupRule.monthly({ moveToColdStorageAfter: Duration.days(30) })];

  test('is told where it does nothing, or where AWS is not clear', () => {
    const { stack, plan, app } = planWith({ rules, copies: copies() });
    plan.protect('Selection', { types: [ResourceType.EC2, ResourceType.EFS, ResourceType.EKS] });
    const warnings = Annotations.fromStack(stack);
    warnings.hasWarning('/Stack/Plan', Match.stringLikeRegexp('EC2, EKS have no cold storage'));
    warnings.hasWarning(
      '/Stack/Plan',
      Match.stringLikeRegexp('AWS does not say whether .* of EKS to another'),
    );
    expect(complaint(app)).toBe('');
  });

  test('is refused where a copy was meant: types, file systems, clusters', () => {
    const { stack, plan, app } = planWith({ rules, copies: copies() });
    plan.protect('Types', { types: [ResourceType.EFS, ResourceType.REDSHIFT, ResourceType.FSX_ONTAP] });
    const cluster = { masterUsername: 'a', manageMasterUserPassword: true, kmsKeyId: 'own' };
    plan.protect('Constructs', {
      constructs: [
        new CfnDBCluster(stack, 'MultiAz', { ...cluster, engine: 'postgres' }),
        new CfnDBCluster(stack, 'Aurora', { ...cluster, engine: 'aurora-postgresql' }),
      ],
    });
    const message = complaint(app);
    expect(message).toContain(
      "selection 'Types': the rules copy to eu-west-1, account 111111111111, and AWS Backup does not copy recovery points of " +
        'Redshift, FSx to another region or account: protect these by a plan without copies',
    );
    expect(message).toContain('recovery points of Stack/MultiAz (Aurora) to another');
    expect(message).not.toContain('Stack/Aurora');
  });

  test('is not refused without copies, nor when AWS can by then', () => {
    const alone = planWith({ rules });
    alone.plan.protect('Types', { types: [ResourceType.REDSHIFT] });
    expect(complaint(alone.app)).toBe('');
    const later = planWith({ copies: copies() });
    const { name, arnPattern } = ResourceType.REDSHIFT;
    later.plan.protect('Types', { types: [new ResourceType(name, arnPattern, undefined, true)] });
    expect(complaint(later.app)).toBe('');
  });

  test('counts for no objective', () => {
    const { plan, app } = planWith({ rules: [BackupRule.daily()], copies: copies() });
    plan.requireObjective(ResourceType.REDSHIFT, { copies: 2 });
    plan.requireObjective(ResourceType.RDS, { copies: 2 });
    const message = complaint(app);
    expect(message).toContain('Redshift: the objective asks for 2 copies, and there is 1');
    expect(message).not.toContain('RDS:');
  });
});

test('ONTAP is backed up by its volumes, ZFS by its file system, each by the ARN that it has', () => {
  const { app, stack, plan } = planWith();
  const subnetIds = ['subnet-1'];
  new CfnFileSystem(stack, 'Ontap', { fileSystemType: 'ONTAP', subnetIds });
  new CfnFileSystem(stack, 'Zfs', { fileSystemType: 'OPENZFS', subnetIds });
  new FsxVolume(stack, 'OntapVolume', { name: 'a', volumeType: 'ONTAP' });
  new FsxVolume(stack, 'ZfsVolume', { name: 'b', volumeType: 'OPENZFS' });
  new CfnNamespace(stack, 'Namespace', { namespaceName: 'numbers' });
  plan.protect('Files', { constructs: [stack] });
  expect(selectionOf(stack).Resources).toEqual([
    expect.objectContaining({ 'Fn::Join': ['', expect.arrayContaining([{ Ref: 'Zfs' }])] }),
    { 'Fn::GetAtt': ['OntapVolume', 'ResourceARN'] },
    { 'Fn::GetAtt': ['Namespace', 'Namespace.NamespaceArn'] },
  ]);
  expect(complaint(app)).not.toContain('selection');
});

describe('copies with lifecycles of their own', () => {
  const away = (stack: ReturnType<typeof stackIn>, id: string, lock?: VaultLock) =>
    RegimeVault.fromAttributes(stack, id, { vaultName: id, region: 'eu-west-1', vaultLock: lock });

  test('stand beside the plain ones', () => {
    const app = appWith();
    const stack = stackIn('eu-central-1', app);
    const vault = new RegimeVault(stack, 'Vault');
    const rule = BackupRule.monthly({
      copyRetention: Duration.days(60),
      copiesWithLifecycle: [
        {
          vault: away(stack, 'long'),
          retention: Duration.days(400),
          moveToColdStorageAfter: Duration.days(30),
          archiveSnapshots: true,
        },
        { vault: away(stack, 'same') },
      ],
    });
    new RegimeBackupPlan(stack, 'Plan', { vault, copies: [away(stack, 'plain')], rules: [rule] });
    const [plan] = Object.values(Template.fromStack(stack).findResources('AWS::Backup::BackupPlan'));
    const copies = plan!.Properties.BackupPlan.BackupPlanRule[0].CopyActions;
    expect(copies.map(({ Lifecycle }: { Lifecycle: object }) => Lifecycle)).toEqual([
      { DeleteAfterDays: 60 },
      { DeleteAfterDays: 400, MoveToColdStorageAfterDays: 30, OptInToArchiveForSupportedResources: true },
      { DeleteAfterDays: 60 },
    ]);
    expect(complaint(app)).toBe('');
  });

  test('are held against the lock, and against cold storage', () => {
    const app = appWith();
    const stack = stackIn('eu-central-1', app);
    const vault = new RegimeVault(stack, 'Vault');
    const lock = VaultLock.governance({ minRetention: Duration.days(30), maxRetention: Duration.days(90) });
    const rule = BackupRule.daily({
      copiesWithLifecycle: [
        { vault: away(stack, 'a', lock), retention: Duration.days(91), archiveSnapshots: true },
        {
          vault: away(stack, 'b', lock),
          retention: Duration.days(89),
          moveToColdStorageAfter: Duration.days(1),
        },
        { vault: away(stack, 'c', lock), retention: Duration.days(29) },
      ],
    });
    new RegimeBackupPlan(stack, 'Plan', { vault, rules: [rule] });
    const message = complaint(app);
    expect(message).toMatch(
      /its copy in eu-west-1 keeps for 91 days, and the vault's lock allows at most 90/,
    );
    expect(message).toMatch(
      /its copy in eu-west-1 keeps for 29 days, and the vault's lock demands at least 30/,
    );
    expect(message).toMatch(/copiesWithLifecycle\[0\]: archiveSnapshots does nothing/);
    expect(message).toMatch(/archiveSnapshots with a run every 24 h: .* every 28 days or more rarely/);
    expect(message).toMatch(/copiesWithLifecycle\[1\]: retention is 89 days and moveToColdStorageAfter 1/);
  });
});
