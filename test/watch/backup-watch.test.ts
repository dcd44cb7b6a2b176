import { readFileSync } from 'node:fs';
import { App, Aws, Duration, Stack, Validations } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction, SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Code, Function as LambdaFn, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks } from 'cdk-nag';
import {
  BackupRule,
  BackupWatch,
  CacheSnapshots,
  DatabaseServer,
  PrivacyRegime,
  RegimeBackupPlan,
  RegimeVault,
  ResourceType,
  RestoreTestingPlan,
  TenantBackups,
  TenantDrill,
  TenantSource,
  WatchSeverity,
} from 'cdk-sovereign-backup';
import { withAwsSolutions } from '../support/nag';
import { appWith, complaint, stackIn } from '../synth';
import { everything } from './everything';

interface Stat {
  readonly MetricStat?: { readonly Period: number; readonly Metric: object };
}

describe('alarms', () => {
  const { stack } = everything();
  const template = Template.fromStack(stack);
  const alarms = Object.entries(template.findResources('AWS::CloudWatch::Alarm')).map(
    ([id, { Properties }]) => ({
      id: id.replace(/^Watch|Alarm.{8}$/g, ''),
      ...Properties,
    }),
  );
  const alarm = (id: string) => alarms.find((one) => one.id === id)!;

  it('say what they mean and what to do, where it is written', () => {
    const headings = [...readFileSync('docs/watch.md', 'utf8').matchAll(/^### (.+)$/gm)].map(
      ([, text]) => text,
    );
    expect(alarms.length).toBeGreaterThan(20);
    for (const { id, AlarmDescription, AlarmActions, OKActions } of alarms) {
      if (id === 'Residency') continue;
      const [, anchor] = /docs\/watch\.md#([a-z-]+)$/.exec(AlarmDescription) ?? [];
      expect([id, headings]).toEqual([id, expect.arrayContaining([anchor])]);
      expect(AlarmDescription).toMatch(/^(CRITICAL|WARNING), backups of eu: [a-z].+\. [A-Z].+ https:/);
      expect(AlarmDescription.length).toBeLessThan(1_024);
      expect(AlarmActions).toHaveLength(1);
      expect(OKActions).toHaveLength(1);
    }
  });

  it('treat missing data by what it means', () => {
    const missing = Object.fromEntries(alarms.map(({ id, TreatMissingData }) => [id, TreatMissingData]));
    expect(missing).toMatchObject({
      // Nothing happened.
      Failed: 'notBreaching',
      CopyFailed: 'notBreaching',
      DeletionAttempt: 'notBreaching',
      // Nothing happened, and that is what is wrong.
      MissingEC2: 'breaching',
      MissingRDS: 'breaching',
      SnapshotMissing: 'breaching',
      SurveyMissing: 'breaching',
      // The survey has not looked, for which there is another alarm.
      Stale: 'ignore',
      Unprotected: 'ignore',
      DrillOverdue: 'ignore',
      ContinuousLag: 'ignore',
    });
  });

  it('ring for a type as soon as its most frequent rule is a run behind, and one type does not hide another', () => {
    // Hourly, an hour to start in and three to complete.
    expect(alarm('MissingEC2')).toMatchObject({
      EvaluationPeriods: 5,
      Threshold: 1,
      ComparisonOperator: 'LessThanThreshold',
      Metrics: [
        expect.objectContaining({ Expression: 'FILL(m0, 0)' }),
        expect.objectContaining({
          MetricStat: {
            Metric: {
              Namespace: 'AWS/Backup',
              MetricName: 'NumberOfBackupJobsCompleted',
              Dimensions: [
                { Name: 'BackupVaultName', Value: 'ours' },
                { Name: 'ResourceType', Value: 'EC2' },
              ],
            },
            Period: 3600,
            Stat: 'Sum',
          },
        }),
      ],
    });
    // Hourly, an hour late at most, an hour to complete.
    expect(alarm('SnapshotMissing').EvaluationPeriods).toBe(3);
  });

  it('stay within what CloudWatch evaluates', () => {
    for (const { id, EvaluationPeriods, Period, Metrics } of alarms) {
      const period = Period ?? Math.max(...Metrics.map((one: Stat) => one.MetricStat?.Period ?? 0));
      const seconds = EvaluationPeriods * period;
      expect([id, seconds <= (period < 3600 ? 86_400 : 7 * 86_400)]).toEqual([id, true]);
    }
  });
});

test('the survey asks for what was declared', () => {
  const { stack } = everything();
  const [rule] = Object.values(
    Template.fromStack(stack).findResources('AWS::Events::Rule', {
      Properties: { ScheduleExpression: Match.anyValue() },
    }),
  );
  const input = stack.resolve(rule!.Properties.Targets[0].Input);
  const text =
    typeof input === 'string'
      ? input
      : (input['Fn::Join'][1] as unknown[]).map((part) => (typeof part === 'string' ? part : 'X')).join('');
  const settings = JSON.parse(text);
  expect(rule!.Properties.ScheduleExpression).toBe('rate(15 minutes)');
  expect(settings).toMatchObject({
    protections: [
      {
        name: 'Stack/Plan',
        vaults: ['ours'],
        tags: { backup: 'on' },
        resources: ['arn:X:ec2:*:*:instance/*', 'arn:X:rds:*:*:db:*'],
        exclude: [],
        maxAgeMinutes: 300,
        maxLagMinutes: 15,
      },
    ],
    jobs: [{ vault: 'ours', planId: 'X', minutesByRule: { hourly: 240, continuous: 1500 } }],
    copies: { lateAfterMinutes: 1440, destinations: [{ withinMinutes: 1740 }] },
    // A week, a day to start in and a day for the rest.
    drills: [{ planArn: 'X', withinMinutes: 9 * 1440, judged: true }],
    snapshots: [{ policyId: 'X', tags: { backup: 'on' }, maxAgeMinutes: 180, excludeBootVolume: false }],
  });
  // The dimension by which the alarms look.
  const stale = Object.values(Template.fromStack(stack).findResources('AWS::CloudWatch::Alarm')).find(
    ({ Properties }) => Properties.MetricName === 'StaleResources',
  );
  expect(stale?.Properties.Dimensions).toEqual([{ Name: 'watch', Value: settings.watch }]);
});

describe('the dashboard', () => {
  /** Metrics and their dimensions, by the documentation of each service, and what this package measures itself. */
  const known: Record<string, { names: RegExp; dimensions: string[][] }> = {
    // https://docs.aws.amazon.com/aws-backup/latest/devguide/cloudwatch.html
    'AWS/Backup': {
      names:
        /^NumberOf(BackupJobs(Created|Pending|Running|Aborted|Completed|Failed|Expired)|CopyJobs(Created|Running|Completed|Failed)|RestoreJobs(Pending|Running|Completed|Failed)|RecoveryPoints(Completed|Partial|Expired|Deleting|Cold))$/,
      dimensions: [['BackupVaultName'], ['BackupVaultName', 'ResourceType']],
    },
    // https://docs.aws.amazon.com/ebs/latest/userguide/monitor-dlm-cw-metrics.html
    'AWS/EBS': {
      names: /^Snapshots(Create(Completed|Failed)|CopiedRegion(Completed|Failed))$/,
      dimensions: [['DLMPolicyId']],
    },
    'AWS/Events': { names: /^Invocations$/, dimensions: [['RuleName']] },
    'AWS/States': {
      names: /^Executions(Succeeded|Failed|TimedOut|Aborted)$/,
      dimensions: [['StateMachineArn']],
    },
    // test/watch/survey.test.ts
    'SovereignBackup/Watch': {
      names:
        /^(ProtectedResources|StaleResources|UnprotectedResources|WorstAge|LateJobs|LateCopies|StaleCopies|OverdueDrills|DrillAge|SnapshotVolumes|StaleVolumes|ContinuousLag|LaggingDatabases|Surveys)$/,
      dimensions: [['watch']],
    },
    // test/drill/validate-restore.test.ts
    'SovereignBackup/Drills': { names: /^(Passed|Failed)$/, dimensions: [['plan']] },
  };

  const { stack } = everything();
  const template = Template.fromStack(stack);
  const [resource] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
  const body = JSON.parse(
    (resource!.Properties.DashboardBody['Fn::Join'][1] as unknown[])
      .map((part) => (typeof part === 'string' ? part : 'token'))
      .join(''),
  );

  it('shows what is wrong first', () => {
    const rows = (body.widgets as { type: string; y: number; properties: Record<string, unknown> }[]).sort(
      (a, b) => a.y - b.y,
    );
    expect(rows.slice(0, 2).map(({ type }) => type)).toEqual(['text', 'alarm']);
    expect(rows[1]?.properties).toMatchObject({ title: 'Wrong now', states: ['ALARM'] });
    expect(String(rows[0]?.properties.markdown)).toContain('docs/watch.md');
  });

  it('and the alarms look at metrics that there are', () => {
    const seen = new Set<string>();
    const check = (namespace: string, name: string, dimensions: string[]) => {
      const there = known[namespace];
      expect([namespace, name, there?.names.test(name)]).toEqual([namespace, name, true]);
      expect([namespace, there?.dimensions]).toEqual([namespace, expect.arrayContaining([dimensions])]);
      seen.add(`${namespace} ${name}`);
    };
    for (const { properties } of body.widgets) {
      for (const metric of (properties.metrics ?? []) as unknown[][]) {
        const [namespace, name, ...rest] = metric.filter((part) => typeof part === 'string') as string[];
        if (namespace !== undefined)
          check(
            namespace,
            name!,
            rest.filter((_, i) => i % 2 === 0),
          );
      }
    }
    const inDashboard = seen.size;
    for (const { Properties } of Object.values(template.findResources('AWS::CloudWatch::Alarm'))) {
      const stats = Properties.Metrics?.flatMap((one: Stat) => one.MetricStat?.Metric ?? []) ?? [Properties];
      for (const { Namespace, MetricName, Dimensions } of stats) {
        check(
          Namespace,
          MetricName,
          Dimensions.map(({ Name }: { Name: string }) => Name),
        );
      }
    }
    expect(inDashboard).toBeGreaterThan(25);
    expect(seen.size).toBeGreaterThan(inDashboard);
  });

  it('can be left out', () => {
    Template.fromStack(everything(appWith(), 'eu-central-1', { dashboard: false }).stack).resourceCountIs(
      'AWS::CloudWatch::Dashboard',
      0,
    );
  });
});

describe('who is told', () => {
  it('a topic of its own, encrypted, which alarms, rules and vaults can write to', () => {
    const { stack } = everything();
    const template = Template.fromStack(stack);
    template.hasResourceProperties('AWS::SNS::Topic', { KmsMasterKeyId: Match.anyValue() });
    template.hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Principal: {
              Service: ['cloudwatch.amazonaws.com', 'events.amazonaws.com', 'backup.amazonaws.com'],
            },
            // EventBridge's events never arrive when the policy names their source.
            Condition: { ArnLike: { 'kms:EncryptionContext:aws:sns:topicArn': Match.anyValue() } },
          }),
        ]),
      },
    });
    // What AWS Backup tells by its notifications only.
    template.hasResourceProperties('AWS::Backup::BackupVault', {
      Notifications: {
        BackupVaultEvents: ['CONTINUOUS_BACKUP_INTERRUPTED', 'S3_BACKUP_OBJECT_FAILED'],
        SNSTopicArn: Match.anyValue(),
      },
    });
  });

  it('tickets of what is critical, with the event itself; chats in the form that they show', () => {
    const { stack, watch } = everything();
    const code = Code.fromInline('exports.handler = async () => {}');
    const tickets = new LambdaFn(stack, 'Tickets', {
      code,
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
    });
    watch.notify(new LambdaFunction(tickets), { atLeast: WatchSeverity.CRITICAL, wholeEvent: true });
    watch.notifyChat(new Topic(stack, 'Chat'), WatchSeverity.CRITICAL);
    watch.notify(new SqsQueue(new Queue(stack, 'Queue')), { atLeast: WatchSeverity.CRITICAL });
    const rules = Object.entries(Template.fromStack(stack).findResources('AWS::Events::Rule'));
    const targets = (id: string) => rules.find(([name]) => name.startsWith(id))?.[1].Properties.Targets;
    expect(targets('WatchBackupFailed')).toHaveLength(1);
    expect(targets('WatchDestruction')).toHaveLength(4);
    const [, ticket, chat, queue] = targets('WatchDestruction');
    expect(ticket).not.toHaveProperty('InputTransformer');
    expect(JSON.parse(chat.InputTransformer.InputTemplate.replace(/<[\w-]+>/g, 'x'))).toEqual({
      version: '1.0',
      source: 'custom',
      content: {
        textType: 'client-markdown',
        title: expect.stringMatching(/^CRITICAL: Somebody tries to delete/),
        description: expect.stringMatching(/^CRITICAL: backups of eu in x/),
      },
    });
    expect(queue.InputTransformer.InputTemplate).toMatch(/^"CRITICAL: /);
    // Alarms, too: one rule for all of a severity.
    const alarms = rules.filter(([name]) => name.startsWith('WatchAlarms'));
    expect(alarms).toHaveLength(1);
    expect(alarms[0]?.[1].Properties.EventPattern.resources.length).toBeGreaterThan(8);
    expect(JSON.stringify(alarms[0]?.[1].Properties.EventPattern.resources).length).toBeLessThan(2_000);
  });

  it('not more than EventBridge can tell', () => {
    const { app, stack, watch } = everything();
    for (let n = 0; n < 5; n++) watch.notify(new SqsQueue(new Queue(stack, `Queue${n}`)));
    expect(complaint(app)).toMatch(
      /Stack\/Watch.*tells more than 5 targets.*subscribe the others to the topic/,
    );
  });

  it('a topic that is given', () => {
    const app = appWith();
    const topic = new Topic(stackIn('eu-central-1', app, 'Topics'), 'Ours');
    expect(everything(app, 'eu-central-1', { topic }).watch.topic).toBe(topic);
    expect(complaint(app)).toBe('');
  });
});

