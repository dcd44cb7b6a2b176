import { App, Duration, type Stack, Validations } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Role } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks } from 'cdk-nag';
import {
  AirGappedVault,
  AuditReport,
  BackupAudit,
  type BackupAuditProps,
  BackupRule,
  PrivacyRegime,
  RegimeBackupPlan,
  type RegimeBackupPlanProps,
  RegimeVault,
  ReportFormat,
  ResourceType,
  VaultLock,
} from 'cdk-sovereign-backup';
import { withAwsSolutions } from '../support/nag';
import { appWith, complaint, stackIn } from '../synth';

const regime = PrivacyRegime.EU;

function audited(
  app = appWith(),
  props: Partial<BackupAuditProps> = {},
  planProps: Partial<RegimeBackupPlanProps> = {},
  stack = stackIn('eu-central-1', app),
) {
  const vault = new RegimeVault(stack, 'Vault', {
    vaultLock: VaultLock.governance(),
    copyAccounts: ['222222222222'],
  });
  const copies = [
    RegimeVault.fromAttributes(stack, 'Away', { vaultName: 'copies', region: 'eu-west-1' }),
    RegimeVault.fromAttributes(stack, 'Bunker', {
      vaultName: 'bunker',
      region: 'eu-west-1',
      account: '222222222222',
    }),
  ];
  const plan = new RegimeBackupPlan(stack, 'Plan', { vault, copies, ...planProps });
  plan.protect('Tagged', { tags: { backup: 'on' }, types: [ResourceType.EC2, ResourceType.RDS] });
  const audit = new BackupAudit(stack, 'Audit', { regime, plans: [plan], ...props });
  return { app, stack, vault, plan, audit };
}

/** Controls by name, with their parameters. */
function controlsIn(stack: Stack) {
  const [framework] = Object.values(Template.fromStack(stack).findResources('AWS::Backup::Framework'));
  const controls = framework!.Properties.FrameworkControls as {
    ControlName: string;
    ControlInputParameters?: { ParameterName: string; ParameterValue: unknown }[];
    ControlScope?: object;
  }[];
  return Object.fromEntries(
    controls.map(({ ControlName, ControlInputParameters = [], ControlScope }) => [
      ControlName,
      {
        ...Object.fromEntries(ControlInputParameters.map((one) => [one.ParameterName, one.ParameterValue])),
        ...(ControlScope ? { scope: ControlScope } : {}),
      },
    ]),
  );
}

it('counts copies with a lifecycle of their own', () => {
  const app = appWith();
  const away = RegimeVault.fromAttributes(stackIn('eu-west-1'), 'Away', {
    vaultName: 'long',
    region: 'eu-west-1',
  });
  const rules = [BackupRule.daily({ copiesWithLifecycle: [{ vault: away, retention: Duration.days(400) }] })];
  const { stack } = audited(app, {}, { copies: [], rules });
  expect(controlsIn(stack)).toMatchObject({
    BACKUP_RESOURCES_PROTECTED_BY_CROSS_REGION: { crossRegionList: 'eu-west-1' },
  });
});

const tagged = { Tags: [{ Key: 'backup', Value: 'on' }] };

