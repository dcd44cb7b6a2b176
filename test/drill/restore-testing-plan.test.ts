import { type App, Aws, Duration, TimeZone, Validations } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Schedule } from 'aws-cdk-lib/aws-events';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import {
  RecoveryPointKind,
  RecoveryPointPick,
  RegimeVault,
  ResourceType,
  RestoreTestingPlan,
  type RestoreTestingPlanProps,
  type RestoreTestingSelectionOptions,
  RestoreValidator,
} from 'cdk-sovereign-backup';
import { lint } from '../support/cfn-lint';
import { withAwsSolutions } from '../support/nag';
import { appWith, complaint, stackIn } from '../synth';

const bucket = 'arn:aws:s3:::orders';

/** Every validator there is, in one plan. */
function everything(region: string | undefined, app = appWith(), id = 'Stack') {
  const stack = stackIn(region, app, id);
  const plan = new RestoreTestingPlan(stack, 'Drills');
  const vpc = new Vpc(stack, 'Network', { restrictDefaultSecurityGroup: false });
  const judge = new LambdaFunction(stack, 'Judge', {
    code: Code.fromInline('exports.handler = async () => ({ passed: true })'),
    handler: 'index.handler',
    runtime: Runtime.NODEJS_24_X,
  });
  plan.addSelection('Servers', {
    resourceType: ResourceType.EC2,
    vpc,
    validators: [RestoreValidator.instanceBoots({ port: 443 })],
  });
  plan.addSelection('Databases', {
    resourceType: ResourceType.RDS,
    tags: { tier: 'gold' },
    restoreMetadata: { dbSubnetGroupName: 'drills' },
    vpc,
    validators: [
      RestoreValidator.databaseAnswers({
        credentials: new Secret(stack, 'Login'),
        databaseName: 'shop',
        tables: ['orders'],
      }),
      RestoreValidator.judgedBy(judge),
    ],
  });
  const keys = [new Key(stack, 'Key', { enableKeyRotation: true })];
  plan.addSelection('Buckets', {
    resourceType: ResourceType.S3,
    resources: [`arn:${stack.partition}:s3:::orders`],
    validators: [RestoreValidator.objectsMatch({ keys })],
  });
  plan.addSelection('Tables', {
    resourceType: ResourceType.DYNAMODB,
    validators: [RestoreValidator.hasItems({ shareOfSource: 0.9 })],
  });
  return { app, stack, plan };
}

function planned(props: RestoreTestingPlanProps, selection: RestoreTestingSelectionOptions): App {
  const app = appWith();
  new RestoreTestingPlan(stackIn('eu-central-1', app), 'Drills', props).addSelection('Things', selection);
  return app;
}
const judged = (type: ResourceType, more: Partial<RestoreTestingSelectionOptions> = {}) => ({
  resourceType: type,
  ...more,
});

