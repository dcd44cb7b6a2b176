import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Cargo, PrivacyRegime, ResidencyWatch, type TransferException } from 'cdk-sovereign-backup';
import { matches } from './pattern';

const account = '111111111111';
const backups: TransferException = {
  from: PrivacyRegime.UK,
  to: PrivacyRegime.EU,
  instrument: 'UK adequacy regulations',
  approvedBy: 'DPO',
  expires: '2999-12-31',
  what: [Cargo.BACKUP],
};

function watchIn(region: string, regime: PrivacyRegime, exceptions?: TransferException[]) {
  const stack = new Stack(new App(), 'Stack', { env: { account, region } });
  new ResidencyWatch(stack, 'Watch', { regime, exceptions });
  const template = Template.fromStack(stack);
  const patterns = Object.values(template.findResources('AWS::Events::Rule')).map(
    (rule) => rule.Properties.EventPattern,
  );
  return {
    template,
    noticed: (event: object) => patterns.filter((pattern) => matches(pattern, event as never)).length,
  };
}

const copyJob = (to: string, state = 'COMPLETED') => ({
  version: '0',
  'detail-type': 'Copy Job State Change',
  source: 'aws.backup',
  account,
  region: 'eu-central-1',
  resources: [`arn:aws:ec2:eu-central-1::snapshot/snap-1`],
  detail: {
    copyJobId: '1',
    backupSizeInBytes: 1,
    creationDate: '2026-11-24T00:00:00Z',
    iamRoleArn: `arn:aws:iam::${account}:role/Backup`,
    resourceArn: `arn:aws:ec2:eu-central-1:${account}:volume/vol-1`,
    resourceType: 'EBS',
    sourceBackupVaultArn: `arn:aws:backup:eu-central-1:${account}:backup-vault:a`,
    state,
    destinationBackupVaultArn: `arn:aws:backup:${to}:222222222222:backup-vault:b`,
  },
});

const call = (service: string, eventName: string, requestParameters: object, more: object = {}) => ({
  version: '0',
  'detail-type': 'AWS API Call via CloudTrail',
  source: `aws.${service}`,
  account,
  detail: { eventSource: `${service}.amazonaws.com`, eventName, requestParameters, ...more },
});

const ebsCopy = (source: string, result = 'succeeded') => ({
  version: '0',
  'detail-type': 'EBS Snapshot Notification',
  source: 'aws.ec2',
  account,
  region: 'us-east-1',
  resources: ['arn:aws:ec2::us-east-1:snapshot/snap-2'],
  detail: {
    event: 'copySnapshot',
    result,
    cause: '',
    snapshot_id: 'arn:aws:ec2::us-east-1:snapshot/snap-2',
    source,
  },
});

const rdsCopy = (from: string, EventID = 'RDS-EVENT-0060') => ({
  'detail-type': 'RDS DB Snapshot Event',
  source: 'aws.rds',
  account,
  detail: {
    EventCategories: ['notification'],
    SourceType: 'SNAPSHOT',
    SourceArn: `arn:aws:rds:us-east-1:${account}:snapshot:copy`,
    EventID,
    Message: `Finished copy of snapshot arn:aws:rds:${from}:${account}:snapshot:a from region ${from} in 4 minutes`,
  },
});

describe('in a region of the regime', () => {
  const { noticed, template } = watchIn('eu-central-1', PrivacyRegime.EU);

  test.each(PrivacyRegime.EU.regions)('a copy job to %s is fine', (region) => {
    expect(noticed(copyJob(region))).toBe(0);
  });

  test.each(['us-east-1', 'eu-west-2', 'eu-central-2', 'eu-west-10', 'cn-north-1'])(
    'a copy job to %s is noticed',
    (region) => {
      expect(noticed(copyJob(region))).toBe(1);
      expect(noticed(copyJob(region, 'RUNNING'))).toBe(1);
      expect(noticed(copyJob(region, 'CREATED'))).toBe(0);
    },
  );

  test('key and secret replicas are noticed outside the regime only, and only when the call was accepted', () => {
    for (const [region, times] of [
      ['us-east-1', 1],
      ['eu-west-1', 0],
    ] as const) {
      expect(noticed(call('kms', 'ReplicateKey', { keyId: 'mrk-1', replicaRegion: region }))).toBe(times);
      expect(noticed(call('kms', 'UpdatePrimaryRegion', { keyId: 'mrk-1', primaryRegion: region }))).toBe(
        times,
      );
      const addReplicaRegions = [{ region: 'eu-north-1' }, { region }];
      expect(noticed(call('secretsmanager', 'ReplicateSecretToRegions', { addReplicaRegions }))).toBe(times);
      expect(noticed(call('secretsmanager', 'CreateSecret', { name: 'a', addReplicaRegions }))).toBe(times);
    }
    expect(
      noticed(call('kms', 'ReplicateKey', { replicaRegion: 'us-east-1' }, { errorCode: 'AccessDenied' })),
    ).toBe(0);
    expect(noticed(call('secretsmanager', 'CreateSecret', { name: 'a' }))).toBe(0);
    expect(noticed(call('kms', 'CreateKey', { multiRegion: true }))).toBe(0);
  });

  test('one alarm over all rules, to the topic', () => {
    const rules = Object.keys(template.findResources('AWS::Events::Rule'));
    template.resourceCountIs('AWS::CloudWatch::Alarm', 1);
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      Threshold: 0,
      ComparisonOperator: 'GreaterThanThreshold',
      TreatMissingData: 'notBreaching',
      AlarmActions: [{ Ref: Match.stringLikeRegexp('Topic') }],
      Metrics: Match.arrayWith(
        rules.map((Ref) =>
          Match.objectLike({
            MetricStat: {
              Metric: {
                Namespace: 'AWS/Events',
                MetricName: 'Invocations',
                Dimensions: [{ Name: 'RuleName', Value: { Ref } }],
              },
            },
          }),
        ),
      ),
    });
    for (const rule of Object.values(template.findResources('AWS::Events::Rule')))
      expect(rule.Properties.Targets).toHaveLength(1);
  });
});

