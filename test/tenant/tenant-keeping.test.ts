import { Duration } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import {
  DatabaseServer,
  ExternalStore,
  type ExternalStoreProps,
  PrivacyRegime,
  TenantBackups,
  type TenantBackupsProps,
  TenantDrill,
  type TenantDrillProps,
  TenantKeys,
  TenantSource,
} from 'cdk-sovereign-backup';
import { audit } from '../../dist/lib/residency/audit';
import { DEFAULT_POLICY } from '../../dist/lib/residency/policy';
import { lint } from '../support/cfn-lint';
import { withAwsSolutions } from '../support/nag';
import { appWith, complaint, stackIn } from '../synth';

function backups(props: Partial<TenantBackupsProps> = {}, drill?: Partial<TenantDrillProps>) {
  const app = appWith({});
  const stack = stackIn('eu-central-1', app);
  const secret = Secret.fromSecretNameV2(stack, 'Login', 'db/backup');
  const server = DatabaseServer.fromEndpoint({ host: 'db.example.internal', user: 'backup', secret });
  const made = new TenantBackups(stack, 'Tenants', {
    source: TenantSource.discover(server, 'tenant\\_%'),
    ...props,
  });
  const drilled = drill && new TenantDrill(stack, 'Drill', { backups: made, ...drill });
  return { app, stack, made, drilled, template: () => Template.fromStack(stack) };
}
function external(props: Partial<ExternalStoreProps> = {}, id = 'Scaleway') {
  const { stack } = backups();
  return ExternalStore.s3Compatible({
    endpoint: 'https://s3.fr-par.scw.cloud',
    bucket: 'acme-copies',
    region: 'fr-par',
    country: 'FR',
    credentials: Secret.fromSecretNameV2(stack, id, 'scaleway'),
    ...props,
  });
}

interface Statement {
  readonly Sid?: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}
const statements = (template: Template, sid: string): Statement[] =>
  Object.values(template.findResources('AWS::IAM::Policy'))
    .flatMap((policy) => policy.Properties.PolicyDocument.Statement as Statement[])
    .filter(({ Sid }) => Sid === sid);
const machines = (template: Template) =>
  Object.values(template.findResources('AWS::StepFunctions::StateMachine')).map((machine) => {
    const parts = machine.Properties.DefinitionString['Fn::Join'][1] as unknown[];
    return JSON.parse(parts.map((part) => (typeof part === 'string' ? part : 'TOKEN')).join(''));
  });

describe('retention', () => {
  test('is kept by a function, not by age alone: seven days, and generations on request', () => {
    const template = backups({ generations: { weekly: 5, monthly: 12 } }).template();
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: Match.objectLike({
          SOVEREIGN_RETENTION: '{"keepDays":7,"keepWeekly":5,"keepMonthly":12}',
        }),
      },
    });
    template.hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: {
        Rules: Match.arrayWith([
          Match.objectLike({ Id: 'remove-deleted-archives', ExpirationInDays: Match.absent() }),
        ]),
      },
    });
  });

  test('who may delete archives can neither write nor decrypt them', () => {
    const [statement] = statements(backups().template(), 'LookAndDelete');
    expect(statement!.Action).toEqual([
      's3:GetObject',
      's3:GetObjectRetention',
      's3:GetObjectLegalHold',
      's3:DeleteObject',
    ]);
    expect(JSON.stringify(statement!.Resource)).toContain('/archives/eu/*');
  });
});

describe('a key for each tenant', () => {
  const template = backups({ keys: TenantKeys.perTenant() }).template();

  test('is used only by the session of its tenant, by tag and encryption context', () => {
    const tag = '$'.concat('{aws:PrincipalTag/tenant}');
    const [use] = statements(template, 'OwnEncryptionContext');
    expect(use!.Condition).toEqual({
      StringEquals: {
        'kms:EncryptionContext:tenant': tag,
        'kms:EncryptionContext:regime': 'eu',
        'aws:ResourceTag/sovereign-tenant': tag,
      },
    });
    expect(statements(template, 'FindOwnKey')[0]!.Action).toBe('kms:DescribeKey');
  });

  test('is made before the dump, by a function that can use none', () => {
    const [machine] = machines(template);
    expect(machine.States.EachTenant.ItemProcessor.StartAt).toBe('EnsureKey');
    expect(machine.States.EachTenant.ItemProcessor.States.EnsureKey).toMatchObject({
      Next: 'Dump',
      ResultPath: null,
    });
    const actions = ['MakeTaggedKeys', 'NameThem', 'OfTaggedKeysAlone', 'AskByName'].flatMap((sid) =>
      statements(template, sid).flatMap(({ Action }) => Action),
    );
    expect(actions).toContain('kms:CreateKey');
    expect(
      actions.filter((action) => /Decrypt|Encrypt|GenerateDataKey|Deletion|PutKeyPolicy/.test(action)),
    ).toEqual([]);
  });

  test('is not there by default', () => {
    const shared = backups().template();
    expect(statements(shared, 'MakeTaggedKeys')).toEqual([]);
    expect(machines(shared)[0].States.EachTenant.ItemProcessor.StartAt).toBe('Dump');
  });
});

