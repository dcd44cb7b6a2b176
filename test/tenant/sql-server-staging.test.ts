import { Match, Template } from 'aws-cdk-lib/assertions';
import { SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import {
  DatabaseInstance,
  DatabaseInstanceEngine,
  LicenseModel,
  OptionGroup,
  SqlServerEngineVersion,
} from 'aws-cdk-lib/aws-rds';
import {
  DatabaseEngine,
  DatabaseServer,
  PrivacyRegime,
  SqlServerStaging,
  type SqlServerStagingProps,
  TenantBackups,
  TenantKeys,
  TenantSource,
} from 'cdk-sovereign-backup';
import { lint } from '../support/cfn-lint';
import { withAwsSolutions } from '../support/nag';
import { appWith, complaint, stackIn } from '../synth';

/** What a platform team declares: staging, option group, instance, backups. */
function declare(
  options: {
    region?: string;
    staging?: SqlServerStagingProps;
    maxConcurrency?: number;
    keys?: TenantKeys;
  } = {},
  context = {},
) {
  const app = appWith(context);
  const stack = stackIn(options.region ?? 'eu-central-1', app);
  const vpc = new Vpc(stack, 'Vpc', {
    natGateways: 0,
    restrictDefaultSecurityGroup: false,
    subnetConfiguration: [{ name: 'isolated', subnetType: SubnetType.PRIVATE_ISOLATED }],
  });
  const staging = new SqlServerStaging(stack, 'Staging', options.staging);
  const engine = DatabaseInstanceEngine.sqlServerSe({
    version: SqlServerEngineVersion.of('16.00.4165.4.v1', '16.00'),
  });
  const instance = new DatabaseInstance(stack, 'Instance', {
    engine,
    vpc,
    vpcSubnets: { subnets: vpc.isolatedSubnets },
    licenseModel: LicenseModel.LICENSE_INCLUDED,
    optionGroup: new OptionGroup(stack, 'Options', { engine, configurations: [staging.option()] }),
    storageEncrypted: true,
  });
  const server = DatabaseServer.fromInstance(instance, { engine: DatabaseEngine.SQL_SERVER, staging });
  const backups = new TenantBackups(stack, 'Tenants', {
    source: TenantSource.discover(server, 'tenant\\_%'),
    vpc,
    vpcSubnets: { subnets: vpc.isolatedSubnets },
    ...(options.keys ? { keys: options.keys } : {}),
    ...(options.maxConcurrency === undefined ? {} : { maxConcurrency: options.maxConcurrency }),
  });
  return { app, stack, staging, server, backups, template: () => Template.fromStack(stack) };
}

test('the instance has the option, and the option the role', () => {
  const template = declare().template();
  template.hasResourceProperties('AWS::RDS::OptionGroup', {
    OptionConfigurations: [
      {
        OptionName: 'SQLSERVER_BACKUP_RESTORE',
        OptionSettings: [
          {
            Name: 'IAM_ROLE_ARN',
            Value: { 'Fn::GetAtt': [Match.stringLikeRegexp('SqlServerBackupRole'), 'Arn'] },
          },
        ],
      },
    ],
  });
});

test('the role is for RDS of this account, and for the prefix and the key alone', () => {
  const template = declare({ staging: { instanceIdentifiers: ['orders'] } }).template();
  template.hasResourceProperties('AWS::IAM::Role', {
    AssumeRolePolicyDocument: {
      Statement: [
        {
          Effect: 'Allow',
          Action: 'sts:AssumeRole',
          Principal: { Service: 'rds.amazonaws.com' },
          Condition: {
            StringEquals: { 'aws:SourceAccount': '111111111111' },
            ArnLike: {
              'aws:SourceArn': [
                {
                  'Fn::Join': [
                    '',
                    ['arn:', { Ref: 'AWS::Partition' }, ':rds:eu-central-1:111111111111:db:orders'],
                  ],
                },
                {
                  'Fn::Join': [
                    '',
                    ['arn:', { Ref: 'AWS::Partition' }, ':rds:eu-central-1:111111111111:og:*'],
                  ],
                },
              ],
            },
          },
        },
      ],
    },
  });
  const [policy] = Object.values(template.findResources('AWS::IAM::Policy')).filter(({ Properties }) =>
    JSON.stringify(Properties.Roles).includes('SqlServerBackupRole'),
  );
  const statements = policy!.Properties.PolicyDocument.Statement as { Action: string[]; Resource: unknown }[];
  expect(statements.flatMap(({ Action }) => Action).filter((action) => /\*|Delete/.test(action))).toEqual([]);
  for (const { Resource } of statements) expect(JSON.stringify(Resource)).toMatch(/Staging(Bucket|Key)/);
  expect(JSON.stringify(statements[1]!.Resource)).toContain('/stage/*');
});

test('the bucket keeps nothing: no versions, one day, encrypted under the key', () => {
  declare()
    .template()
    .hasResource('AWS::S3::Bucket', {
      Properties: {
        VersioningConfiguration: Match.absent(),
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [
            Match.objectLike({
              ServerSideEncryptionByDefault: Match.objectLike({ SSEAlgorithm: 'aws:kms' }),
            }),
          ],
        },
        LifecycleConfiguration: {
          Rules: [
            {
              Id: 'expire-leftovers',
              Status: 'Enabled',
              ExpirationInDays: 1,
              AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
            },
          ],
        },
      },
    });
});

