import { type CfnElement, Duration, Size, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import {
  AuroraPostgresEngineVersion,
  ClusterInstance,
  DatabaseCluster,
  DatabaseClusterEngine,
} from 'aws-cdk-lib/aws-rds';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import {
  DatabaseEngine,
  DatabaseServer,
  PrivacyRegime,
  TenantBackups,
  type TenantBackupsProps,
  TenantSource,
} from 'cdk-sovereign-backup';
import { appWith, complaint, stackIn } from '../synth';

function backups(
  props: Partial<TenantBackupsProps> = {},
  context = {},
  region: string | undefined = 'eu-central-1',
) {
  const app = appWith(context);
  const stack = stackIn(region, app);
  const server = DatabaseServer.fromEndpoint({
    host: 'db.example.internal',
    user: 'backup',
    secret: Secret.fromSecretNameV2(stack, 'Login', 'db/backup'),
  });
  const vpc = new Vpc(stack, 'Vpc', { natGateways: 0, restrictDefaultSecurityGroup: false });
  const made = new TenantBackups(stack, 'Tenants', {
    source: TenantSource.discover(server, 'tenant\\_%'),
    vpc,
    vpcSubnets: { subnets: vpc.isolatedSubnets.length > 0 ? vpc.isolatedSubnets : vpc.publicSubnets },
    ...props,
  });
  return { app, stack, made, server, template: () => Template.fromStack(stack) };
}

interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}
const statementsOf = (template: Template): Statement[] =>
  Object.values(template.findResources('AWS::IAM::Policy')).flatMap(
    (policy) => policy.Properties.PolicyDocument.Statement as Statement[],
  );
const definition = (template: Template): string => {
  const [machine] = Object.values(template.findResources('AWS::StepFunctions::StateMachine'));
  const parts = machine!.Properties.DefinitionString['Fn::Join'][1] as unknown[];
  return parts.map((part) => (typeof part === 'string' ? part : 'TOKEN')).join('');
};

test('the worker is an image, the others zips, all arm64; no password in any environment', () => {
  const template = backups().template();
  template.hasResourceProperties('AWS::Lambda::Function', {
    PackageType: 'Image',
    Architectures: ['arm64'],
    Timeout: 900,
    Environment: {
      Variables: Match.objectLike({
        SOVEREIGN_REGIME: 'eu',
        SOVEREIGN_PREFIX: 'archives/',
        SOVEREIGN_SERVER: 'postgres://backup@db.example.internal:5432',
        SOVEREIGN_SECRET_ARN: Match.anyValue(),
        SOVEREIGN_TENANT_ROLE_ARN: Match.anyValue(),
      }),
    },
  });
  template.hasResourceProperties('AWS::Lambda::Function', {
    Runtime: 'nodejs24.x',
    Architectures: ['arm64'],
    Environment: { Variables: Match.objectLike({ SOVEREIGN_TENANT_PATTERN: 'tenant\\_%' }) },
  });
  expect(JSON.stringify(template.toJSON())).not.toMatch(/PASSWORD/i);
});

test.each([true, false])('finds, dumps each, reports; with the result writer flag %s', (flag) => {
  const template = backups(
    {},
    { '@aws-cdk/aws-stepfunctions:useDistributedMapResultWriterV2': flag },
  ).template();
  const machine = JSON.parse(definition(template));
  expect(machine.StartAt).toBe('FindTenants');
  const each = machine.States.EachTenant;
  expect(each).toMatchObject({
    Type: 'Map',
    ToleratedFailurePercentage: 100,
    MaxConcurrency: 10,
    ResultPath: '$.results',
    Next: 'Report',
  });
  expect(each.ItemReader).toMatchObject({
    ReaderConfig: { InputType: 'JSON' },
    Parameters: { 'Key.$': '$.key' },
  });
  expect(each.ResultWriter.Parameters.Prefix).toBe('runs/results');
  expect(each.ItemProcessor.States.Dump.Parameters).toEqual({
    action: 'dump',
    'tenant.$': '$.tenant',
    'database.$': '$.database',
  });
  // No second try where the archive is whole in some stores or the time was over; two where neither is so.
  expect(each.ItemProcessor.States.Dump.Retry).toMatchObject([
    { ErrorEquals: ['TenantCopyError'], MaxAttempts: 0 },
    { ErrorEquals: ['TenantTimeError', 'Sandbox.Timedout'], MaxAttempts: 0 },
    { ErrorEquals: ['States.ALL'], MaxAttempts: 2 },
  ]);
  expect(machine.States.Report.Parameters).toEqual({
    'run.$': '$$.Execution.Name',
    'bucket.$': '$.bucket',
    'key.$': '$.key',
    'count.$': '$.count',
    'results.$': '$.results',
  });
});

