import { Aws, Duration, type Stack, TimeZone } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { BackupVault } from 'aws-cdk-lib/aws-backup';
import { Schedule } from 'aws-cdk-lib/aws-events';
import { Role } from 'aws-cdk-lib/aws-iam';
import {
  BackupRule,
  Cargo,
  MalwareScan,
  PrivacyRegime,
  RegimeBackupPlan,
  RegimeVault,
  ResourceType,
  VaultLock,
} from 'cdk-sovereign-backup';
import { lint } from '../support/cfn-lint';
import { appWith, complaint, referenceStrengths, stackIn } from '../synth';

const account = '111111111111';

function planIn(
  region: string,
  copyTo: string[],
  options: Partial<ConstructorParameters<typeof RegimeBackupPlan>[2]> = {},
) {
  const app = appWith();
  const stack = stackIn(region, app);
  const vault = new RegimeVault(stack, 'Vault', { exceptions: options.exceptions });
  const copies = copyTo.map((to) =>
    RegimeVault.fromAttributes(stack, `To-${to}`, {
      vaultName: 'elsewhere',
      region: to,
      regime: PrivacyRegime.of(`r-${to}`, { regions: ['eu-central-1'] }),
    }),
  );
  const plan = new RegimeBackupPlan(stack, 'Plan', { vault, copies, ...options });
  return { app, stack, vault, plan };
}

describe.each(referenceStrengths)('with %s references', (strength) => {
  test('hourly and daily by default, both copied to the vault of another stack and region, without exports', () => {
    const app = appWith({ '@aws-cdk/core:defaultCrossStackReferences': strength });
    const home = stackIn('eu-central-1', app, 'Home');
    const away = stackIn('eu-west-1', app, 'Away');
    const vault = new RegimeVault(home, 'Vault');
    const copy = new RegimeVault(away, 'Vault', { vaultName: 'acme-eu' });
    const plan = new RegimeBackupPlan(home, 'Plan', { vault, copies: [copy] });
    plan.protect('Tagged', { tags: { backup: 'yes', tier: 'gold' }, types: [ResourceType.EC2] });

    const template = Template.fromStack(home);
    const arn = {
      'Fn::Join': [
        '',
        ['arn:', { Ref: 'AWS::Partition' }, `:backup:eu-west-1:${account}:backup-vault:acme-eu`],
      ],
    };
    const rule = (name: string, days: number, schedule: string) =>
      Match.objectLike({
        RuleName: name,
        ScheduleExpression: schedule,
        StartWindowMinutes: 60,
        TargetBackupVault: { 'Fn::GetAtt': [Match.anyValue(), 'BackupVaultName'] },
        Lifecycle: { DeleteAfterDays: days },
        CopyActions: [{ DestinationBackupVaultArn: arn, Lifecycle: { DeleteAfterDays: days } }],
      });
    template.hasResourceProperties('AWS::Backup::BackupPlan', {
      BackupPlan: {
        BackupPlanRule: [rule('hourly', 7, 'cron(0 * ? * * *)'), rule('daily', 35, 'cron(0 5 ? * * *)')],
      },
    });
    template.hasResourceProperties('AWS::Backup::BackupSelection', {
      BackupSelection: {
        Resources: [{ 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':ec2:*:*:instance/*']] }],
        Conditions: {
          StringEquals: [
            { ConditionKey: 'aws:ResourceTag/backup', ConditionValue: 'yes' },
            { ConditionKey: 'aws:ResourceTag/tier', ConditionValue: 'gold' },
          ],
        },
      },
    });
    expect(Template.fromStack(away).toJSON().Outputs ?? {}).toEqual({});
    expect(complaint(app)).toBe('');
  });
});

