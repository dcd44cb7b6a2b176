import { Duration } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Key } from 'aws-cdk-lib/aws-kms';
import { InstanceSnapshots, PrivacyRegime, SnapshotScript } from 'cdk-sovereign-backup';
import { appWith, complaint, referenceStrengths, stackIn } from '../synth';

const targetTags = { role: 'db' };

test('hourly for a week, copied encrypted within the regime', () => {
  const app = appWith();
  const stack = stackIn('eu-central-1', app);
  new InstanceSnapshots(stack, 'Hourly', { targetTags, copies: ['eu-west-1'] });
  Template.fromStack(stack).hasResourceProperties('AWS::DLM::LifecyclePolicy', {
    State: 'ENABLED',
    PolicyDetails: {
      ResourceTypes: ['INSTANCE'],
      TargetTags: [{ Key: 'role', Value: 'db' }],
      Schedules: [
        Match.objectLike({
          CreateRule: { Interval: 1, IntervalUnit: 'HOURS', Times: ['00:00'] },
          RetainRule: { Interval: 7, IntervalUnit: 'DAYS' },
          CrossRegionCopyRules: [
            {
              Target: 'eu-west-1',
              Encrypted: true,
              CopyTags: true,
              RetainRule: { Interval: 7, IntervalUnit: 'DAYS' },
            },
          ],
        }),
      ],
    },
  });
  expect(complaint(app)).toBe('');
});

test('the role deletes only what a lifecycle policy made, and copies only when copies are declared', () => {
  const statements = (copies: string[]) => {
    const stack = stackIn('eu-central-1');
    new InstanceSnapshots(stack, 'Hourly', { targetTags, copies });
    const [policy] = Object.values(Template.fromStack(stack).findResources('AWS::IAM::ManagedPolicy'));
    return policy!.Properties.PolicyDocument.Statement as { Sid: string; Condition?: object }[];
  };
  expect(statements([]).map((s) => s.Sid)).toEqual(['Look', 'Snapshot', 'Tag', 'ExpireOwn']);
  const withCopies = statements(['eu-west-1']);
  expect(withCopies.map((s) => s.Sid)).toContain('Copy');
  expect(withCopies.find((s) => s.Sid === 'ExpireOwn')!.Condition).toEqual({
    Null: { 'aws:ResourceTag/aws:dlm:lifecycle-policy-id': 'false' },
  });
});

test('in a stack without a region, as long as nothing is copied; twice in one stack', () => {
  const app = appWith();
  const stack = stackIn(undefined, app);
  new InstanceSnapshots(stack, 'A', { targetTags });
  new InstanceSnapshots(stack, 'B', { targetTags: { role: 'web' } });
  expect(complaint(app)).toBe('');
  const other = appWith();
  new InstanceSnapshots(stackIn(undefined, other), 'A', { targetTags, copies: ['eu-west-1'] });
  expect(complaint(other)).toMatch(
    /\[Stack\/A\] copies snapshots from a region that is known only at deployment/,
  );
});

test.each(referenceStrengths)('keys of the copies’ regions, with %s references', (strength) => {
  const app = appWith({ '@aws-cdk/core:defaultCrossStackReferences': strength });
  const away = stackIn('eu-west-1', app, 'Away', { crossRegionReferences: true });
  const home = stackIn('eu-central-1', app, 'Home', { crossRegionReferences: true });
  const key = new Key(away, 'Key');
  new InstanceSnapshots(home, 'Hourly', {
    targetTags,
    copies: ['eu-west-1'],
    copyKeys: { 'eu-west-1': key },
  });
  Template.fromStack(home).hasResourceProperties('AWS::DLM::LifecyclePolicy', {
    PolicyDetails: { Schedules: [{ CrossRegionCopyRules: [{ CmkArn: Match.anyValue() }] }] },
  });
  // A copy is encrypted anew, and the role has to be let use the key for it.
  Template.fromStack(home).hasResourceProperties('AWS::IAM::ManagedPolicy', {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({ Sid: 'UseKeys', Action: Match.arrayWith(['kms:ReEncrypt*']) }),
        Match.objectLike({ Sid: 'GrantKeys', Action: 'kms:CreateGrant' }),
      ]),
    },
  });
});

test('refuses, all at once', () => {
  const app = appWith();
  const stack = stackIn('eu-central-1', app);
  new InstanceSnapshots(stack, 'Bad', {
    targetTags: {},
    interval: Duration.hours(5),
    startTime: '25:00',
    retention: Duration.hours(36),
    copies: ['us-east-1', 'eu-west-2', 'eu-central-1', 'eu-wset-1'],
    copyKeys: { 'us-east-1': new Key(stack, 'Key'), 'eu-north-1': new Key(stack, 'Key2') },
  });
  const message = complaint(app);
  for (const part of [
    'interval is 5 h, Data Lifecycle Manager takes 1, 2, 3, 4, 6, 8, 12, 24 hours',
    'targetTags has 0 tags',
    "startTime is '25:00'",
    'retention is 1.5 days',
    'has 4 copies, Data Lifecycle Manager makes 3 at most',
    'snapshots would go from eu-central-1 (regime eu) to us-east-1 (regime us)',
    'to eu-west-2 (regime uk)',
    'from eu-central-1 to itself',
    'did you mean eu-west-1?',
    'the key for us-east-1 is in eu-central-1',
    'copyKeys has a key for eu-north-1, to which nothing is copied',
  ]) {
    expect(message).toContain(part);
  }
});