it('says that it cannot tell when a drill is overdue whose schedule is a parameter', () => {
  const app = appWith();
  const stack = stackIn('eu-central-1', app);
  const vault = new RegimeVault(stack, 'Ours');
  const drill = new RestoreTestingPlan(stack, 'Drill', { schedule: Schedule.expression(Aws.STACK_NAME) });
  drill.addSelection('Volumes', { resourceType: ResourceType.EBS });
  new BackupWatch(stack, 'Watch', { regime: PrivacyRegime.EU, vaults: [vault], drills: [drill] });
  Annotations.fromStack(stack).hasWarning(
    '/Stack/Watch',
    Match.stringLikeRegexp('Stack/Drill has a schedule or start window that is known only at deployment'),
  );
});

describe('what is refused, with the way out', () => {
  it('a plan of another region, and what is of another regime', () => {
    const app = appWith();
    const there = stackIn('eu-west-1', app, 'There');
    const plan = new RegimeBackupPlan(there, 'Plan', { vault: new RegimeVault(there, 'Vault') });
    everything(app, 'eu-central-1', { plans: [plan], regime: PrivacyRegime.DE });
    const message = complaint(app);
    expect(message).toContain('There/Plan is in eu-west-1 and the watch in eu-central-1');
    expect(message).toContain("watches backups of regime 'eu' as 'de'");
  });

  it('a vault of another region', () => {
    const app = appWith();
    const there = new RegimeVault(stackIn('eu-west-1', app, 'There'), 'Vault', { vaultName: 'there' });
    everything(app, 'eu-central-1', { vaults: [there] });
    expect(complaint(app)).toMatch(
      /vault there is in eu-west-1 and the watch in eu-central-1.*put a watch of its own/,
    );
  });

  it('no vault, and a survey at odd times, together', () => {
    const { app } = everything(appWith(), 'eu-central-1', { vaults: [], surveyEvery: Duration.minutes(7) });
    const text = complaint(app);
    expect(text).toMatch(/has no vaults/);
    expect(text).toMatch(/surveyEvery is 7 minutes, write one of 5, 10, 15, 20, 30, 60/);
  });
});

