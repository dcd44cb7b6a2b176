import { Duration, Token } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Key } from 'aws-cdk-lib/aws-kms';
import {
  AirGappedVault,
  BackupRule,
  LegalHold,
  RegimeBackupPlan,
  RegimeVault,
  ResourceType,
  VaultLock,
} from 'cdk-sovereign-backup';
import { appWith, complaint, stackIn } from '../synth';

const kept = { irreversibleMinRetention: Duration.days(7), irreversibleMaxRetention: Duration.days(90) };

test('a second copy in a regime of one region, shared inside the organization, retained', () => {
  const app = appWith();
  const stack = stackIn('eu-west-2', app);
  const vault = new RegimeVault(stack, 'Vault');
  const gapped = new AirGappedVault(stack, 'Gapped', { ...kept, restoreAccounts: ['222222222222'] });
  new RegimeBackupPlan(stack, 'Plan', { vault, copies: [gapped] });
  const template = Template.fromStack(stack);
  template.hasResource('AWS::Backup::LogicallyAirGappedBackupVault', {
    DeletionPolicy: 'Retain',
    Properties: {
      MinRetentionDays: 7,
      MaxRetentionDays: 90,
      AccessPolicy: {
        Statement: [Match.objectLike({ Effect: 'Deny' }), Match.objectLike({ Effect: 'Deny' })],
      },
    },
  });
  template.hasResourceProperties('AWS::RAM::ResourceShare', {
    AllowExternalPrincipals: false,
    Principals: ['222222222222'],
  });
  template.hasResourceProperties('AWS::Backup::BackupPlan', {
    BackupPlan: {
      BackupPlanRule: Match.arrayWith([
        Match.objectLike({
          CopyActions: [
            Match.objectLike({
              DestinationBackupVaultArn: {
                'Fn::GetAtt': [Match.stringLikeRegexp('Gapped'), 'BackupVaultArn'],
              },
            }),
          ],
        }),
      ]),
    },
  });
  expect(complaint(app)).toBe('');
});

test('backs up straight into it, within its lock', () => {
  const app = appWith();
  const stack = stackIn('eu-west-2', app);
  const airGappedVault = new AirGappedVault(stack, 'Gapped', kept);
  const vault = new RegimeVault(stack, 'Vault');
  new RegimeBackupPlan(stack, 'Plan', { vault, rules: [BackupRule.daily({ airGappedVault })] });
  Template.fromStack(stack).hasResourceProperties('AWS::Backup::BackupPlan', {
    BackupPlan: {
      BackupPlanRule: [Match.objectLike({ TargetLogicallyAirGappedBackupVaultArn: Match.anyValue() })],
    },
  });
});

test('refuses what it cannot be', () => {
  const app = appWith();
  const stack = stackIn('eu-west-2', app);
  const far = new AirGappedVault(stackIn('eu-west-1', app, 'Far'), 'Gapped', kept);
  new AirGappedVault(stack, 'Short', {
    irreversibleMinRetention: Duration.days(5),
    irreversibleMaxRetention: Duration.days(3),
    vaultName: 'x y',
    encryptionKey: new Key(stackIn('us-east-1', app, 'Us'), 'Key'),
  });
  const rules = [BackupRule.monthly({ airGappedVault: far })];
  new RegimeBackupPlan(stack, 'Plan', { vault: new RegimeVault(stack, 'Vault'), rules });
  const message = complaint(app);
  for (const part of [
    'irreversibleMinRetention is 5 days, an air-gapped vault wants at least 7',
    'irreversibleMaxRetention (3 days) is shorter',
    "vaultName is 'x y'",
    'encryptionKey is in us-east-1',
    "rule 'monthly': its air-gapped vault is in eu-west-1 and the plan in eu-west-2",
    'keeps for 366 days',
  ]) {
    expect(message).toContain(part);
  }
});

test('a rule takes only an air-gapped vault of its own account for it, and a plan takes none as its own', () => {
  const app = appWith();
  const stack = stackIn('eu-west-2', app);
  const vault = new RegimeVault(stack, 'Vault');
  const elsewhere = RegimeVault.fromAttributes(stack, 'Elsewhere', {
    vaultName: 'gapped',
    region: 'eu-west-2',
    account: '222222222222',
    airGapped: true,
  });
  const rules = [
    BackupRule.daily({ airGappedVault: new RegimeVault(stack, 'Plain') }),
    BackupRule.weekly({ airGappedVault: elsewhere }),
  ];
  new RegimeBackupPlan(stack, 'Plan', { vault, rules });
  new RegimeBackupPlan(stack, 'Straight', { vault: new AirGappedVault(stack, 'Gapped', kept) });
  new RegimeBackupPlan(stack, 'Theirs', { vault: elsewhere });
  const message = complaint(app);
  for (const part of [
    /\[Stack\/Plan\] rule 'daily': its airGappedVault Stack-Plain-\w+ is an ordinary vault: make an AirGappedVault/,
    /rule 'weekly': its air-gapped vault is in account 222222222222 and the plan in 111111111111/,
    /\[Stack\/Straight\] its vault is air-gapped: give an ordinary one/,
    /\[Stack\/Theirs\] its vault is in account 222222222222 and the plan in 111111111111/,
  ]) {
    expect(message).toMatch(part);
  }
});