test('a narrower regime narrows the copies', () => {
  const app = appWith();
  new InstanceSnapshots(stackIn('eu-central-1', app), 'DE', {
    targetTags,
    regime: PrivacyRegime.DE,
    copies: ['eu-west-1'],
  });
  expect(complaint(app)).toContain("'de' has no second region");
});

test('objective: an hour cannot be kept by hourly snapshots', () => {
  const app = appWith();
  const snapshots = new InstanceSnapshots(stackIn('eu-central-1', app), 'Hourly', { targetTags });
  snapshots.requireObjective({ maxDataLoss: Duration.hours(1), retention: Duration.days(7) });
  expect(complaint(app)).toContain('1 h between runs + 1 h that a run may start late = 2 h');
});

describe('scripts', () => {
  const declared = (scripts: SnapshotScript) => {
    const app = appWith();
    const stack = stackIn('eu-central-1', app);
    new InstanceSnapshots(stack, 'Hourly', { targetTags: { role: 'db', tier: 'one' }, scripts });
    const template = Template.fromStack(stack);
    const [policy] = Object.values(template.findResources('AWS::DLM::LifecyclePolicy'));
    const [rights] = Object.values(template.findResources('AWS::IAM::ManagedPolicy'));
    return {
      rule: policy!.Properties.PolicyDetails.Schedules[0].CreateRule.Scripts,
      statements: (rights!.Properties.PolicyDocument.Statement as { Sid: string }[]).filter(({ Sid }) =>
        /Script|RunOn/.test(Sid),
      ),
      complaint: complaint(app),
    };
  };

  test('of Windows have only what Data Lifecycle Manager takes of them', () => {
    const { rule, complaint: said } = declared(SnapshotScript.vss({ skipInstance: true, retries: 1 }));
    expect(rule).toEqual([
      {
        ExecutionHandler: 'AWS_VSS_BACKUP',
        ExecuteOperationOnScriptFailure: false,
        MaximumRetryCount: 1,
      },
    ]);
    expect(said).toBe('');
  });

  test('of SAP HANA, and of one’s own, with what they may take', () => {
    expect(declared(SnapshotScript.sapHana()).rule).toEqual([
      {
        ExecutionHandler: 'AWSSystemsManagerSAP-CreateDLMSnapshotForSAPHANA',
        ExecutionHandlerService: 'AWS_SYSTEMS_MANAGER',
        ExecuteOperationOnScriptFailure: true,
        ExecutionTimeout: 10,
        MaximumRetryCount: 0,
        Stages: ['PRE', 'POST'],
      },
    ]);
    const after = SnapshotScript.document('Thaw', { before: false, timeout: Duration.minutes(2) });
    expect(declared(after).rule).toEqual([
      {
        ExecutionHandler: 'Thaw',
        ExecutionHandlerService: 'AWS_SYSTEMS_MANAGER',
        ExecutionTimeout: 120,
        MaximumRetryCount: 0,
        Stages: ['POST'],
      },
    ]);
  });

  test('may be run by the role: that one document, on instances with the target tags', () => {
    const { statements } = declared(SnapshotScript.document('Freeze'));
    const instances = Match.anyValue();
    expect(statements.map(({ Sid }) => Sid)).toEqual(['LookAtScripts', 'RunScript', 'RunOn1', 'RunOn2']);
    expect(
      Match.objectLike({
        1: {
          Action: ['ssm:SendCommand', 'ssm:DescribeDocument', 'ssm:GetDocument'],
          Condition: { StringEquals: { 'aws:ResourceTag/DLMScriptsAccess': 'true' } },
          Resource: { 'Fn::Join': ['', Match.arrayWith([Match.stringLikeRegexp(':document/Freeze$')])] },
        },
        2: {
          Action: 'ssm:SendCommand',
          Condition: { StringEquals: { 'aws:ResourceTag/role': 'db' } },
          Resource: instances,
        },
        3: {
          Action: 'ssm:SendCommand',
          Condition: { StringEquals: { 'aws:ResourceTag/tier': 'one' } },
          Resource: instances,
        },
      })
        .test({ ...statements })
        .toHumanStrings(),
    ).toEqual([]);
    const shared = 'arn:aws:ssm:eu-central-1:222222222222:document/Freeze';
    expect(declared(SnapshotScript.sharedDocument(shared)).statements[1]).toMatchObject({ Resource: shared });
  });

  test('that cannot be are refused, all at once', () => {
    const complaintOf = (scripts: SnapshotScript) => {
      const app = appWith();
      new InstanceSnapshots(stackIn('eu-central-1', app), 'Hourly', { targetTags, scripts });
      return complaint(app);
    };
    const said = complaintOf(
      SnapshotScript.document('a document', {
        before: false,
        skipInstance: true,
        retries: 4,
        timeout: Duration.minutes(5),
      }),
    );
    for (const part of [
      "'a document' is not the name of a Systems Manager document",
      'retries is 4, write a whole number from 0 to 3',
      'timeout is 300 s, write whole seconds from 10 to 120',
      'skipInstance is about what runs before the snapshot',
    ])
      expect(said).toContain(part);
    expect(complaintOf(SnapshotScript.document('Idle', { before: false, after: false }))).toContain(
      'run neither before nor after',
    );
    expect(complaintOf(SnapshotScript.sharedDocument('Freeze'))).toContain(
      'is not the ARN of a Systems Manager document',
    );
  });
});
