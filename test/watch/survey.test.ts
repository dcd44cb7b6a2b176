// The built function against moto's server; the lists of AWS Backup, which moto lacks, are those of backup-lists.ts.
import {
  AttachVolumeCommand,
  CreateSnapshotCommand,
  CreateVolumeCommand,
  EC2Client,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { CreateDBInstanceCommand, RDSClient } from '@aws-sdk/client-rds';
import { type FakeAws, startFakeAws } from '../drill/aws';
import { invoke } from '../support/invoke';
import { useMoto } from '../support/moto';
import { answerLists, type BackupLists } from './backup-lists';

const moto = useMoto();
const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' };
const sdk = () => ({ region: 'eu-central-1', endpoint: moto().endpoint, credentials });
const account = '123456789012';
const instanceArn = (id: string) => `arn:aws:ec2:eu-central-1:${account}:instance/${id}`;
let aws: FakeAws;
let lists: BackupLists;
let instances: string[];

const minutesAgo = (minutes: number) => Date.now() / 1000 - minutes * 60;

beforeAll(async () => {
  aws = await startFakeAws(moto());
  const { Instances = [] } = await new EC2Client(sdk()).send(
    new RunInstancesCommand({
      ImageId: 'ami-12c6146b',
      MinCount: 4,
      MaxCount: 4,
      TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'backup', Value: 'on' }] }],
    }),
  );
  instances = Instances.map(({ InstanceId }) => InstanceId!);
});
beforeEach(() => {
  lists = answerLists(aws);
});
afterAll(() => aws.stop());

async function survey(settings: object) {
  const { result, error, records } = await invoke(
    'survey',
    { watch: 'eu', ...settings },
    { ...moto().environment, AWS_ENDPOINT_URL: aws.endpoint },
  );
  const emitted = records.find((record) => '_aws' in record) as Record<string, unknown> | undefined;
  const troubles = records.filter(({ level }) => level === 'WARN');
  return { measures: result as Record<string, number>, error, emitted, troubles };
}

const protection = {
  name: 'Prod/Plan',
  vaults: ['eu'],
  tags: { backup: 'on' },
  resources: ['arn:aws:ec2:*:*:instance/*'],
  exclude: [],
  maxAgeMinutes: 120,
};
const point = (id: string, minutes: number, rest: object = {}) => ({
  ResourceArn: instanceArn(id),
  RecoveryPointArn: `arn:aws:ec2:eu-central-1::image/ami-${id}-${minutes}`,
  BackupVaultName: 'eu',
  Status: 'COMPLETED',
  CreationDate: minutesAgo(minutes),
  ...rest,
});

describe('recovery points', () => {
  it('tells fresh from stale from never backed up, and names those', async () => {
    const [fresh, stale, never, elsewhere] = instances as [string, string, string, string];
    lists.points = [
      point(fresh, 500),
      point(fresh, 30),
      point(fresh, 90),
      point(stale, 600),
      point(stale, 180),
      // Begun and not finished is no recovery point; one of another vault is not ours.
      point(never, 10, { Status: 'PARTIAL' }),
      point(elsewhere, 10, { BackupVaultName: 'other' }),
    ];
    const { measures, troubles, emitted } = await survey({ protections: [protection] });
    expect(measures).toMatchObject({
      ProtectedResources: 4,
      StaleResources: 1,
      UnprotectedResources: 2,
      Surveys: 1,
    });
    expect(measures.WorstAge).toBeGreaterThanOrEqual(180 * 60);
    expect(measures.WorstAge).toBeLessThan(185 * 60);
    const named = troubles.map(({ arn }) => arn);
    expect(named.sort()).toEqual([stale, never, elsewhere].map(instanceArn).sort());
    // What CloudWatch makes metrics of: one dimension, by which the alarms look.
    expect(emitted?._aws).toMatchObject({
      CloudWatchMetrics: [{ Namespace: 'SovereignBackup/Watch', Dimensions: [['watch']] }],
    });
    expect(emitted).toMatchObject({ watch: 'eu', StaleResources: 1 });
  });

  it('counts a continuous recovery point for as long as it is available', async () => {
    const [continuous, stopped] = instances as [string, string];
    const arn = (id: string) => `arn:aws:backup:eu-central-1:${account}:recovery-point:continuous:${id}`;
    lists.points = [
      point(continuous, 90_000, { Status: 'AVAILABLE', RecoveryPointArn: arn(continuous) }),
      point(stopped, 90_000, { Status: 'STOPPED', RecoveryPointArn: arn(stopped) }),
      ...instances.slice(2).map((id) => point(id, 5)),
    ];
    const { measures } = await survey({ protections: [protection] });
    expect(measures).toMatchObject({ StaleResources: 0, UnprotectedResources: 1 });
  });

  it('leaves out what is excluded, what has another tag or type, and instances that are no more', async () => {
    const ec2 = new EC2Client(sdk());
    const run = (Tags: { Key: string; Value: string }[]) =>
      ec2.send(
        new RunInstancesCommand({
          ImageId: 'ami-12c6146b',
          MinCount: 1,
          MaxCount: 1,
          TagSpecifications: [{ ResourceType: 'instance', Tags }],
        }),
      );
    await run([{ Key: 'backup', Value: 'off' }]);
    const { Instances = [] } = await run([{ Key: 'backup', Value: 'on' }]);
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: [Instances[0]!.InstanceId!] }));
    lists.points = instances.slice(0, 3).map((id) => point(id, 5));
    const { measures } = await survey({
      protections: [{ ...protection, exclude: [instanceArn(instances[3]!)] }],
    });
    expect(measures).toMatchObject({ ProtectedResources: 3, StaleResources: 0, UnprotectedResources: 0 });
    const none = { ...protection, tags: {} };
    const not = [{ test: 'StringNotEquals', key: 'backup', value: 'on' }];
    const like = [{ test: 'StringLike', key: 'backup', value: 'o*' }, ...not];
    const others = await survey({
      protections: [
        { ...protection, resources: ['arn:aws:ec2:*:*:volume/*'] },
        { ...none, anyTags: { backup: 'off', other: 'x' } },
        { ...none, conditions: like },
        { ...protection, conditions: not },
      ],
    });
    // The one that is off, twice and counted once.
    expect(others.measures).toMatchObject({ ProtectedResources: 1, UnprotectedResources: 2 });
  });

  it('takes a resource that is named by its ARN as it is', async () => {
    const named = {
      ...protection,
      tags: {},
      resources: ['arn:aws:fsx:eu-central-1:123456789012:file-system/fs-1'],
    };
    const { measures } = await survey({ protections: [named] });
    expect(measures).toMatchObject({ ProtectedResources: 1, UnprotectedResources: 1 });
  });
});