describe('refuses, after the path of the construct', () => {
  test('a copy to another regime: both regions, both regimes and the way out', () => {
    const { app } = planIn('eu-west-1', ['us-east-1']);
    const message = complaint(app);
    expect(message).toContain(
      "[Stack/Plan] rule 'hourly': backups would go from eu-west-1 (regime eu) to us-east-1 (regime us)",
    );
    expect(message).toContain('Copy to eu-central-1, eu-west-3, eu-north-1, eu-south-1, eu-south-2 instead');
    expect(message).toContain("TransferException from 'eu' to 'us'");
  });

  test('look-alikes: London and Zurich are not in the EU', () => {
    expect(complaint(planIn('eu-west-1', ['eu-west-2']).app)).toContain('eu-west-2 (regime uk)');
    expect(complaint(planIn('eu-west-1', ['eu-central-2']).app)).toContain('eu-central-2 (regime ch)');
  });

  test('another partition, as impossible', () => {
    expect(complaint(planIn('eu-central-1', ['eusc-de-east-1']).app)).toMatch(/impossible, aws and aws-eusc/);
  });

  test('a regime of one region, with what to do instead', () => {
    expect(complaint(planIn('eu-west-2', ['eu-west-1']).app)).toMatch(
      /'uk' has no second region.*air-gapped.*soleRegion/,
    );
  });

  test('a destination whose region is a token', () => {
    const { app } = planIn('eu-west-1', []);
    const stack = app.node.findChild('Stack') as Stack;
    const vault = stack.node.findChild('Vault') as RegimeVault;
    const parameter = BackupVault.fromBackupVaultArn(
      stack,
      'Import',
      `arn:aws:backup:${Aws.REGION}:${account}:backup-vault:x`,
    );
    new RegimeBackupPlan(stack, 'Other', { vault, copies: [parameter] });
    expect(complaint(app)).toMatch(
      /\[Stack\/Other\].*unresolved token.*known only at deployment.*write the region out/,
    );
  });

  test('an unknown region, by ARN', () => {
    const { app, stack, vault } = planIn('eu-west-1', []);
    const typo = BackupVault.fromBackupVaultArn(
      stack,
      'Import',
      `arn:aws:backup:eu-wset-3:${account}:backup-vault:x`,
    );
    new RegimeBackupPlan(stack, 'Other', { vault, copies: [typo] });
    expect(complaint(app)).toMatch(/eu-wset-3.*did you mean eu-west-3\?/);
  });

  test('a stack without a region', () => {
    const app = appWith();
    const stack = stackIn(undefined, app);
    const vault = new RegimeVault(stack, 'Vault', { regime: PrivacyRegime.EU });
    new RegimeBackupPlan(stack, 'Plan', { vault });
    const message = complaint(app);
    expect(message).toContain("[Stack/Vault] a vault of 'eu'");
    expect(message).toContain("[Stack/Plan] a plan of 'eu'");
  });

  test('a vault of another region', () => {
    const app = appWith();
    const vault = new RegimeVault(stackIn('eu-west-3', app, 'Paris'), 'Vault');
    new RegimeBackupPlan(stackIn('eu-west-1', app, 'Dublin'), 'Plan', { vault });
    expect(complaint(app)).toMatch(/\[Dublin\/Plan\] its vault is in eu-west-3 and the plan in eu-west-1/);
  });

  test('every rule that AWS Backup would refuse or misread, all at once', () => {
    const rules = [
      BackupRule.daily({
        ruleName: 'cold',
        retention: Duration.days(60),
        moveToColdStorageAfter: Duration.days(30),
        startWindow: Duration.minutes(20),
      }),
      BackupRule.continuous({ retention: Duration.days(36), moveToColdStorageAfter: Duration.days(1) }),
      BackupRule.daily({ ruleName: 'cold', completionWindow: Duration.minutes(30), archiveSnapshots: true }),
      new BackupRule({
        ruleName: 'bad name',
        schedule: Schedule.rate(Duration.hours(1)),
        retention: Duration.days(0),
      }),
      new BackupRule({ ruleName: 'often', schedule: Schedule.expression('cron(0/30 * ? * * *)') }),
      new BackupRule({ ruleName: 'never', schedule: Schedule.expression('cron(0 5 31 2 ? *)') }),
      new BackupRule({ ruleName: 'later', schedule: Schedule.expression(Aws.STACK_NAME) }),
      BackupRule.weekly({
        ruleName: 'parts',
        retention: Duration.hours(36),
        startWindow: Duration.seconds(3690),
      }),
    ];
    const message = complaint(planIn('eu-west-1', [], { rules }).app);
    for (const part of [
      'keep for at least 120 days',
      'startWindow is 20 min, AWS Backup wants at least 60 min',
      'continuous backup is kept 35 days at most, retention is 36',
      'continuous backup has no cold storage',
      'completionWindow (30 min) must be longer than startWindow (1 h)',
      'archiveSnapshots does nothing without moveToColdStorageAfter',
      "several rules of the name 'cold'",
      'its name must be 1 to 50',
      'takes cron schedules only',
      'retention is 0 days',
      'more often than hourly',
      'never runs',
      "rule 'later': its schedule cannot be read: it is known only at deployment, write it out",
      'retention is 1.5 days, it must be 1 to 36500 whole days',
      'startWindow is 61.5 min, AWS Backup wants at least 60 min, in whole minutes',
    ]) {
      expect(message).toContain(part);
    }
  });

  test('retention outside the lock, of rule and copy', () => {
    const app = appWith();
    const stack = stackIn('eu-west-1', app);
    const vault = new RegimeVault(stack, 'Vault', {
      vaultLock: VaultLock.governance({ minRetention: Duration.days(30), maxRetention: Duration.days(90) }),
    });
    const copy = RegimeVault.fromAttributes(stack, 'Copy', {
      vaultName: 'x1',
      region: 'eu-west-3',
      vaultLock: VaultLock.governance({ minRetention: Duration.days(100) }),
    });
    new RegimeBackupPlan(stack, 'Plan', {
      vault,
      copies: [copy],
      rules: [BackupRule.hourly(), BackupRule.monthly()],
    });
    const message = complaint(app);
    expect(message).toContain("rule 'hourly' keeps for 7 days, and the vault's lock demands at least 30");
    expect(message).toContain("rule 'monthly' keeps for 366 days, and the vault's lock allows at most 90");
    expect(message).toContain("rule 'hourly': its copy in eu-west-3 keeps for 7 days");
  });

  test('an eleventh selection, an empty one and too many patterns', () => {
    const { app, plan } = planIn('eu-west-1', []);
    for (let i = 0; i < 11; i++) plan.protect(`S${i}`, { tags: { n: String(i) } });
    plan.protect('Empty', {});
    plan.protect('Many', { arns: Array.from({ length: 31 }, (_, i) => `arn:aws:ec2:*:*:volume/${i}*`) });
    const message = complaint(app);
    expect(message).toContain('has 11 selections, AWS Backup allows 10');
    expect(message).toContain("selection 'Empty' names no tags");
    expect(message).toContain("selection 'Many' lists 31 resources, 31 of them patterns");
  });

  test('copies that a vault’s own policy denies: out of it, into it, and by an exception that it does not know', () => {
    const app = appWith();
    const stack = stackIn('eu-west-2', app);
    const env = { account: '222222222222', region: 'eu-west-2' };
    const bunker = new RegimeVault(stackIn('eu-west-2', app, 'Bunker', { env }), 'Vault', {
      vaultName: 'bunker',
    });
    const away = RegimeVault.fromAttributes(stack, 'Away', { vaultName: 'away', region: 'eu-west-1' });
    const exceptions = [
      {
        from: PrivacyRegime.UK,
        to: PrivacyRegime.EU,
        instrument: 'UK adequacy regulations',
        approvedBy: 'DPO',
        expires: '2999-12-31',
      },
    ];
    const rules = [BackupRule.daily()];
    const vault = new RegimeVault(stack, 'Vault', { vaultName: 'home' });
    new RegimeBackupPlan(stack, 'Plan', { vault, copies: [bunker, away], exceptions, rules });
    const message = complaint(app);
    for (const part of [
      "rule 'daily' copies to account 222222222222, which the policy of its vault home denies: give that vault copyAccounts",
      "copies into vault bunker of account 222222222222, whose policy does not let it: give that vault copyAccounts: ['111111111111']",
      'copies to eu-west-1 by an exception that the policy of its vault home does not know',
    ]) {
      expect(message).toContain(part);
    }
  });

  test('a copy into its own vault, two into one, and a name that is none', () => {
    const { app, stack, vault } = planIn('eu-west-1', []);
    new RegimeBackupPlan(stack, 'Loop', { vault, copies: [vault] });
    const away = RegimeVault.fromAttributes(stack, 'Away', { vaultName: 'away', region: 'eu-west-3' });
    new RegimeBackupPlan(stack, 'Twice', { vault, copies: [away, away], planName: 'a plan' });
    const message = complaint(app);
    expect(message).toContain('copies into its own vault');
    expect(message).toContain(`rule 'hourly' copies twice into vault away of eu-west-3, account ${account}`);
    expect(message).toContain("planName is 'a plan': use 1 to 50 letters");
  });
});