test('one tenant’s session reaches that tenant’s prefix and encryption context only', () => {
  const statements = statementsOf(backups().template());
  const own = statements.filter(
    (statement) => statement.Sid?.startsWith('Own') && statement.Sid !== 'OwnLog',
  );
  expect(own.map(({ Sid }) => Sid).sort()).toEqual([
    'OwnArchives',
    'OwnEncryptionContext',
    'OwnLeftovers',
    'OwnList',
  ]);
  for (const statement of own) {
    expect(JSON.stringify(statement)).toContain('$'.concat('{aws:PrincipalTag/tenant}'));
  }
  const objects = JSON.stringify(own.find(({ Sid }) => Sid === 'OwnArchives')!.Resource);
  expect(objects).toContain('/archives/eu/'.concat('$', '{aws:PrincipalTag/tenant}/*'));
  // IAM knows no prefix of open uploads: with that condition it could never apply, and without it reach every tenant.
  expect(JSON.stringify(statements)).not.toContain('s3:ListBucketMultipartUploads');
  // Nobody else may touch archives or open them.
  const others = statements.filter((statement) => !own.includes(statement));
  // Who deletes what no rule keeps lists and deletes, has no key, and a test of its own.
  const pruning = ['LookAndDelete', 'ListArchives'];
  const reaching = others.filter(
    (s) => !pruning.includes(s.Sid ?? '') && /"(s3:|kms:Decrypt)/.test(JSON.stringify(s.Action)),
  );
  for (const statement of reaching) {
    expect(JSON.stringify(statement)).not.toContain('archives/');
  }
});

test('the role can be assumed only by the worker, with the tenant as its one tag', () => {
  backups()
    .template()
    .hasResourceProperties('AWS::IAM::Role', {
      AssumeRolePolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: ['sts:AssumeRole', 'sts:TagSession'],
            Condition: {
              StringLike: { 'aws:RequestTag/tenant': '?*' },
              'ForAllValues:StringEquals': { 'aws:TagKeys': ['tenant'] },
            },
          }),
        ]),
      },
    });
});

test('no statement allows every action, and an asterisk stands only where AWS knows no resource', () => {
  const knownWithout =
    /^(ec2:(Create|Describe|Delete)NetworkInterfaces?|ec2:DescribeSubnets|ec2:(Una|A)ssignPrivateIpAddresses|xray:.*|logs:.*LogDeliver.*|logs:.*ResourcePolic.*|logs:DescribeLogGroups)$/;
  for (const statement of statementsOf(backups().template())) {
    const actions = [statement.Action].flat();
    expect(actions).not.toContain('*');
    if (statement.Resource === '*') for (const action of actions) expect(action).toMatch(knownWithout);
  }
});

test('archives are versioned, locked, private and retained', () => {
  backups()
    .template()
    .hasResource('AWS::S3::Bucket', {
      DeletionPolicy: 'Retain',
      Properties: {
        VersioningConfiguration: { Status: 'Enabled' },
        ObjectLockEnabled: true,
        ObjectLockConfiguration: { Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 7 } } },
        PublicAccessBlockConfiguration: Match.objectLike({
          BlockPublicAcls: true,
          RestrictPublicBuckets: true,
        }),
      },
    });
});

test('alarms: on a failed run, and on none for longer than schedule and run may take', () => {
  const template = backups({ maxDuration: Duration.hours(3) }).template();
  template.hasResourceProperties('AWS::CloudWatch::Alarm', {
    EvaluationPeriods: 27,
    ComparisonOperator: 'LessThanThreshold',
    TreatMissingData: 'breaching',
    MetricName: 'ExecutionsSucceeded',
  });
  template.hasResourceProperties('AWS::CloudWatch::Alarm', {
    TreatMissingData: 'notBreaching',
    Metrics: Match.arrayWith([
      Match.objectLike({
        MetricStat: Match.objectLike({ Metric: Match.objectLike({ MetricName: 'ExecutionsTimedOut' }) }),
      }),
    ]),
  });
});

