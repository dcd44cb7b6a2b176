import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, CfnResource, NestedStack, Stack, Stage, Validations } from 'aws-cdk-lib';
import { BackupPlan, BackupPlanRule, BackupVault } from 'aws-cdk-lib/aws-backup';
import { Schedule } from 'aws-cdk-lib/aws-events';
import { CfnReplicaKey } from 'aws-cdk-lib/aws-kms';
import { Bucket, CfnBucket } from 'aws-cdk-lib/aws-s3';
import { Cargo, PrivacyRegime, ResidencyPolicy, type ResidencyPolicyProps } from 'cdk-sovereign-backup';

const account = '111111111111';
let printed: string;
beforeEach(() => {
  printed = '';
  for (const stream of [process.stderr, process.stdout]) {
    jest.spyOn(stream, 'write').mockImplementation((text) => {
      printed += String(text);
      return true;
    });
  }
  for (const method of ['log', 'error', 'warn'] as const) {
    jest.spyOn(console, method).mockImplementation((...text) => {
      printed += text.join(' ');
    });
  }
});
afterEach(() => jest.restoreAllMocks());

function plan(stack: Stack, to: string): void {
  new BackupPlan(stack, 'Plan', {
    backupVault: new BackupVault(stack, 'Vault'),
    backupPlanRules: [
      new BackupPlanRule({
        scheduleExpression: Schedule.cron({ hour: '5', minute: '0' }),
        copyActions: [
          {
            destinationBackupVault: BackupVault.fromBackupVaultArn(
              stack,
              'There',
              `arn:aws:backup:${to}:${account}:backup-vault:there`,
            ),
          },
        ],
      }),
    ],
  });
}

function appWith(
  build: (stack: Stack) => void,
  props?: ResidencyPolicyProps,
  region: string | undefined = 'eu-central-1',
): App {
  const app = new App({ outdir: mkdtempSync(join(tmpdir(), 'assembly-')) });
  ResidencyPolicy.of(app).enforce(props);
  build(new Stack(app, 'Prod', { env: { account, region } }));
  return app;
}

interface Report {
  readonly violations: {
    readonly ruleName: string;
    readonly description: string;
    readonly severity?: string;
    readonly violatingConstructs: { readonly constructPath?: string }[];
  }[];
}

function reportOf(app: App): Report['violations'] {
  const text = readFileSync(join(app.outdir, 'validation-report.json'), 'utf8');
  const all = JSON.parse(text).pluginReports as (Report & { summary: { pluginName: string } })[];
  return (
    all.find(({ summary }) => summary?.pluginName === 'residency')?.violations ??
    all.flatMap(({ violations }) => violations)
  );
}

test('an L2 copy into another regime fails the synthesis, with path and reason', () => {
  const app = appWith((stack) => plan(stack, 'us-east-1'));
  expect(() => app.synth()).toThrow(/ERROR \S+ /);
  const [violation] = reportOf(app);
  expect(violation).toMatchObject({ severity: 'error' });
  expect(violation?.description).toMatch(/eu-central-1.*us-east-1/);
  expect(violation?.violatingConstructs[0]?.constructPath).toBe('Prod/Plan/Resource');
});

test('the same app within its regime synthesizes', () => {
  expect(() => appWith((stack) => plan(stack, 'eu-west-1')).synth()).not.toThrow();
  expect(printed).not.toContain('ERROR');
});

test('a prefix is no regime: eu-west-2 is not in eu', () => {
  expect(() => appWith((stack) => plan(stack, 'eu-west-2')).synth()).toThrow(/ERROR \S+ /);
});