test('objectives count it only for types that get there', () => {
  const app = appWith();
  const stack = stackIn('eu-west-2', app);
  const airGappedVault = new AirGappedVault(stack, 'Gapped', kept);
  const vault = new RegimeVault(stack, 'Vault');
  const plan = new RegimeBackupPlan(stack, 'Plan', { vault, rules: [BackupRule.daily({ airGappedVault })] });
  plan.requireObjective(ResourceType.EFS, { immutable: true });
  plan.requireObjective(ResourceType.REDSHIFT, { immutable: true });
  const message = complaint(app);
  expect(message).toMatch(/\[Stack\/Plan\] Redshift: /);
  expect(message).not.toContain('EFS: ');
});

test('durations that are settled at deployment, and accounts that are none, are refused by name', () => {
  const app = appWith();
  const stack = stackIn('eu-west-2', app);
  const days = Duration.days(Token.asNumber({ Ref: 'Days' }));
  new AirGappedVault(stack, 'Gapped', {
    irreversibleMinRetention: days,
    irreversibleMaxRetention: Duration.days(40_000),
    copyAccounts: ['acme'],
    restoreAccounts: ['12'],
  });
  new RegimeVault(stack, 'Vault', { copyAccounts: Token.asList({ Ref: 'Accounts' }) });
  const message = complaint(app);
  for (const part of [
    'irreversibleMinRetention is known only at deployment',
    'keeps for 7 to 40000 days: write whole days, and at most 36500',
    "copyAccounts has 'acme': write an account as 12 digits",
    "restoreAccounts has '12'",
    '[Stack/Vault] copyAccounts is a list that is known only at deployment: name each account',
  ]) {
    expect(message).toContain(part);
  }
  expect(message).not.toMatch(/e\+\d/);
  expect(() => BackupRule.daily({ retention: days })).toThrow(
    "rule 'daily': retention is known only at deployment",
  );
  expect(() => VaultLock.governance({ minRetention: days })).toThrow(
    'vault lock: minRetention is known only',
  );
});

describe('a legal hold', () => {
  test('keeps the recovery points of a vault, and itself', () => {
    const stack = stackIn('us-east-1');
    const vault = new RegimeVault(stack, 'Vault', { vaultName: 'acme-eu' });
    new LegalHold(stack, 'Hold', {
      title: 'Case 7',
      description: 'Asked for by the general counsel',
      fromDay: '2026-01-01',
      toDay: '2026-06-30',
      vaults: [vault],
    });
    Template.fromStack(stack).hasResource('AWS::Backup::LegalHold', {
      DeletionPolicy: 'Retain',
      Properties: {
        RecoveryPointSelection: {
          VaultNames: ['acme-eu'],
          DateRange: { FromDate: '2026-01-01T00:00:00Z', ToDate: '2026-06-30T23:59:59Z' },
        },
      },
    });
  });
  test('refuses days that are none, in the wrong order, and empty lists', () => {
    const app = appWith();
    const stack = stackIn('eu-west-1', app);
    const base = { title: 't', description: 'd' };
    new LegalHold(stack, 'A', { ...base, fromDay: 'June', toDay: '2026-02-30' });
    const far = RegimeVault.fromAttributes(stack, 'Far', {
      vaultName: 'far',
      region: 'eu-west-3',
      account: '222222222222',
    });
    new LegalHold(stack, 'C', { ...base, fromDay: '2026-01-01', toDay: '2026-01-02', vaults: [far] });
    new LegalHold(stack, 'D', { title: ' ', description: '', fromDay: '2026-01-01', toDay: '2026-01-02' });
    new LegalHold(stack, 'B', { ...base, fromDay: '2026-06-01', toDay: '2026-01-01', vaults: [] });
    const message = complaint(app);
    expect(message).toContain("fromDay is 'June'");
    expect(message).toContain("toDay is '2026-02-30'");
    expect(message).toContain('is before fromDay');
    expect(message).toContain('holds an empty list');
    expect(message).toContain('title is empty');
    expect(message).toContain('description is empty');
    expect(message).toContain('the vault far is in region eu-west-3 and the hold in eu-west-1');
    expect(message).toContain('the vault far is in account 222222222222 and the hold in 111111111111');
  });
});