test('a schedule that is too rare for the dead man’s switch is told', () => {
  const { stack } = backups({ schedule: 'cron(0 2 ? * SUN *)' });
  Annotations.fromStack(stack).hasWarning(
    '/Stack/Tenants',
    Match.stringLikeRegexp('CloudWatch looks back 7 days'),
  );
});

test('ten thousand listed tenants are an asset, not resources', () => {
  const sizes = [3, 10_000].map((count) => {
    const { stack, server } = backups();
    const tenants = Array.from({ length: count }, (_, i) => ({ tenant: `t${i}` }));
    new TenantBackups(stack, 'Listed', { source: TenantSource.list(server, tenants) });
    return JSON.stringify(Template.fromStack(stack).toJSON()).length;
  });
  expect(Math.abs(sizes[1]! - sizes[0]!)).toBeLessThan(100);
});

test('an Aurora cluster opens its port to the worker; two in one stack', () => {
  const app = appWith();
  const stack = stackIn('eu-central-1', app);
  const vpc = new Vpc(stack, 'Vpc', { restrictDefaultSecurityGroup: false });
  const cluster = new DatabaseCluster(stack, 'Db', {
    engine: DatabaseClusterEngine.auroraPostgres({ version: AuroraPostgresEngineVersion.VER_16_4 }),
    writer: ClusterInstance.serverlessV2('writer'),
    vpc,
    storageEncrypted: true,
  });
  const server = DatabaseServer.fromCluster(cluster);
  for (const id of ['A', 'B']) {
    new TenantBackups(stack, id, { source: TenantSource.discover(server, `${id}%`), vpc });
  }
  const template = Template.fromStack(stack);
  template.resourceCountIs('AWS::EC2::SecurityGroupIngress', 2);
  template.resourceCountIs('AWS::StepFunctions::StateMachine', 2);
  expect(complaint(app)).toBe('');
});

test('logs in with a token of the role where the server takes one: no secret', () => {
  const { stack } = backups();
  const server = DatabaseServer.fromEndpoint({ host: 'db', user: 'backup', iamResourceId: 'cluster-ABC' });
  const made = new TenantBackups(stack, 'Token', { source: TenantSource.discover(server, '%') });
  const template = Template.fromStack(stack);
  const id = stack.getLogicalId(made.worker.node.defaultChild as CfnElement);
  const variables = template.findResources('AWS::Lambda::Function')[id]!.Properties.Environment.Variables;
  expect(variables).toMatchObject({ SOVEREIGN_DB_AUTH: 'iam' });
  expect(variables).not.toHaveProperty('SOVEREIGN_SECRET_ARN');
  const connects = statementsOf(template).filter(({ Action }) => Action === 'rds-db:connect');
  expect(connects).toHaveLength(2);
  expect(JSON.stringify(connects[0]!.Resource)).toContain(':dbuser:cluster-ABC/backup');
});

test.each(['us-gov-west-1', 'cn-north-1', 'eusc-de-east-1'])('in another partition: %s', (region) => {
  expect(complaint(backups({}, { '@aws-cdk/core:enablePartitionLiterals': true }, region).app)).toBe('');
});