test('jobs are late when the window of their own rule is over', async () => {
  const job = (id: string, rule: string, minutes: number, rest: object = {}) => ({
    BackupJobId: id,
    BackupVaultName: 'eu',
    State: 'RUNNING',
    CreationDate: minutesAgo(minutes),
    CreatedBy: { BackupPlanId: 'plan', BackupRuleName: rule },
    ...rest,
  });
  lists.backupJobs = [
    job('late', 'hourly', 300),
    job('in time', 'hourly', 200),
    job('monthly', 'monthly', 300),
    job('waiting', 'hourly', 400, { State: 'CREATED' }),
    job('of a rule that was removed', 'gone', 300),
    job('of another plan', 'hourly', 300, {
      CreatedBy: { BackupPlanId: 'theirs', BackupRuleName: 'hourly' },
    }),
    job('done', 'hourly', 300, { State: 'COMPLETED' }),
  ];
  const jobs = [{ vault: 'eu', planId: 'plan', minutesByRule: { hourly: 240, monthly: 10_080 } }];
  const { measures, troubles } = await survey({ jobs });
  expect(measures).toMatchObject({ LateJobs: 2 });
  expect(troubles.map(({ where }) => where)).toEqual(['waiting', 'late']);
});

test('copies that hang, and vaults in which none arrives, are told apart', async () => {
  const vault = (region: string) => `arn:aws:backup:${region}:${account}:backup-vault:eu`;
  const copy = (region: string, State: string, created: number, completed?: number) => ({
    DestinationBackupVaultArn: vault(region),
    State,
    CreationDate: minutesAgo(created),
    ...(completed === undefined ? {} : { CompletionDate: minutesAgo(completed) }),
  });
  lists.copyJobs = [
    copy('eu-west-1', 'COMPLETED', 200, 100),
    copy('eu-west-3', 'COMPLETED', 900, 800),
    copy('eu-west-1', 'RUNNING', 100),
    copy('eu-west-1', 'RUNNING', 1500),
    copy('eu-north-1', 'RUNNING', 1500),
  ];
  const destinations = ['eu-west-1', 'eu-west-3'].map((region) => ({
    vaultArn: vault(region),
    withinMinutes: 300,
  }));
  const { measures, troubles } = await survey({ copies: { lateAfterMinutes: 1440, destinations } });
  expect(measures).toMatchObject({ LateCopies: 1, StaleCopies: 1 });
  expect(troubles.find(({ message }) => /no copy has arrived/.test(String(message)))).toMatchObject({
    arn: vault('eu-west-3'),
  });
});