test.each<[string, (stack: Stack) => void]>([
  [
    'an L1 replica key',
    (stack) =>
      new CfnReplicaKey(stack, 'Key', {
        keyPolicy: {},
        primaryKeyArn: `arn:aws:kms:us-east-1:${account}:key/mrk-1`,
      }),
  ],
  [
    'an escape hatch',
    (stack) => {
      const bucket = new Bucket(stack, 'Bucket', { versioned: true }).node.defaultChild as CfnBucket;
      bucket.addPropertyOverride('ReplicationConfiguration', {
        Role: `arn:aws:iam::${account}:role/replication`,
        Rules: [
          {
            Status: 'Enabled',
            Destination: {
              Bucket: 'arn:aws:s3:::elsewhere',
              EncryptionConfiguration: { ReplicaKmsKeyID: `arn:aws:kms:us-east-1:${account}:key/1` },
            },
          },
        ],
      });
    },
  ],
  [
    'a resource without any construct of its own',
    (stack) =>
      new CfnResource(stack, 'Table', {
        type: 'AWS::DynamoDB::GlobalTable',
        properties: {
          AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
          KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
          Replicas: [{ Region: 'eu-central-1' }, { Region: 'ap-southeast-2' }],
        },
      }),
  ],
  ['a nested stack', (stack) => plan(new NestedStack(stack, 'Nested') as Stack, 'us-east-1')],
])('%s is seen too', (_what, build) => {
  const app = appWith(build);
  expect(() => app.synth()).toThrow(/ERROR \S+ /);
  for (const violation of reportOf(app).filter(({ severity }) => severity === 'error'))
    expect(violation.violatingConstructs[0]?.constructPath).toMatch(/^Prod\//);
});

test('stages are judged with their app, and a stage can be judged alone', () => {
  for (const alone of [true, false]) {
    const app = new App({ outdir: mkdtempSync(join(tmpdir(), 'assembly-')) });
    const stage = new Stage(app, 'Beta', { env: { account, region: 'eu-west-1' } });
    ResidencyPolicy.of(alone ? stage : app).enforce();
    plan(new Stack(stage, 'Data'), 'us-east-1');
    expect(() => app.synth()).toThrow(/ERROR \S+ /);
  }
});

const transfer = {
  from: PrivacyRegime.EU,
  to: PrivacyRegime.US,
  instrument: 'standard contractual clauses',
  approvedBy: 'DPO',
  expires: '2999-12-31',
};

test('an exception lets through what it covers', () => {
  const synth = (what?: Cargo[], expires = '2999-12-31') =>
    appWith((stack) => plan(stack, 'us-east-1'), { exceptions: [{ ...transfer, what, expires }] }).synth();
  expect(() => synth()).not.toThrow();
  expect(() => synth([Cargo.BACKUP])).not.toThrow();
  expect(() => synth([Cargo.KEY])).toThrow(/ERROR \S+ /);
  expect(() => synth(undefined, '2020-01-01')).toThrow(/ERROR \S+ /);
});

test('a regime of your own counts where it is assigned', () => {
  const dach = PrivacyRegime.of('acme-dach', { regions: ['eu-central-1', 'eu-central-2'] });
  const synth = (to: string) =>
    appWith((stack) => plan(stack, to), { assignments: { [`${account}/eu-central-1`]: dach } }).synth();
  expect(() => synth('eu-central-2')).not.toThrow();
  expect(() => synth('eu-west-1')).toThrow(/ERROR \S+ /);
});

test('the policy file of the command line is read, and what is given beside it is added', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'policy-')), 'residency.json');
  const written = (policy: unknown) => {
    writeFileSync(file, typeof policy === 'string' ? policy : JSON.stringify(policy));
    return file;
  };
  const { from, to, ...rest } = transfer;
  const exceptions = [{ from: from.id, to: to.id, ...rest }];
  const synth = (file: string) =>
    appWith((stack) => plan(stack, 'us-east-1'), { file, buckets: { theirs: 'eu-west-1' } }).synth();
  expect(() => synth(written({ schemaVersion: 1, exceptions }))).not.toThrow();
  expect(() => synth(written({ schemaVersion: 1 }))).toThrow(/ERROR \S+ /);
  expect(() => synth(written({ schemaVersion: 2 }))).toThrow(
    /residency\.json: schemaVersion: schemaVersion must be 1/,
  );
  expect(() => synth(written('exceptions: []'))).toThrow(/is no JSON: .*the command line YAML too/);
  expect(() => synth('no-such-file.json')).toThrow(
    /residency policy no-such-file.json: cannot be read \(ENOENT\)/,
  );
  expect(() => appWith(() => {}, { buckets: { theirs: 'eu-west-9' } })).toThrow(
    /places\.buckets\.theirs: "eu-west-9" is no region/,
  );
});

test('what cannot be determined warns, and fails in strict mode', () => {
  const build = (stack: Stack) => {
    new CfnBucket(stack, 'Bucket', {
      replicationConfiguration: {
        role: `arn:aws:iam::${account}:role/replication`,
        rules: [{ status: 'Enabled', destination: { bucket: 'arn:aws:s3:::who-knows-where' } }],
      },
    });
  };
  const app = appWith(build);
  expect(() => app.synth()).not.toThrow();
  expect(reportOf(app)[0]).toMatchObject({ severity: 'warning' });
  expect(() => appWith(build, { strict: true }).synth()).toThrow(/ERROR \S+ /);
  expect(() =>
    appWith(build, { strict: true, buckets: { 'who-knows-where': 'eu-west-1' } }).synth(),
  ).not.toThrow();
});

test('nobody can acknowledge an error away', () => {
  const app = appWith((stack) => {
    plan(stack, 'us-east-1');
    Validations.of(stack).acknowledge({ id: 'residency::cross-regime', reason: 'we are late' });
  });
  expect(() => app.synth()).toThrow(
    /Prod acknowledges residency::cross-regime, and a residency error cannot be acknowledged; record a transfer exception/,
  );
});

test('only an app or a stage has a policy', () => {
  expect(() => ResidencyPolicy.of(new Stack(new App(), 'Prod'))).toThrow(
    /Prod is neither an app nor a stage; write ResidencyPolicy\.of\(app\)/,
  );
});