describe('a store at another provider', () => {
  test('is told to the worker without its secret; a dump that misses it is not repeated', () => {
    const { app, stack, template } = backups();
    const store = ExternalStore.s3Compatible({
      endpoint: 'https://s3.fr-par.scw.cloud',
      bucket: 'acme-copies',
      region: 'fr-par',
      country: 'FR',
      partLimit: 1000,
      credentials: Secret.fromSecretNameV2(stack, 'Scaleway', 'scaleway'),
    });
    void app;
    new TenantBackups(stack, 'More', {
      source: TenantSource.discover(
        DatabaseServer.fromEndpoint({ host: 'db', secret: Secret.fromSecretNameV2(stack, 'L', 'l') }),
        '%',
      ),
      externalStores: [store],
    });
    const text = JSON.stringify(template().toJSON());
    expect(text).toContain('s3://acme-copies/?region=fr-par');
    expect(text).toContain('write-only=true&part-limit=1000');
    expect(machines(template())[1].States.EachTenant.ItemProcessor.States.Dump.Retry[0]).toEqual({
      ErrorEquals: ['TenantCopyError'],
      MaxAttempts: 0,
    });
    const document = template().toJSON();
    const input = {
      path: 't.json',
      sha256: '',
      stack: null,
      region: 'eu-central-1',
      account: null,
      document,
    };
    const { edges } = audit([input], DEFAULT_POLICY, { now: new Date() });
    expect(edges.map(({ what, verdict, to }) => [what, verdict, to.country])).toContainEqual([
      'backup',
      'allowed',
      'FR',
    ]);
  });

  test('must be where the regime reaches', () => {
    const inUs = external({ country: 'US' });
    expect(complaint(backups({ externalStores: [inUs] }).app)).toMatch(
      /archives of regime .*\(eu\) would be kept in country US \(s3:\/\/acme-copies\/\).*use a provider in AT, BE/,
    );
    expect(external({ country: 'PL' }).residencyProblem(PrivacyRegime.EU)).toBeUndefined();
    expect(external({ country: 'PL' }).residencyProblem(PrivacyRegime.DE)).toContain('use a provider in DE');
    expect(external({ country: 'CH' }).residencyProblem(PrivacyRegime.EU)).toContain('country CH');
  });

  test('a dated exception lets it be elsewhere, for as long as it holds', () => {
    const leave = (expires: string) => ({
      from: PrivacyRegime.EU,
      to: PrivacyRegime.CH,
      instrument: 'Adequacy decision 2000/518/EC',
      approvedBy: 'DPO',
      expires,
    });
    const inCh = (expires: string) => external({ country: 'CH', exceptions: [leave(expires)] });
    expect(inCh('2099-12-31').residencyProblem(PrivacyRegime.EU)).toBeUndefined();
    expect(inCh('2020-12-31').residencyProblem(PrivacyRegime.EU)).toContain('country CH');
    expect(inCh('2099-12-31').residencyProblem(PrivacyRegime.UK)).toContain('country CH');
  });

  test('wrong input is refused, all of it at once', () => {
    expect(() =>
      external({
        endpoint: 'http://s3.example.com',
        country: 'France',
        bucket: 'A',
        partLimit: 0,
        prefix: 'x',
      }),
    ).toThrow(/endpoint is .*; country is 'France'.*; bucket is 'A'.*; prefix is 'x'.*; partLimit is 0/);
  });
});

describe('a drill', () => {
  test('restores a random sample, one after the other, and says so in its own measures', () => {
    const { template } = backups({}, { sampleSize: 3 });
    const drill = machines(template()).find(({ States }) => States.ChooseTenants);
    expect(drill.States.FindTenants.Next).toBe('ChooseTenants');
    expect(drill.States.EachTenant).toMatchObject({ MaxConcurrency: 1, ToleratedFailurePercentage: 100 });
    expect(JSON.stringify(drill.States.EachTenant.ItemProcessor.States.Drill)).toContain('"action":"drill"');
    template().hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ SOVEREIGN_SAMPLE: '3' }) },
    });
    template().hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'cron(0 4 ? * SUN *)',
    });
  });

  test('that failed, or is overdue for any reason, rings', () => {
    const { template } = backups({}, { maxAge: Duration.days(15) });
    template().hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmDescription: Match.stringLikeRegexp('No restore drill of eu has succeeded for 15 days'),
      MetricName: 'DaysSinceDrill',
      Threshold: 15,
      TreatMissingData: 'breaching',
      AlarmActions: Match.anyValue(),
    });
    template().hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmDescription: Match.stringLikeRegexp('A restore drill of eu failed'),
    });
  });

  test('of a fixed list of tenants reads that list', () => {
    const { stack, template } = backups();
    const server = DatabaseServer.fromEndpoint({
      host: 'db',
      secret: Secret.fromSecretNameV2(stack, 'L', 'l'),
    });
    const listed = new TenantBackups(stack, 'Listed', {
      source: TenantSource.list(server, [{ tenant: 'acme' }]),
    });
    new TenantDrill(stack, 'Drill', { backups: listed });
    expect(machines(template()).filter(({ States }) => States.ListedTenants)).toHaveLength(2);
  });

  test('of nobody is refused', () => {
    expect(complaint(backups({}, { sampleSize: 0 }).app)).toContain('sampleSize is 0');
  });
});

test('all of it together has nothing that cfn-lint or AwsSolutions complains about', async () => {
  const { app, stack } = backups(
    { keys: TenantKeys.perTenant(), externalStores: [external()], generations: { monthly: 12 } },
    {},
  );
  withAwsSolutions(app);
  expect(await lint(app, stack)).toBe('');
});