test('a drill counts when it was judged good, and where nobody judges when it was done', async () => {
  const days = (count: number) => minutesAgo(count * 1440);
  const job = (plan: string, ago: number, ValidationStatus?: string) => ({
    plan,
    Status: 'COMPLETED',
    CreationDate: days(ago),
    CompletionDate: days(ago),
    ...(ValidationStatus ? { ValidationStatus } : {}),
  });
  lists.restoreJobs = [
    job('good', 12, 'SUCCESSFUL'),
    job('good', 5, 'SUCCESSFUL'),
    job('good', 1, 'FAILED'),
    job('bad', 12, 'SUCCESSFUL'),
    job('bad', 5, 'FAILED'),
    job('bad', 4, 'TIMED_OUT'),
    job('unjudged', 3),
  ];
  const plan = (planArn: string, judged = true) => ({ planArn, judged, withinMinutes: 9 * 1440 });
  const drills = [plan('good'), plan('bad'), plan('unjudged', false), plan('never')];
  const { measures, troubles } = await survey({ drills });
  expect(measures).toMatchObject({ OverdueDrills: 2 });
  expect(measures.DrillAge! / 86_400).toBeCloseTo(12, 1);
  expect(troubles.map(({ arn }) => arn)).toEqual(['bad', 'never']);
});

test('every volume of a targeted instance needs a snapshot of the policy', async () => {
  const ec2 = new EC2Client(sdk());
  const { Instances = [] } = await ec2.send(
    new RunInstancesCommand({
      ImageId: 'ami-12c6146b',
      MinCount: 1,
      MaxCount: 1,
      TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'role', Value: 'db' }] }],
    }),
  );
  const { InstanceId, BlockDeviceMappings = [] } = Instances[0]!;
  const { VolumeId } = await ec2.send(
    new CreateVolumeCommand({ AvailabilityZone: 'eu-central-1a', Size: 1 }),
  );
  await ec2.send(new AttachVolumeCommand({ InstanceId, VolumeId, Device: '/dev/sdf' }));
  const policy = { policyId: 'policy-1', tags: { role: 'db' }, maxAgeMinutes: 0, excludeBootVolume: false };
  const before = await survey({ snapshots: [policy] });
  expect(before.measures).toMatchObject({ SnapshotVolumes: 2, StaleVolumes: 2 });

  const snapshot = (id: string, value: string) =>
    ec2.send(
      new CreateSnapshotCommand({
        VolumeId: id,
        TagSpecifications: [
          { ResourceType: 'snapshot', Tags: [{ Key: 'aws:dlm:lifecycle-policy-id', Value: value }] },
        ],
      }),
    );
  await snapshot(VolumeId!, 'policy-1');
  await snapshot(BlockDeviceMappings[0]!.Ebs!.VolumeId!, 'policy-2');
  const after = await survey({
    snapshots: [
      { ...policy, maxAgeMinutes: 5 },
      { ...policy, maxAgeMinutes: 0.001 },
    ],
  });
  // What was attached a moment ago has five minutes; the other policy's snapshot is none of this one's.
  expect(after.measures).toMatchObject({ SnapshotVolumes: 2, StaleVolumes: 2 });
  expect(after.troubles.map(({ message }) => message).sort()).toEqual([
    'volume has no recent snapshot',
    'volume has no snapshot',
  ]);
});

test('a database is asked to which second it could be restored', async () => {
  await new RDSClient(sdk()).send(
    new CreateDBInstanceCommand({
      DBInstanceIdentifier: 'orders',
      Engine: 'postgres',
      DBInstanceClass: 'db.t4g.micro',
      AllocatedStorage: 20,
      MasterUsername: 'app',
      MasterUserPassword: 'x'.repeat(12),
      BackupRetentionPeriod: 7,
      Tags: [{ Key: 'backup', Value: 'on' }],
    }),
  );
  const databases = { ...protection, resources: ['arn:aws:rds:*:*:db:*'], maxLagMinutes: 15 };
  const { measures } = await survey({ protections: [databases] });
  expect(measures).toMatchObject({ ProtectedResources: 1, Surveys: 1 });
  expect(measures.LaggingDatabases).toBe(measures.ContinuousLag! > 15 * 60 ? 1 : 0);
});

test('a part that fails leaves the others, and the survey does not count', async () => {
  lists.backupJobs = [];
  const listed = aws.own!;
  aws.own = (url) => {
    if (url.pathname.startsWith('/copy-jobs')) throw new Error('down');
    return listed(url);
  };
  const jobs = [{ vault: 'eu', planId: 'plan', minutesByRule: { hourly: 240 } }];
  const { error, emitted } = await survey({ jobs, copies: { lateAfterMinutes: 1, destinations: [] } });
  expect(error?.message).toMatch(/^the survey could not look at copies: /);
  expect(emitted).toMatchObject({ LateJobs: 0 });
  expect(emitted).not.toHaveProperty('Surveys');
});

test('says what it needs', async () => {
  const { error } = await invoke('survey', {}, moto().environment);
  expect(error).toEqual({ name: 'Error', message: 'the survey needs "watch", got {}' });
});