describe('refuses', () => {
  test('a stack without a region, and one of another regime', () => {
    const { app } = backups({}, {}, 'eu-west-2');
    expect(complaint(app)).toBe('');
    expect(complaint(backups({ regime: PrivacyRegime.EU }, {}, 'eu-west-2').app)).toContain(
      "[Stack/Tenants] tenant archives of 'eu': region eu-west-2 (regime uk) does not belong",
    );
    const agnostic = appWith();
    const stack = new Stack(agnostic, 'Stack');
    const server = DatabaseServer.fromEndpoint({ host: 'db' });
    new TenantBackups(stack, 'Tenants', { source: TenantSource.discover(server, '%') });
    expect(complaint(agnostic)).toContain('known only at deployment');
  });
  test('a server in another regime', () => {
    const { stack, app } = backups();
    const server = DatabaseServer.fromEndpoint({ host: 'db', region: 'us-east-1' });
    new TenantBackups(stack, 'Far', { source: TenantSource.discover(server, '%') });
    expect(complaint(app)).toMatch(
      /\[Stack\/Far\] dumps the server of another region: .*us-east-1 \(regime us\)/,
    );
  });
  test('schedules that cannot be read, and archives that expire before their lock', () => {
    const message = complaint(
      backups({ schedule: 'cron(0 2 * *)', retention: Duration.days(3), immutableFor: Duration.days(7) }).app,
    );
    expect(message).toContain('its schedule cannot be read');
    expect(message).toContain('retention is 3 days and immutableFor 7');
  });
  test('sources without tenants', () => {
    const server = DatabaseServer.fromEndpoint({ host: 'db' });
    expect(() => TenantSource.list(server, [])).toThrow(/no tenants/);
    expect(() => TenantSource.list(server, [{ tenant: 'a' }, { tenant: 'a' }])).toThrow(/more than once: a/);
    expect(() => TenantSource.discover(server, ' ')).toThrow(/pattern is empty/);
  });
});

describe('how dumps are taken', () => {
  const told = (props: Partial<TenantBackupsProps>) =>
    Object.values(backups(props).template().findResources('AWS::Lambda::Function'))
      .map((made) => made.Properties.Environment?.Variables ?? {})
      .filter(({ SOVEREIGN_TENANT_ROLE_ARN }) => SOVEREIGN_TENANT_ROLE_ARN !== undefined)
      .map(({ SOVEREIGN_DUMP, SOVEREIGN_REPLICA }) => ({ SOVEREIGN_DUMP, SOVEREIGN_REPLICA }));

  test('is told to the worker where it is declared, and not otherwise', () => {
    expect(told({})).toEqual([{}]);
    const replica = DatabaseServer.fromEndpoint({ host: 'replica.example.internal', user: 'backup' });
    const dumps = {
      replica,
      compressionLevel: 3,
      contentChecksums: false,
      maxPerSecond: Size.mebibytes(20),
      jobs: 4,
      statementTimeout: Duration.minutes(10),
    };
    expect(told({ dumps })).toEqual([
      {
        SOVEREIGN_DUMP:
          '{"level":3,"checksums":"rows","bytesPerSecond":20971520,"jobs":4,"statementTimeout":600}',
        SOVEREIGN_REPLICA: 'postgres://backup@replica.example.internal:5432',
      },
    ]);
  });

  test('several jobs read schemas, too', () => {
    const server = DatabaseServer.fromEndpoint({ host: 'db.example.internal' });
    const source = TenantSource.schemas(server, 'app', 'tenant_%');
    expect(complaint(backups({ source, dumps: { jobs: 2 } }).app)).toBe('');
  });

  test('is refused where the engine or the tenancy cannot have it', () => {
    const mysql = { host: 'db', engine: DatabaseEngine.MYSQL };
    const { stack, app } = backups({
      dumps: {
        compressionLevel: 20,
        jobs: 0,
        replica: DatabaseServer.fromEndpoint({ ...mysql, region: 'us-east-1' }),
      },
    });
    new TenantBackups(stack, 'Jobs', {
      source: TenantSource.discover(DatabaseServer.fromEndpoint(mysql), 'tenant_%'),
      dumps: { jobs: 2 },
    });
    new TenantBackups(stack, 'Mysql', {
      source: TenantSource.discover(DatabaseServer.fromEndpoint(mysql), 'tenant_%'),
      dumps: { statementTimeout: Duration.minutes(1) },
    });
    const said = complaint(app);
    for (const part of [
      /compressionLevel is 20, write a whole number from 1 to 19/,
      /jobs is 0, write a whole number from 1 to 64/,
      /the replica is mysql and the server postgres/,
      /dumps the server of another region.*us-east-1/,
      /Jobs.*several jobs read databases and schemas of PostgreSQL/s,
      /Mysql.*statementTimeout is for PostgreSQL and for rows of shared tables/s,
    ])
      expect(said).toMatch(part);
  });
});