it('asks for what the plan declares, in the names and units of AWS', () => {
  const { stack } = audited(appWith(), { restoreWithin: Duration.hours(4) });
  expect(controlsIn(stack)).toEqual({
    BACKUP_RESOURCES_PROTECTED_BY_BACKUP_PLAN: { scope: tagged },
    // The daily rule, kept 35 days; not the hourly one, which is kept for 7.
    BACKUP_PLAN_MIN_FREQUENCY_AND_MIN_RETENTION_CHECK: {
      requiredFrequencyUnit: 'hours',
      requiredFrequencyValue: '24',
      requiredRetentionDays: '35',
    },
    BACKUP_RECOVERY_POINT_MINIMUM_RETENTION_CHECK: { requiredRetentionDays: '7' },
    BACKUP_RECOVERY_POINT_ENCRYPTED: {},
    BACKUP_RECOVERY_POINT_MANUAL_DELETION_DISABLED: {},
    BACKUP_RESOURCES_PROTECTED_BY_BACKUP_VAULT_LOCK: {
      // The lock has no maximum of its own.
      minRetentionDays: '7',
      scope: tagged,
    },
    BACKUP_RESOURCES_PROTECTED_BY_CROSS_REGION: { crossRegionList: 'eu-west-1', scope: tagged },
    BACKUP_RESOURCES_PROTECTED_BY_CROSS_ACCOUNT: { crossAccountList: '222222222222', scope: tagged },
    BACKUP_LAST_RECOVERY_POINT_CREATED: {
      recoveryPointAgeUnit: 'hours',
      recoveryPointAgeValue: '5',
      scope: tagged,
    },
    RESTORE_TIME_FOR_RESOURCES_MEET_TARGET: { maxRestoreTime: '240', scope: tagged },
  });
});

it('asks for nothing that was not declared', () => {
  const { stack } = audited(appWith(), {}, { copies: [], rules: [BackupRule.monthly()] });
  const controls = Object.keys(controlsIn(stack));
  for (const absent of [
    'CROSS_REGION',
    'CROSS_ACCOUNT',
    'RESTORE_TIME',
    'AIR_GAPPED',
    'LAST_RECOVERY_POINT',
  ]) {
    expect(controls.filter((name) => name.includes(absent))).toEqual([]);
  }
  expect(controlsIn(stack)).toMatchObject({
    BACKUP_PLAN_MIN_FREQUENCY_AND_MIN_RETENTION_CHECK: {
      requiredFrequencyUnit: 'days',
      requiredFrequencyValue: '31',
      requiredRetentionDays: '366',
    },
  });
});

it('asks of several plans what all of them keep, and scopes by type where tags differ', () => {
  const app = appWith();
  const stack = stackIn('eu-central-1', app);
  const vault = new RegimeVault(stack, 'Vault');
  const airGapped = new AirGappedVault(stack, 'Gap', {
    irreversibleMinRetention: Duration.days(7),
    irreversibleMaxRetention: Duration.days(400),
  });
  const plans = [
    [BackupRule.daily({ retention: Duration.days(90) })],
    [BackupRule.weekly({ retention: Duration.days(60), airGappedVault: airGapped })],
  ].map((rules, i) => {
    const plan = new RegimeBackupPlan(stack, `Plan${i}`, { vault, rules });
    plan.protect('Some', { tags: { tier: `${i}` }, types: [i ? ResourceType.EFS : ResourceType.RDS] });
    return plan;
  });
  new BackupAudit(stack, 'Audit', { regime, plans });
  const scope = { ComplianceResourceTypes: ['EFS', 'RDS'] };
  expect(controlsIn(stack)).toMatchObject({
    BACKUP_PLAN_MIN_FREQUENCY_AND_MIN_RETENTION_CHECK: {
      requiredFrequencyUnit: 'days',
      requiredFrequencyValue: '7',
      requiredRetentionDays: '60',
    },
    BACKUP_RECOVERY_POINT_MINIMUM_RETENTION_CHECK: { requiredRetentionDays: '60' },
    BACKUP_RESOURCES_PROTECTED_BY_BACKUP_PLAN: { scope },
    RESOURCES_IN_LOGICALLY_AIR_GAPPED_VAULT: { recoveryPointAgeUnit: 'hours', scope },
  });
});