describe('what is synthesized', () => {
  const { app, stack } = everything('eu-central-1');
  const template = Template.fromStack(stack);

  it('restores a random recovery point of the last 30 days every Sunday', () => {
    template.hasResourceProperties('AWS::Backup::RestoreTestingPlan', {
      ScheduleExpression: 'cron(0 3 ? * SUN *)',
      StartWindowHours: 24,
      RecoveryPointSelection: {
        Algorithm: 'RANDOM_WITHIN_WINDOW',
        IncludeVaults: ['*'],
        RecoveryPointTypes: ['SNAPSHOT', 'CONTINUOUS'],
        SelectionWindowDays: 30,
      },
    });
  });

  it('selects by tag among all, or by ARN', () => {
    template.hasResourceProperties('AWS::Backup::RestoreTestingSelection', {
      ProtectedResourceType: 'RDS',
      ProtectedResourceArns: ['*'],
      ProtectedResourceConditions: { StringEquals: [{ Key: 'aws:ResourceTag/tier', Value: 'gold' }] },
      RestoreMetadataOverrides: { dbSubnetGroupName: 'drills' },
      ValidationWindowHours: 8,
    });
    template.hasResourceProperties('AWS::Backup::RestoreTestingSelection', {
      ProtectedResourceType: 'S3',
      ProtectedResourceArns: [Match.anyValue()],
    });
  });

  it('hands completed restores of the plan and type to the function, with the checks', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.backup'],
        'detail-type': ['Restore Job State Change'],
        detail: {
          restoreTestingPlanArn: [
            { 'Fn::GetAtt': [Match.stringLikeRegexp('Drills'), 'RestoreTestingPlanArn'] },
          ],
          resourceType: ['EC2'],
          $or: [{ status: ['COMPLETED'] }, { state: ['COMPLETED'] }],
        },
      },
      Targets: [
        Match.objectLike({
          InputTransformer: {
            InputPathsMap: { 'detail-restoreJobId': '$.detail.restoreJobId' },
            InputTemplate: '{"restoreJobId":<detail-restoreJobId>,"checks":[{"kind":"instance","port":443}]}',
          },
        }),
      ],
    });
  });

  it('gives each function what its validators need and no more', () => {
    const policies = Object.entries(template.findResources('AWS::IAM::Policy')).filter(([id]) =>
      id.includes('Validation'),
    );
    const actionsOf = (part: string) =>
      policies
        .filter(([id]) => id.includes(part))
        .flatMap(([, policy]) => policy.Properties.PolicyDocument.Statement)
        .flatMap(({ Action }) => Action)
        .filter((action: string) => !/^(backup|logs|ec2:.*(NetworkInterface|PrivateIp|Subnets))/.test(action))
        .sort();
    expect(actionsOf('Servers')).toEqual(['ec2:DescribeInstanceStatus', 'ec2:DescribeInstances']);
    expect(actionsOf('Databases')).toEqual([
      'lambda:InvokeFunction',
      'rds:DescribeDBInstances',
      'secretsmanager:DescribeSecret',
      'secretsmanager:GetSecretValue',
    ]);
    expect(actionsOf('Buckets')).toEqual([
      'kms:Decrypt',
      's3:GetObject',
      's3:GetObject',
      's3:GetObjectVersion',
      's3:ListBucket',
      's3:ListBucketVersions',
    ]);
    expect(actionsOf('Tables')).toEqual([
      'dynamodb:DescribeTable',
      'dynamodb:DescribeTable',
      'dynamodb:Scan',
    ]);
    for (const [, policy] of policies) {
      for (const { Action, Resource } of policy.Properties.PolicyDocument.Statement) {
        expect([Action].flat()).not.toContain('*');
        // Only what accepts no narrower resource.
        if (Resource === '*') {
          for (const action of [Action].flat()) {
            expect(action).toMatch(/^(backup:(DescribeRestoreJob|PutRestoreValidationResult)|ec2:\w+)$/);
          }
        }
      }
    }
  });

  it('is clean for cfn-lint', async () => {
    expect(await lint(app, stack)).toBe('');
  });

  it('has metrics of its own plan', () => {
    const { plan } = everything('eu-central-1');
    expect(plan.metricFailed({ period: Duration.hours(1) }).toMetricConfig().metricStat).toMatchObject({
      namespace: 'SovereignBackup/Drills',
      metricName: 'Failed',
      dimensions: [{ name: 'plan', value: plan.planName }],
      period: Duration.hours(1),
    });
  });
});

it.each(['us-gov-west-1', 'cn-north-1', 'eusc-de-east-1', undefined])('synthesizes in %s', (region) => {
  const { app, stack } = everything(region);
  // China and GovCloud: CDK knows of no such resource types there, and the construct says what that means.
  const missing = ['us-gov-west-1', 'cn-north-1'].includes(region ?? '');
  if (missing) {
    Validations.of(stack).acknowledge({
      id: 'CloudFormation-Validate::F3006',
      reason: 'the test is about the rest',
    });
    Annotations.fromStack(stack).hasWarning('*', Match.stringLikeRegexp('have no restore testing'));
  }
  expect(complaint(app)).toBe('');
  expect(JSON.stringify(Template.fromStack(stack).toJSON())).not.toContain('arn:aws:');
});

it('can be there twice in a stack', () => {
  const app = appWith();
  const stack = stackIn('eu-central-1', app);
  for (const id of ['One', 'Two']) {
    new RestoreTestingPlan(stack, id).addSelection('Files', {
      resourceType: ResourceType.EFS,
      validationWindow: Duration.hours(1),
    });
  }
  expect(complaint(app)).toBe('');
  const names = Object.values(Template.fromStack(stack).findResources('AWS::Backup::RestoreTestingPlan')).map(
    ({ Properties }) => Properties.RestoreTestingPlanName,
  );
  expect(new Set(names).size).toBe(2);
});

