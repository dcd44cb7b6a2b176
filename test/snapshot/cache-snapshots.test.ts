import { Duration, type Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { CacheSnapshots, type CacheSnapshotsProps } from 'cdk-sovereign-backup';
import jsonata from 'jsonata';
import { lint } from '../support/cfn-lint';
import { appWith, complaint, stackIn } from '../synth';

const caches = { replicationGroups: ['sessions'], serverlessCaches: ['carts'] };

function made(props: CacheSnapshotsProps) {
  const app = appWith();
  const stack = stackIn('eu-central-1', app);
  new CacheSnapshots(stack, 'Caches', props);
  return { app, stack };
}

/** The definition, with the intrinsics of its text left as they are. */
function definition(stack: Stack) {
  const [machine] = Object.values(
    Template.fromStack(stack).findResources('AWS::StepFunctions::StateMachine'),
  );
  const text = machine!.Properties.DefinitionString;
  return JSON.parse(
    typeof text === 'string'
      ? text
      : text['Fn::Join'][1].map((part: unknown) => (typeof part === 'string' ? part : 'aws')).join(''),
  );
}

const stateOf = (stack: Stack, kind: string) => {
  const branch = definition(stack).States.Caches.Branches.find(
    (each: { StartAt: string }) => each.StartAt === `Each${kind}`,
  );
  return branch.States[`Each${kind}`];
};
const run = (expression: string, states: object) =>
  jsonata(expression.replace(/^\{% ?| ?%\}$/g, '')).evaluate({}, { states });

test('is clean, twice in a stack, and has no alarm to write about', async () => {
  const { app, stack } = made(caches);
  new CacheSnapshots(stack, 'Again', { serverlessCaches: ['other'], retention: Duration.days(1) });
  expect(complaint(app)).toBe('');
  expect(await lint(app, stack)).toBe('');
});

test.each([
  ['Group', 'SnapshotName', 'Snapshots', 'sessions'],
  ['Serverless', 'ServerlessCacheSnapshotName', 'ServerlessCacheSnapshots', 'carts'],
])(
  '%s: a snapshot is named by its time, and the old ones of ours expire',
  async (kind, field, list, name) => {
    const { stack } = made(caches);
    const each = stateOf(stack, kind);
    expect(each.Items).toEqual([{ name, prefix: `sb-${name}-` }]);
    const states = each.ItemProcessor.States;
    const input = each.Items[0];
    const made1 = await run(states[`Snapshot${kind}`].Arguments[field], { input });
    expect(made1).toMatch(new RegExp(`^sb-${name}-20\\d{6}-\\d{4}$`));
    const days = (ago: number) =>
      new Date(Date.now() - ago * 86_400_000)
        .toISOString()
        .replace(/(\d+)-(\d+)-(\d+)T(\d+):(\d+).*/, '$1$2$3-$4$5');
    const names = [
      `sb-${name}-${days(8)}`,
      `sb-${name}-${days(6)}`,
      `sb-${name}-2-${days(300)}`,
      `somebody-${days(300)}`,
      made1,
    ];
    const result = { [list]: names.map((each) => ({ [field]: each, CacheClusterId: 'x' })) };
    const expired = (answer: object) => run(states[`List${kind}`].Output.expired, { input, result: answer });
    expect([...(await expired(result))]).toEqual([names[0]]);
    expect([...(await expired({ [list]: [] }))]).toEqual([]);
  },
);

test('it may delete what bears its name, and touch no other cache', () => {
  const { stack } = made({ replicationGroups: ['sessions'] });
  const template = Template.fromStack(stack);
  const text = JSON.stringify(template.toJSON());
  expect(text).not.toContain('serverlesscache');
  template.hasResourceProperties('AWS::IAM::Policy', {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Action: 'elasticache:DeleteSnapshot',
          Resource: {
            'Fn::Join': [
              '',
              Match.arrayWith([':elasticache:eu-central-1:111111111111:snapshot:sb-sessions-*']),
            ],
          },
        }),
      ]),
    },
  });
});

test.each<[string, CacheSnapshotsProps, string]>([
  ['no cache', {}, 'names no cache'],
  ['a name that is none', { replicationGroups: ['Bad_Name'] }, "'Bad_Name' is no cache"],
  ['the same cache twice', { replicationGroups: ['a1'], serverlessCaches: ['a1'] }, "names 'a1' twice"],
  ['a part of a day', { ...caches, retention: Duration.hours(36) }, 'retention is 1.5 days'],
  ['too many runs', { ...caches, schedule: 'rate(1 hour)' }, 'runs every 60 min'],
  ['too many snapshots', { ...caches, retention: Duration.days(90) }, 'keeps 91 snapshots'],
  ['no schedule', { ...caches, schedule: 'now and then' }, 'its schedule cannot be read'],
])('refuses %s', (_name, props, message) => {
  expect(complaint(made(props).app)).toContain(message);
});

test('is counted by the objectives, for what it is', () => {
  const { stack } = made({ replicationGroups: ['sessions'], retention: Duration.days(3) });
  const metadata = Object.values(Template.fromStack(stack).toJSON().Metadata)[0];
  expect(metadata).toMatchObject({
    layers: [
      { subject: 'cache sessions', intervalMinutes: 1440, retentionDays: 3, stores: [{ lock: 'none' }] },
    ],
  });
});