test('the worker is told the bucket and may use it; two tenants at a time', () => {
  const { template } = declare();
  template().hasResourceProperties('AWS::Lambda::Function', {
    PackageType: 'Image',
    Environment: {
      Variables: Match.objectLike({
        SOVEREIGN_SERVER: {
          'Fn::Join': ['', Match.arrayWith(['sqlserver://admin@', '?staging=s3://', '/stage/'])],
        },
      }),
    },
  });
  const policies = JSON.stringify(template().findResources('AWS::IAM::Policy'));
  expect(policies).toContain('s3:DeleteObject');
  const [machine] = Object.values(template().findResources('AWS::StepFunctions::StateMachine'));
  expect(JSON.stringify(machine)).toContain('\\"MaxConcurrency\\":2');
});

test.each([
  [
    'the key of the regime',
    TenantKeys.sharedKey(),
    /^\{"Fn::GetAtt":\["TenantsKey\w+","Arn"\]\}$/,
    undefined,
  ],
  [
    'keys that are tagged with the regime',
    TenantKeys.perTenant(),
    /:kms:eu-central-1:111111111111:key\/\*/,
    { StringEquals: { 'aws:ResourceTag/sovereign-regime': 'eu' } },
  ],
])('RDS encrypts under the key of the archives where it is to: %s', (_, keys, resource, condition) => {
  const used = (encryptWithTenantKey: boolean) => {
    const template = declare({ keys, staging: { encryptWithTenantKey } }).template();
    const statements = Object.values(template.findResources('AWS::IAM::Policy'))
      .filter(({ Properties }) => JSON.stringify(Properties.Roles).includes('SqlServerBackupRole'))
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Record<string, unknown>[]);
    const functions = JSON.stringify(template.findResources('AWS::Lambda::Function'));
    return {
      statement: statements.find(({ Sid }) => Sid === 'KeysOfTenants'),
      told: functions.includes('/stage/&kms_key=tenant'),
    };
  };
  expect(used(false)).toEqual({ statement: undefined, told: false });
  const { statement, told } = used(true);
  expect(told).toBe(true);
  expect(statement).toMatchObject({
    Action: ['kms:DescribeKey', 'kms:GenerateDataKey', 'kms:Encrypt', 'kms:Decrypt'],
  });
  expect(JSON.stringify(statement!.Resource)).toMatch(resource);
  expect(statement!.Condition).toEqual(condition);
});

test.each(['eu-central-1', 'cn-north-1'])('in %s cfn-lint has nothing to say', async (region) => {
  const { app, stack } = declare({ region }, { '@aws-cdk/core:enablePartitionLiterals': true });
  expect(complaint(app)).toBe('');
  expect(await lint(app, stack)).toBe('');
});

test('in a partition that cfn-lint does not know yet, CDK has nothing to say', () => {
  const { app } = declare({ region: 'eusc-de-east-1' }, { '@aws-cdk/core:enablePartitionLiterals': true });
  expect(complaint(app)).toBe('');
});

test('AwsSolutions finds nothing of ours', () => {
  const app = withAwsSolutions(appWith());
  new SqlServerStaging(stackIn('eu-central-1', app), 'Staging');
  expect(complaint(app)).toBe('');
});

describe('refuses', () => {
  test('more at a time than RDS works on, and a server without a bucket', () => {
    expect(complaint(declare({ maxConcurrency: 3 }).app)).toContain(
      'maxConcurrency is 3, and RDS for SQL Server works on 2 backups at a time',
    );
    const { stack, app } = declare();
    const server = DatabaseServer.fromEndpoint({ host: 'db', engine: DatabaseEngine.SQL_SERVER });
    new TenantBackups(stack, 'Without', { source: TenantSource.discover(server, '%') });
    expect(complaint(app)).toContain(
      '[Stack/Without] SQL Server writes its backups to a bucket itself, and none is given',
    );
  });
  test('a region outside of its regime', () => {
    expect(complaint(declare({ staging: { regime: PrivacyRegime.UK } }).app)).toContain(
      "backups of SQL Server of 'uk': region eu-central-1",
    );
  });
});