it('looks also at what is selected after it was made', () => {
  const { app, stack, plan } = everything();
  plan.protect('Later', { tags: { backup: 'later' }, types: [ResourceType.EFS] });
  expect(complaint(app)).toBe('');
  const template = Template.fromStack(stack);
  expect(JSON.stringify(template.findResources('AWS::Events::Rule'))).toContain('later');
  const alarms = Object.keys(template.findResources('AWS::CloudWatch::Alarm'));
  expect(alarms.some((id) => id.startsWith('WatchMissingEFS'))).toBe(true);
  const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
  expect(JSON.stringify(dashboard)).toContain('WatchMissingEFS');
});

it('leaves a plan that is rarer than CloudWatch can look back to the survey', () => {
  const app = appWith();
  const stack = stackIn('eu-central-1', app);
  const vault = new RegimeVault(stack, 'Vault');
  const plan = new RegimeBackupPlan(stack, 'Plan', { vault, rules: [BackupRule.monthly()] });
  plan.protect('All', { tags: { backup: 'on' } });
  new BackupWatch(stack, 'Watch', { regime: PrivacyRegime.EU, vaults: [vault], plans: [plan] });
  const alarms = Object.keys(Template.fromStack(stack).findResources('AWS::CloudWatch::Alarm'));
  expect(alarms.filter((id) => /Missing/.test(id))).toEqual([expect.stringMatching(/^WatchSurveyMissing/)]);
  expect(alarms.some((id) => id.startsWith('WatchStale'))).toBe(true);
});