describe('transfer exceptions', () => {
  const exception = {
    from: PrivacyRegime.UK,
    to: PrivacyRegime.EU,
    instrument: 'UK adequacy regulations',
    approvedBy: 'DPO',
    expires: '2999-12-31',
    what: [Cargo.BACKUP],
  };
  test('let a directed copy through', () => {
    expect(complaint(planIn('eu-west-2', ['eu-west-1'], { exceptions: [exception] }).app)).toBe('');
    expect(complaint(planIn('eu-west-1', ['eu-west-2'], { exceptions: [exception] }).app)).toContain(
      'regime uk',
    );
  });
  test('not for other cargo, and not after they end', () => {
    expect(
      complaint(
        planIn('eu-west-2', ['eu-west-1'], { exceptions: [{ ...exception, what: [Cargo.KEY] }] }).app,
      ),
    ).toContain('backups would go');
    const message = complaint(
      planIn('eu-west-2', ['eu-west-1'], { exceptions: [{ ...exception, expires: '2020-01-01' }] }).app,
    );
    expect(message).toContain('expired on 2020-01-01');
    expect(message).toContain('backups would go');
  });
});

describe('indexes, scans for malware and Volume Shadow Copies', () => {
  const rules = [
    BackupRule.daily({ index: [ResourceType.S3, ResourceType.EBS], malwareScan: MalwareScan.INCREMENTAL }),
  ];

  test('are in the plan as AWS Backup writes them', async () => {
    const app = appWith();
    const stack = stackIn('eu-west-1', app);
    const malwareScanRole = Role.fromRoleArn(stack, 'Scanner', `arn:aws:iam::${account}:role/scanner`);
    const plan = new RegimeBackupPlan(stack, 'Plan', {
      vault: new RegimeVault(stack, 'Vault'),
      rules,
      windowsVss: true,
      malwareScanRole,
    });
    plan.protect('Tagged', { tags: { backup: 'yes' }, types: [ResourceType.EC2, ResourceType.S3] });
    expect(complaint(app)).toBe('');
    Template.fromStack(stack).hasResourceProperties('AWS::Backup::BackupPlan', {
      BackupPlan: {
        AdvancedBackupSettings: [{ ResourceType: 'EC2', BackupOptions: { WindowsVSS: 'enabled' } }],
        BackupPlanRule: [
          Match.objectLike({
            IndexActions: [{ ResourceTypes: ['S3', 'EBS'] }],
            ScanActions: [{ MalwareScanner: 'GUARDDUTY', ScanMode: 'INCREMENTAL_SCAN' }],
          }),
        ],
        ScanSettings: [
          Match.objectLike({
            MalwareScanner: 'GUARDDUTY',
            ScannerRoleArn: `arn:aws:iam::${account}:role/scanner`,
          }),
        ],
      },
    });
    // The role may do it, too.
    const [role] = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Role'));
    const managed = JSON.stringify(role!.Properties.ManagedPolicyArns);
    for (const name of ['Indexing', 'Scans'])
      expect(managed).toContain(`AWSBackupServiceRolePolicyFor${name}`);
    expect(await lint(app, stack)).toBe('');
  });

  test('are refused together, where there is no index and nobody scans', () => {
    const { app } = planIn('eu-west-1', [], {
      rules: [...rules, BackupRule.hourly({ index: [ResourceType.RDS] })],
    });
    const message = complaint(app);
    expect(message).toContain("rule 'daily' scans for malware: give the plan a malwareScanRole");
    expect(message).toContain("rule 'hourly' indexes RDS: AWS Backup indexes S3 and EBS only");
  });
});