it('is clean for AwsSolutions', () => {
  const app = withAwsSolutions(appWith());
  const stack = stackIn('eu-central-1', app);
  const judge = LambdaFunction.fromFunctionArn(
    stack,
    'Judge',
    'arn:aws:lambda:eu-central-1:111111111111:function:judge',
  );
  const plan = new RestoreTestingPlan(stack, 'Drills');
  plan.addSelection('Servers', {
    resourceType: ResourceType.EC2,
    validators: [RestoreValidator.instanceBoots(), RestoreValidator.judgedBy(judge)],
  });
  plan.addSelection('Tables', {
    resourceType: ResourceType.DYNAMODB,
    validators: [RestoreValidator.hasItems({ shareOfSource: 0.5 })],
  });
  plan.addSelection('Buckets', {
    resourceType: ResourceType.S3,
    resources: [bucket],
    validators: [RestoreValidator.objectsMatch()],
  });
  expect(complaint(app)).toBe('');
});

it('takes every property', () => {
  const app = appWith();
  const stack = stackIn('eu-central-1', app);
  const vault = new RegimeVault(stack, 'Vault');
  new RestoreTestingPlan(stack, 'Drills', {
    planName: 'nightly',
    schedule: Schedule.cron({ hour: '2', minute: '0' }),
    timeZone: TimeZone.EUROPE_BERLIN,
    startWindow: Duration.days(7),
    selectionWindow: Duration.days(365),
    pick: RecoveryPointPick.LATEST,
    kinds: [RecoveryPointKind.CONTINUOUS],
    vaults: [vault],
  }).addSelection('Files', { resourceType: ResourceType.EFS });
  Template.fromStack(stack).hasResourceProperties('AWS::Backup::RestoreTestingPlan', {
    RestoreTestingPlanName: 'nightly',
    ScheduleExpressionTimezone: 'Europe/Berlin',
    StartWindowHours: 168,
    RecoveryPointSelection: {
      Algorithm: 'LATEST_WITHIN_WINDOW',
      IncludeVaults: [Match.anyValue()],
      RecoveryPointTypes: ['CONTINUOUS'],
      SelectionWindowDays: 365,
    },
  });
});

it('warns of what nobody looks at', () => {
  const app = appWith();
  const stack = stackIn('eu-central-1', app);
  new RestoreTestingPlan(stack, 'Drills').addSelection('Files', { resourceType: ResourceType.EFS });
  Annotations.fromStack(stack).hasWarning('*', Match.stringLikeRegexp('nobody looks at what it restores'));
});