describe('in a region outside the regime', () => {
  const { noticed } = watchIn('us-east-1', PrivacyRegime.EU);

  test('EBS snapshots that arrive from it are noticed, whichever way the ARN is written', () => {
    for (const arn of ['arn:aws:ec2::eu-west-1:snapshot/snap-1', 'arn:aws:ec2:eu-west-1::snapshot/snap-1']) {
      expect(noticed(ebsCopy(arn))).toBe(1);
      expect(noticed(ebsCopy(arn, 'failed'))).toBe(0);
      expect(noticed(ebsCopy(arn.replace('eu-west-1', 'us-west-2')))).toBe(0);
      expect(noticed(ebsCopy(arn.replace('eu-west-1', 'eu-west-2')))).toBe(0);
    }
  });

  test('database snapshots that arrive from it are noticed', () => {
    expect(noticed(rdsCopy('eu-west-1'))).toBe(1);
    expect(noticed(rdsCopy('eu-west-1', 'RDS-EVENT-0059'))).toBe(1);
    expect(noticed(rdsCopy('us-west-2'))).toBe(0);
    expect(noticed(rdsCopy('eu-west-1', 'RDS-EVENT-0042'))).toBe(0);
  });

  test('calls that fetch from it are noticed', () => {
    const arn = (region: string, kind: string) => `arn:aws:rds:${region}:${account}:${kind}:a`;
    for (const [region, times] of [
      ['eu-west-1', 1],
      ['us-west-2', 0],
    ] as const) {
      expect(noticed(call('ec2', 'CopyImage', { sourceRegion: region, sourceImageId: 'ami-1' }))).toBe(times);
      expect(noticed(call('ec2', 'CopySnapshot', { sourceRegion: region }))).toBe(times);
      expect(
        noticed(call('rds', 'CopyDBSnapshot', { sourceDBSnapshotIdentifier: arn(region, 'snapshot') })),
      ).toBe(times);
      expect(
        noticed(
          call('rds', 'CopyDBClusterSnapshot', {
            sourceDBClusterSnapshotIdentifier: arn(region, 'cluster-snapshot'),
          }),
        ),
      ).toBe(times);
      expect(
        noticed(
          call('rds', 'StartDBInstanceAutomatedBackupsReplication', {
            sourceDBInstanceArn: arn(region, 'db'),
          }),
        ),
      ).toBe(times);
      expect(
        noticed(
          call('rds', 'CreateDBInstanceReadReplica', { sourceDBInstanceIdentifier: arn(region, 'db') }),
        ),
      ).toBe(times);
      expect(
        noticed(call('rds', 'CreateDBCluster', { replicationSourceIdentifier: arn(region, 'cluster') })),
      ).toBe(times);
    }
    expect(noticed(call('rds', 'CreateDBInstanceReadReplica', { sourceDBInstanceIdentifier: 'local' }))).toBe(
      0,
    );
  });
});

test('an exception silences what it covers, and nothing else', () => {
  const home = watchIn('eu-west-2', PrivacyRegime.UK, [backups]);
  expect(home.noticed(copyJob('eu-west-1'))).toBe(0);
  expect(home.noticed(copyJob('us-east-1'))).toBe(1);
  expect(home.noticed(call('kms', 'ReplicateKey', { replicaRegion: 'eu-west-1' }))).toBe(1);
  const there = watchIn('eu-west-1', PrivacyRegime.UK, [backups]);
  expect(there.noticed(ebsCopy('arn:aws:ec2:eu-west-2::snapshot/snap-1'))).toBe(0);
  expect(
    there.noticed(
      call('rds', 'CreateDBInstanceReadReplica', {
        sourceDBInstanceIdentifier: `arn:aws:rds:eu-west-2:${account}:db:a`,
      }),
    ),
  ).toBe(1);
});

test('an exception that has ended silences nobody: it is refused', () => {
  const stack = new Stack(new App(), 'Stack', { env: { account, region: 'eu-west-2' } });
  const ended = { ...backups, expires: '2020-01-01' };
  new ResidencyWatch(stack, 'Watch', { regime: PrivacyRegime.UK, exceptions: [ended] });
  expect(() => Template.fromStack(stack)).toThrow(
    /\[Stack\/Watch\] transfer exception uk to eu: expired on 2020-01-01/,
  );
});

test('tells the topic it is given', () => {
  const stack = new Stack(new App(), 'Stack', { env: { account, region: 'eu-west-1' } });
  const topic = new Topic(stack, 'Ours');
  expect(new ResidencyWatch(stack, 'Watch', { regime: PrivacyRegime.EU, topic }).topic).toBe(topic);
  Template.fromStack(stack).resourceCountIs('AWS::SNS::Topic', 1);
});

test('a stack without a region, and a watch with nothing to do, are refused', () => {
  expect(() => new ResidencyWatch(new Stack(), 'Watch', { regime: PrivacyRegime.EU })).toThrow(
    /Watch: what has to be watched depends on the region, and the stack has none; write new Stack/,
  );
  expect(() => watchIn('cn-north-1', PrivacyRegime.EU)).toThrow(/nothing of eu can arrive in cn-north-1/);
  expect(() => watchIn('eu-west-1', PrivacyRegime.UK, [{ ...backups, what: undefined }])).toThrow(
    /nothing is to be watched in eu-west-1/,
  );
});