it('reports daily into a bucket of the regime, into which only the service writes', () => {
  const { stack, audit } = audited();
  const template = Template.fromStack(stack);
  template.resourceCountIs('AWS::Backup::ReportPlan', 5);
  template.hasResource('AWS::Backup::ReportPlan', {
    Properties: {
      ReportPlanName: `${audit.frameworkName}_CONTROL_COMPLIANCE_REPORT`,
      ReportDeliveryChannel: { S3BucketName: Match.anyValue(), S3KeyPrefix: 'eu', Formats: ['CSV', 'JSON'] },
      ReportSetting: {
        ReportTemplate: 'CONTROL_COMPLIANCE_REPORT',
        FrameworkArns: [{ 'Fn::GetAtt': [Match.stringLikeRegexp('^Audit'), 'FrameworkArn'] }],
      },
    },
    DependsOn: Match.arrayWith([Match.stringLikeRegexp('ReportsPolicy')]),
  });
  template.hasResourceProperties('AWS::Backup::ReportPlan', {
    ReportSetting: { ReportTemplate: 'RESTORE_JOB_REPORT', FrameworkArns: Match.absent() },
  });
  template.hasResource('AWS::S3::Bucket', {
    DeletionPolicy: 'Retain',
    Properties: {
      BucketEncryption: Match.anyValue(),
      VersioningConfiguration: { Status: 'Enabled' },
      LifecycleConfiguration: { Rules: [Match.objectLike({ ExpirationInDays: 1095, Status: 'Enabled' })] },
    },
  });
  template.hasResourceProperties('AWS::S3::BucketPolicy', {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Effect: 'Allow',
          Action: 's3:PutObject',
          Condition: {
            ArnEquals: { 'aws:PrincipalArn': Match.anyValue() },
            StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control' },
          },
        }),
      ]),
    },
  });
});

it('takes a key, a bucket, fewer reports and roles that may delete', () => {
  const app = appWith();
  const stack = stackIn('eu-central-1', app);
  const exempt = Role.fromRoleArn(stack, 'Exempt', 'arn:aws:iam::111111111111:role/breakglass');
  audited(
    app,
    {
      encryptionKey: new Key(stack, 'Key', { enableKeyRotation: true }),
      exemptRoles: [exempt],
      reports: [AuditReport.COPY_JOBS],
      formats: [ReportFormat.CSV],
    },
    {},
    stack,
  );
  const template = Template.fromStack(stack);
  template.resourceCountIs('AWS::Backup::ReportPlan', 1);
  template.hasResourceProperties('AWS::KMS::Key', {
    KeyPolicy: { Statement: Match.arrayWith([Match.objectLike({ Sid: 'ReportsAreEncrypted' })]) },
  });
  expect(controlsIn(stack)).toMatchObject({
    BACKUP_RECOVERY_POINT_MANUAL_DELETION_DISABLED: {
      principalArnList: 'arn:aws:iam::111111111111:role/breakglass',
    },
  });
  const other = stackIn('eu-central-1');
  const { audit } = audited(
    appWith(),
    { bucket: Bucket.fromBucketName(other, 'Theirs', 'theirs') },
    {},
    other,
  );
  expect(audit.bucket.bucketName).toBe('theirs');
  Template.fromStack(other).resourceCountIs('AWS::S3::Bucket', 0);
});