it('watches a vault that only copies arrive in', () => {
  const app = appWith();
  const stack = stackIn('eu-west-1', app);
  const vault = new RegimeVault(stack, 'Vault');
  new BackupWatch(stack, 'Watch', { regime: PrivacyRegime.EU, vaults: [vault], dashboard: false });
  const template = Template.fromStack(stack);
  template.resourceCountIs('AWS::Lambda::Function', 0);
  template.hasResourceProperties('AWS::Events::Rule', {
    Description: Match.stringLikeRegexp('tries to delete recovery'),
  });
  template.hasResourceProperties('AWS::CloudWatch::Alarm', {
    AlarmDescription: Match.stringLikeRegexp('cancel-key-deletion'),
  });
});

it('puts tenants, their drills and more caches on the dashboard, and their alarms among its own', () => {
  const { app, stack, watch } = everything();
  const before = watch.alarms.length;
  const server = DatabaseServer.fromEndpoint({ host: 'db.example.internal' });
  const backups = new TenantBackups(stack, 'Tenants', { source: TenantSource.discover(server, '%') });
  watch.addTenants(backups);
  watch.addTenantDrill(new TenantDrill(stack, 'TenantDrill', { backups }));
  watch.addCaches(
    new CacheSnapshots(stack, 'Others', { serverlessCaches: ['carts'], schedule: 'cron(0 0/6 * * ? *)' }),
  );
  expect(watch.alarms).toHaveLength(before + 6);
  expect(complaint(app)).toBe('');
  Template.fromStack(stack).hasResourceProperties('AWS::CloudWatch::Alarm', {
    AlarmDescription: Match.stringLikeRegexp(
      'no run over the caches has succeeded for 7 hours.*#cache-missing$',
    ),
    EvaluationPeriods: 7,
    TreatMissingData: 'breaching',
  });
  const [dashboard] = Object.values(Template.fromStack(stack).findResources('AWS::CloudWatch::Dashboard'));
  const text = JSON.stringify(dashboard);
  for (const part of [
    'TenantsMissing',
    'TenantsMissingAlarm',
    'TenantsFailedAlarm',
    'DaysSinceDrill',
    'TenantDrillOverdueAlarm',
    'CacheMissing',
    'Runs over caches',
  ])
    expect(text).toContain(part);
});

