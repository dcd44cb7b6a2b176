import { Duration, TimeZone } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import {
  BackupRule,
  BackupRules,
  MalwareScan,
  OrganizationBackupPolicy,
  type OrganizationBackupPolicyProps,
  PrivacyRegime,
  RegimeVault,
  ResourceType,
} from 'cdk-sovereign-backup';
import { appWith, complaint, stackIn } from '../synth';

const least = { regime: PrivacyRegime.EU, regions: ['eu-central-1'], vaultName: 'Prod-eu' };

function made(props: Partial<OrganizationBackupPolicyProps> = {}) {
  const app = appWith();
  const stack = stackIn('us-east-1', app);
  new OrganizationBackupPolicy(stack, 'Policy', { ...least, ...props });
  return { app, stack };
}

function plan(props: Partial<OrganizationBackupPolicyProps> = {}) {
  const { app, stack } = made(props);
  expect(complaint(app)).toBe('');
  const [policy] = Object.values(Template.fromStack(stack).findResources('AWS::Organizations::Policy'));
  expect(policy!.Properties.Type).toBe('BACKUP_POLICY');
  const plans = Object.values(policy!.Properties.Content.plans) as never[];
  expect(plans).toHaveLength(1);
  return { plan: plans[0] as unknown as Record<string, never>, properties: policy!.Properties };
}

test('the rules of a plan, as the organization wants them', () => {
  const { plan: found, properties } = plan({
    copies: ['eu-west-1'],
    targetIds: ['ou-ab12-abcdefgh', '123456789012', 'r-ab12'],
    rules: [
      BackupRule.monthly({
        moveToColdStorageAfter: Duration.days(30),
        archiveSnapshots: true,
        recoveryPointTags: { kept: 'long' },
        copyRetention: Duration.days(500),
      }),
    ],
  });
  expect(properties.TargetIds).toHaveLength(3);
  const lifecycle = (days: string) => ({
    delete_after_days: { '@@assign': days },
    move_to_cold_storage_after_days: { '@@assign': '30' },
    opt_in_to_archive_for_supported_resources: { '@@assign': 'true' },
  });
  const arn = 'arn:aws:backup:eu-west-1:$account:backup-vault:Prod-eu';
  expect(found).toEqual({
    regions: { '@@assign': ['eu-central-1'] },
    rules: {
      monthly: {
        schedule_expression: { '@@assign': 'cron(0 5 1 * ? *)' },
        start_backup_window_minutes: { '@@assign': '60' },
        complete_backup_window_minutes: { '@@assign': '10080' },
        target_backup_vault_name: { '@@assign': 'Prod-eu' },
        lifecycle: lifecycle('366'),
        recovery_point_tags: { kept: { tag_key: { '@@assign': 'kept' }, tag_value: { '@@assign': 'long' } } },
        copy_actions: {
          [arn]: { target_backup_vault_arn: { '@@assign': arn }, lifecycle: lifecycle('500') },
        },
      },
    },
    selections: {
      tags: {
        protected: {
          iam_role_arn: { '@@assign': 'arn:aws:iam::$account:role/service-role/AWSBackupDefaultServiceRole' },
          tag_key: { '@@assign': 'sovereign-backup' },
          tag_value: { '@@assign': ['protected'] },
        },
      },
    },
  });
});

test('types with tags are a selection with conditions, in the partition of the regime', () => {
  const { plan: found } = plan({
    regime: PrivacyRegime.US_GOV,
    regions: ['us-gov-west-1'],
    types: [ResourceType.EC2],
    tags: { a: '1', b: '2' },
    windowsVss: true,
  });
  const text = JSON.stringify(found);
  expect(text).toContain('arn:aws-us-gov:ec2:*:*:instance/*');
  expect(text).toContain(
    '"condition_key":{"@@assign":"aws:ResourceTag/b"},"condition_value":{"@@assign":"2"}',
  );
  expect(text).toContain('"windows_vss":{"@@assign":"enabled"}');
});