describe('what is refused, with the value, the limit and the way out', () => {
  const files = judged(ResourceType.EFS);
  it.each<[string, RestoreTestingPlanProps, RestoreTestingSelectionOptions, RegExp]>([
    ['a name with dashes', { planName: 'a-b' }, files, /planName is 'a-b'.*1 to 50 letters/],
    ['a long name', { planName: 'x'.repeat(51) }, files, /1 to 50 letters/],
    ['a rate', { schedule: Schedule.rate(Duration.days(1)) }, files, /rate\(1 day\).*Schedule\.cron/],
    ['a late start', { startWindow: Duration.hours(169) }, files, /startWindow is 169 hours.*1 to 168/],
    ['half an hour', { startWindow: Duration.minutes(30) }, files, /startWindow is 0\.5 hours/],
    [
      'an old window',
      { selectionWindow: Duration.days(366) },
      files,
      /selectionWindow is 366 days.*1 to 365/,
    ],
    ['no vault', { vaults: [] }, files, /vaults is empty.*leave vaults out for all/],
    [
      'a type',
      {},
      judged(ResourceType.TIMESTREAM),
      /Timestream, which AWS Backup cannot.*Aurora, DocumentDB/,
    ],
    [
      'many resources',
      {},
      judged(ResourceType.EFS, { resources: Array.from({ length: 31 }, (_, n) => `arn:${n}`) }),
      /names 31 resources.*at most 30/,
    ],
    [
      'a wildcard',
      {},
      judged(ResourceType.S3, { resources: ['arn:aws:s3:::a*'] }),
      /'arn:aws:s3:::a\*'.*alone/,
    ],
    [
      'resources and tags',
      {},
      judged(ResourceType.S3, { resources: [bucket], tags: { a: 'b' } }),
      /both resources and tags.*leave one out/,
    ],
    [
      'a long validation',
      {},
      judged(ResourceType.EFS, { validationWindow: Duration.hours(169) }),
      /validationWindow is 169 hours.*0 to 168/,
    ],
    [
      'no time to validate',
      {},
      judged(ResourceType.EC2, {
        validationWindow: Duration.hours(0),
        validators: [RestoreValidator.instanceBoots()],
      }),
      /validationWindow is 0 hours.*1 to 168/,
    ],
    [
      'a validator of another type',
      {},
      judged(ResourceType.EFS, { validators: [RestoreValidator.instanceBoots()] }),
      /judges EC2, not EFS.*judgedBy/,
    ],
    [
      'a port out of reach',
      {},
      judged(ResourceType.EC2, { validators: [RestoreValidator.instanceBoots({ port: 22 })] }),
      /port: 22.*give the selection the vpc/,
    ],
    [
      'a comparison with every bucket',
      {},
      judged(ResourceType.S3, { validators: [RestoreValidator.objectsMatch()] }),
      /name its buckets.*compareWithSource: false/,
    ],
    [
      'more than all items',
      {},
      judged(ResourceType.DYNAMODB, { validators: [RestoreValidator.hasItems({ shareOfSource: 1.1 })] }),
      /shareOfSource: 1\.1.*at most 1/,
    ],
  ])('%s', (_, props, selection, message) => {
    const text = complaint(planned(props, selection));
    expect(text).toMatch(message);
    expect(text).toContain('Stack/Drills');
  });

  it('several at once', () => {
    const text = complaint(
      planned({ planName: 'a b', startWindow: Duration.days(8) }, judged(ResourceType.REDSHIFT)),
    );
    for (const part of ['planName', 'startWindow', 'Redshift']) expect(text).toContain(part);
  });

  it('a plan without selections', () => {
    const app = appWith();
    new RestoreTestingPlan(stackIn('eu-central-1', app), 'Drills');
    expect(complaint(app)).toMatch(/has no selection/);
  });

  it('more than 30 selections', () => {
    const app = appWith();
    const plan = new RestoreTestingPlan(stackIn('eu-central-1', app), 'Drills');
    for (let n = 0; n < 31; n++) plan.addSelection(`S${n}`, { resourceType: ResourceType.EFS });
    expect(complaint(app)).toMatch(/more than 30 selections/);
  });

  it('a schedule that cannot be read, no kinds, and a vault of another account', () => {
    const app = appWith();
    const stack = stackIn('eu-central-1', app);
    const theirs = { vaultName: 'theirs', region: 'eu-central-1', account: '222222222222' };
    const plan = new RestoreTestingPlan(stack, 'Drills', {
      schedule: Schedule.expression('cron(nonsense)'),
      kinds: [],
      vaults: [
        RegimeVault.fromAttributes(stack, 'Theirs', theirs),
        RegimeVault.fromAttributes(stack, 'Shared', { ...theirs, airGapped: true }),
      ],
    });
    plan.addSelection('Files', { resourceType: ResourceType.EFS });
    const message = complaint(app);
    expect(message).toContain("its schedule cannot be read: 'cron(nonsense)' is not cron() of six fields");
    expect(message).toContain('kinds is empty');
    expect(message).toContain('vaults[0] is in account 222222222222 and the plan in 111111111111');
    expect(message).not.toContain('vaults[1]');
  });

  it('a vault of another region', () => {
    const app = appWith();
    const vault = new RegimeVault(stackIn('eu-west-1', app, 'Copies'), 'Vault', { vaultName: 'copies' });
    const plan = new RestoreTestingPlan(stackIn('eu-central-1', app), 'Drills', { vaults: [vault] });
    plan.addSelection('Files', { resourceType: ResourceType.EFS });
    expect(complaint(app)).toMatch(/vaults\[0\] is in region eu-west-1 and the plan in eu-central-1/);
  });

  it('two selections between which a job cannot be told apart', () => {
    const app = appWith();
    const plan = new RestoreTestingPlan(stackIn('eu-central-1', app), 'Drills');
    const validators = [RestoreValidator.instanceBoots()];
    plan.addSelection('All', { resourceType: ResourceType.EC2, validators });
    plan.addSelection('Some', {
      resourceType: ResourceType.EC2,
      resources: ['arn:aws:ec2:eu-central-1:111111111111:instance/i-1'],
      validators,
    });
    expect(complaint(app)).toMatch(/several judged selections of EC2/);
  });
});

it('leaves alone what is known only at deployment', () => {
  const app = planned(
    {},
    judged(ResourceType.S3, { resources: [`arn:${Aws.PARTITION}:s3:::${Aws.ACCOUNT_ID}-orders`] }),
  );
  expect(complaint(app)).toBe('');
});