it('says when it has to ask for more than EventBridge hands over', () => {
  const { app, plan } = everything();
  const arns = Array.from({ length: 200 }, (_, n) => `arn:aws:ec2:eu-central-1:111111111111:volume/vol-${n}`);
  plan.protect('Many', { arns });
  expect(complaint(app)).toMatch(/EventBridge hands over 8192: select by tag instead/);
});

describe('quality', () => {
  it('every pack of cdk-nag is content', () => {
    const app = withAwsSolutions(new App({ analyticsReporting: false }));
    Validations.of(app).addPlugins(new HIPAASecurityChecks(), new NIST80053R5Checks(), new PCIDSS321Checks());
    const stack = stackIn('eu-central-1', app);
    const vault = new RegimeVault(stack, 'Vault');
    const plan = new RegimeBackupPlan(stack, 'Plan', { vault, rules: [BackupRule.continuous()] });
    plan.protect('Tagged', { tags: { backup: 'on' }, types: [ResourceType.RDS] });
    new BackupWatch(stack, 'Watch', { regime: PrivacyRegime.EU, vaults: [vault], plans: [plan] });
    expect(complaint(app)).toBe('');
  });

  it('a stack without a region, but for what depends on it', () => {
    const app = appWith();
    const stack = new Stack(app, 'Stack');
    const vault = RegimeVault.fromAttributes(stack, 'Vault', { vaultName: 'ours', region: 'eu-central-1' });
    const watch = new BackupWatch(stack, 'Watch', { regime: PrivacyRegime.EU, vaults: [vault] });
    expect(watch.residency).toBeUndefined();
    expect(complaint(app)).toBe('');
    Annotations.fromStack(stack).hasWarning(
      '*',
      Match.stringLikeRegexp('copies out of the regime are not watched'),
    );
  });
});