test('what rules do besides, where AWS documents it', () => {
  const { plan: found } = plan({
    malwareScanRoleName: 'Scanner',
    airGappedVaultName: 'gapped',
    rules: [
      BackupRule.continuous({ index: [ResourceType.S3], malwareScan: MalwareScan.INCREMENTAL }),
      BackupRule.daily({ timeZone: TimeZone.ETC_UTC }),
    ],
  });
  expect(found).toMatchObject({
    rules: {
      continuous: {
        enable_continuous_backup: { '@@assign': 'true' },
        target_logically_air_gapped_backup_vault_arn: {
          '@@assign': 'arn:aws:backup:$region:$account:backup-vault:gapped',
        },
        index_actions: { resource_types: { '@@assign': ['S3'] } },
        scan_actions: { GUARDDUTY: { scan_mode: { '@@assign': 'INCREMENTAL_SCAN' } } },
      },
    },
    scan_settings: {
      GUARDDUTY: {
        resource_types: { '@@assign': ['ALL'] },
        scanner_role_arn: { '@@assign': 'arn:aws:iam::$account:role/Scanner' },
      },
    },
  });
  expect(JSON.stringify(found)).not.toContain('timezone');
});

test.each<[string, Partial<OrganizationBackupPolicyProps>, string]>([
  [
    'a time zone',
    { rules: [BackupRule.daily({ timeZone: TimeZone.EUROPE_BERLIN })] },
    "rule 'daily': its time zone is Europe/Berlin, schedules of an organization are in UTC",
  ],
  [
    'a scan that nobody may do',
    { rules: [BackupRule.daily({ malwareScan: MalwareScan.FULL })] },
    'give the policy a malwareScanRoleName',
  ],
  [
    'an index of what has none',
    { rules: [BackupRule.daily({ index: [ResourceType.RDS] })] },
    'indexes RDS: AWS Backup indexes S3 and EBS only',
  ],
  ['a region of another regime', { regions: ['eu-west-2'] }, 'does not belong to regime'],
  ['a copy out of the regime', { copies: ['us-east-1'] }, 'out of their regime'],
  ['a copy into itself', { copies: ['eu-central-1'] }, 'copies from eu-central-1 into the same vault'],
  ['no region', { regions: [] }, 'has no regions'],
  ['no rule', { rules: [] }, 'has no rules'],
  [
    'a rule that AWS refuses',
    { rules: [BackupRule.daily({ startWindow: Duration.minutes(30) })] },
    'at least 60 min',
  ],
  ['a target that is none', { targetIds: ['prod'] }, "targetIds has 'prod'"],
  ['a vault name that is none', { vaultName: '$' }, "vaultName is '$'"],
  ['an account that is none', { copyAccount: '1' }, "copyAccount is '1', write 12 digits"],
  [
    'more than AWS takes',
    { rules: Array.from({ length: 60 }, (_, i) => BackupRule.daily({ ruleName: `daily-${i}` })) },
    'a backup policy may have 10000',
  ],
])('refuses %s', (_name, props, message) => expect(complaint(made(props).app)).toContain(message));

test('a rule that names vaults is refused, for every member has its own', () => {
  const app = appWith();
  const vault = new RegimeVault(stackIn('eu-west-1', app, 'Other'), 'Vault');
  new OrganizationBackupPolicy(stackIn('us-east-1', app), 'Policy', {
    ...least,
    rules: [BackupRule.daily({ copies: [vault] })],
  });
  expect(complaint(app)).toContain('names vaults, which a policy for many accounts cannot');
});

test('sets of rules are what their names say', () => {
  const days = (rules: BackupRule[]) => rules.map((rule) => `${rule.ruleName} ${rule.retentionDays}`);
  expect(days(BackupRules.hourly7DaysDaily35Days())).toEqual(['hourly 7', 'daily 35']);
  expect(days(BackupRules.continuous7DaysDaily35Days())).toEqual(['continuous 7', 'daily 35']);
  expect(days(BackupRules.daily35DaysWeekly13WeeksMonthly1Year())).toEqual([
    'daily 35',
    'weekly 91',
    'monthly 366',
  ]);
  expect(days(BackupRules.daily35DaysMonthly7YearsCold())).toEqual(['daily 35', 'monthly 2562']);
  for (const rules of [
    BackupRules.continuous7DaysDaily35Days(),
    BackupRules.daily35DaysMonthly7YearsCold(),
  ]) {
    expect(complaint(made({ rules }).app)).toBe('');
  }
});