describe('what is refused, with the value, the limit and the way out', () => {
  const roles = (stack: Stack, count: number) =>
    Array.from({ length: count }, (_, n) =>
      Role.fromRoleArn(stack, `R${n}`, `arn:aws:iam::111111111111:role/r${n}`),
    );

  it.each<[string, Partial<BackupAuditProps>, RegExp]>([
    ['a name with dashes', { frameworkName: 'a-b' }, /frameworkName is 'a-b': use a letter/],
    ['a long name', { frameworkName: `a${'b'.repeat(256)}` }, /up to 255 letters/],
    ['no plans', { plans: [] }, /has no plans: name those/],
    ['half a minute', { restoreWithin: Duration.seconds(30) }, /restoreWithin is 0\.5 minutes/],
    ['no report', { reports: [] }, /reports nothing: name at least one/],
    ['another regime', { regime: PrivacyRegime.UK }, /of regime 'eu' as 'uk': make an audit for each regime/],
  ])('%s', (_, props, message) => {
    expect(complaint(audited(appWith(), props).app)).toMatch(message);
  });

  it('too many roles', () => {
    const app = appWith();
    const stack = stackIn('eu-central-1', app);
    audited(app, { exemptRoles: roles(stack, 6) }, {}, stack);
    expect(complaint(app)).toMatch(/exemptRoles names 6 roles, AWS Backup takes 5/);
  });

  it('a bucket of another region', () => {
    const app = appWith();
    const stack = stackIn('eu-central-1', app);
    const bucket = Bucket.fromBucketAttributes(stack, 'Far', { bucketName: 'theirs', region: 'us-east-1' });
    audited(app, { bucket }, {}, stack);
    expect(complaint(app)).toContain('its bucket is in us-east-1 and the audit in eu-central-1');
  });

  it('a plan of another region', () => {
    const app = appWith();
    const { plan } = audited(app);
    new BackupAudit(stackIn('eu-west-3', app, 'Away'), 'Audit', { regime, plans: [plan] });
    expect(complaint(app)).toMatch(/audits Stack\/Plan of eu-central-1 from eu-west-3.*put an audit there/);
  });

  it('a second framework that asks the same, and the same name twice', () => {
    const { app, stack, plan } = audited();
    new BackupAudit(stack, 'Again', { regime, plans: [plan] });
    expect(complaint(app)).toMatch(
      /asks the same as Stack\/Again\/Resource.*audit the plans of both together/,
    );
    const named = audited(appWith(), { frameworkName: 'ours' });
    new BackupAudit(named.stack, 'Again', {
      regime,
      plans: [named.plan],
      frameworkName: 'ours',
      restoreWithin: Duration.hours(1),
    });
    expect(complaint(named.app)).toMatch(/frameworkName 'ours' is also that of Stack\/Again\/Resource/);
  });

  it('more than the quotas of the account, unless they were raised', () => {
    const make = (quotas?: BackupAuditProps['quotas']) => {
      const app = appWith();
      const { stack, plan } = audited(app, { quotas });
      for (let n = 1; n < 6; n++) {
        new BackupAudit(stack, `Audit${n}`, {
          regime,
          plans: [plan],
          restoreWithin: Duration.hours(n),
          quotas,
        });
      }
      return complaint(app);
    };
    const text = make();
    expect(text).toMatch(
      /has 59 controls in account and region, AWS Backup allows 50.*quotas: \{ controls: 59 \}/,
    );
    expect(text).toMatch(
      /has 30 report plans in account and region, AWS Backup allows 20: name fewer reports/,
    );
    expect(text).not.toMatch(/frameworks in/);
    expect(make({ controls: 60, reportPlans: 30 })).toBe('');
  });
});

describe('quality', () => {
  function auditedIn(region: string, app: App): Stack {
    const stack = stackIn(region, app);
    const here = PrivacyRegime.forRegion(region);
    const vault = new RegimeVault(stack, 'Vault', { regime: here });
    const plan = new RegimeBackupPlan(stack, 'Plan', { vault });
    plan.protect('All', { tags: { backup: 'on' } });
    new BackupAudit(stack, 'Audit', { regime: here, plans: [plan] });
    return stack;
  }

  it('says that CloudFormation has no audits in China', () => {
    const stack = auditedIn('cn-north-1', new App());
    Annotations.fromStack(stack).hasWarning(
      '*',
      Match.stringLikeRegexp('has no audits in cn-north-1.*leave the audit out'),
    );
  });

  it('every pack of cdk-nag is content', () => {
    const app = withAwsSolutions(new App({ analyticsReporting: false }));
    Validations.of(app).addPlugins(new HIPAASecurityChecks(), new NIST80053R5Checks(), new PCIDSS321Checks());
    audited(app);
    expect(complaint(app)).toBe('');
  });
});