test('a long start window that swallows the hourly rule is told', () => {
  const { stack } = planIn('eu-west-1', [], {
    rules: [BackupRule.hourly(), BackupRule.daily({ startWindow: Duration.hours(8) })],
  });
  Annotations.fromStack(stack).hasWarning(
    '/Stack/Plan',
    Match.stringLikeRegexp("'daily' may start within 8 h.*'hourly'"),
  );
});

test('objectives: the arithmetic is shown, continuous backup counts where the service has it', () => {
  const rules = [BackupRule.hourly(), BackupRule.continuous()];
  const good = planIn('eu-west-1', [], { rules });
  good.plan.requireObjective(ResourceType.RDS, { maxDataLoss: Duration.minutes(5) });
  expect(complaint(good.app)).toBe('');
  const { app, plan } = planIn('eu-west-1', [], { rules });
  plan.requireObjective(ResourceType.EFS, { maxDataLoss: Duration.hours(2), retention: Duration.days(30) });
  const message = complaint(app);
  expect(message).toContain(
    'rule hourly: 1 h between runs + 1 h start window + 3 h until it must be complete = 5 h',
  );
  expect(message).toContain('rule continuous: 24 h between runs');
  expect(message).toContain('the objective reaches back 30 days, and nothing is kept that long');
});

test('a time zone with summer time has an hour more', () => {
  const { app, plan } = planIn('eu-west-1', [], {
    rules: [BackupRule.daily({ timeZone: TimeZone.EUROPE_BERLIN })],
  });
  plan.requireObjective(ResourceType.EFS, { maxDataLoss: Duration.hours(1) });
  expect(complaint(app)).toContain('25 h between runs');
});

test('two plans in one stack, and two stacks', () => {
  const { app, stack, vault } = planIn('eu-west-1', ['eu-central-1']);
  new RegimeBackupPlan(stack, 'Second', { vault }).protect('All', { tags: { a: 'b' } });
  Template.fromStack(stack).resourceCountIs('AWS::Backup::BackupPlan', 2);
  expect(complaint(app)).toBe('');
});
