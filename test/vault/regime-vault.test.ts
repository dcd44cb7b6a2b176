import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Key } from 'aws-cdk-lib/aws-kms';
import { PrivacyRegime, RegimeVault, VaultLock } from 'cdk-sovereign-backup';
import { appWith, complaint, stackIn } from '../synth';

test('by default: own key, governance lock, retained, nothing deleted, nothing copied out of the regime', () => {
  const app = appWith();
  const stack = stackIn('ca-central-1', app);
  new RegimeVault(stack, 'Vault');
  const template = Template.fromStack(stack);
  template.hasResource('AWS::Backup::BackupVault', {
    DeletionPolicy: 'Retain',
    UpdateReplacePolicy: 'Retain',
    Properties: {
      LockConfiguration: {
        MinRetentionDays: 7,
        ChangeableForDays: Match.absent(),
        MaxRetentionDays: Match.absent(),
      },
      EncryptionKeyArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('VaultKey'), 'Arn'] },
    },
  });
  template.hasResource('AWS::KMS::Key', {
    DeletionPolicy: 'Retain',
    Properties: { EnableKeyRotation: true, MultiRegion: false, PendingWindowInDays: 30 },
  });
  const [vault] = Object.values(template.findResources('AWS::Backup::BackupVault'));
  const statements = vault!.Properties.AccessPolicy.Statement;
  expect(statements[0].Action).toContain('backup:DeleteRecoveryPoint');
  const copyOut = statements.filter((s: { Action: string }) => s.Action === 'backup:CopyFromBackupVault');
  expect(copyOut.map((s: { Condition: object }) => Object.keys(s.Condition)[0])).toEqual([
    'ForAllValues:ArnNotLike',
    'ForAnyValue:ArnNotLike',
  ]);
  const text = JSON.stringify(copyOut);
  expect(text).toContain(':backup:ca-central-1:111111111111:backup-vault:*');
  expect(text).toContain(':backup:ca-west-1:111111111111:backup-vault:*');
  expect(text).not.toContain('us-east-1');
  expect(complaint(app)).toBe('');
});

test('every statement of the policy is a denial, unless other accounts copy in', () => {
  const stack = stackIn('eu-west-1');
  new RegimeVault(stack, 'Alone');
  new RegimeVault(stack, 'Bunker', { copyAccounts: ['222222222222'] });
  const vaults = Template.fromStack(stack).findResources('AWS::Backup::BackupVault');
  const effects = Object.values(vaults).map((vault) =>
    vault.Properties.AccessPolicy.Statement.map((s: { Effect: string }) => s.Effect).join(),
  );
  expect(effects.sort()).toEqual(['Deny,Deny,Deny', 'Deny,Deny,Deny,Allow']);
});

test('deleting or disabling the key takes a change of its policy first', () => {
  const stack = stackIn('eu-west-1');
  new RegimeVault(stack, 'Vault');
  Template.fromStack(stack).hasResourceProperties('AWS::KMS::Key', {
    KeyPolicy: {
      Statement: Match.arrayWith([
        Match.objectLike({ Effect: 'Deny', Action: ['kms:ScheduleKeyDeletion', 'kms:DisableKey'] }),
      ]),
    },
  });
});

test('a compliance lock needs its long name, and has a cooling-off time', () => {
  const stack = stackIn('eu-west-1');
  new RegimeVault(stack, 'Vault', { vaultLock: VaultLock.irreversibleComplianceNobodyCanRemove() });
  Template.fromStack(stack).hasResourceProperties('AWS::Backup::BackupVault', {
    LockConfiguration: { ChangeableForDays: 14, MinRetentionDays: 7 },
  });
});

test('a vault that is to be destroyed can be', () => {
  const stack = stackIn('eu-west-1');
  new RegimeVault(stack, 'Vault', { removalPolicy: RemovalPolicy.DESTROY, vaultLock: VaultLock.none() });
  const template = Template.fromStack(stack);
  template.hasResource('AWS::Backup::BackupVault', {
    DeletionPolicy: 'Delete',
    Properties: { LockConfiguration: Match.absent() },
  });
  expect(JSON.stringify(template.toJSON())).not.toContain('backup:DeleteBackupVault');
});

test.each([
  ['aws', 'eu-central-1'],
  ['aws-us-gov', 'us-gov-west-1'],
  ['aws-cn', 'cn-north-1'],
  ['aws-eusc', 'eusc-de-east-1'],
])('works in partition %s', (_, region) => {
  const app = appWith({ '@aws-cdk/core:enablePartitionLiterals': true });
  new RegimeVault(stackIn(region, app), 'Vault');
  expect(complaint(app)).toBe('');
});

describe('refuses', () => {
  test('a region of another regime', () => {
    const app = appWith();
    new RegimeVault(stackIn('eu-west-2', app), 'Vault', { regime: PrivacyRegime.EU });
    expect(complaint(app)).toMatch(
      /\[Stack\/Vault\] a vault of 'eu': region eu-west-2 \(regime uk\) does not belong/,
    );
  });
  test('a region that nobody knows, or knows yet', () => {
    const app = appWith();
    new RegimeVault(stackIn('eu-west-7', app, 'Typo'), 'Vault');
    new RegimeVault(stackIn(undefined, app, 'Agnostic'), 'Vault');
    const message = complaint(app);
    expect(message).toMatch(/\[Typo\/Vault\] a vault's region 'eu-west-7' is not a region of the catalogue/);
    expect(message).toMatch(/\[Agnostic\/Vault\] a vault's region is known only at deployment/);
  });
  test('a key of another region', () => {
    const app = appWith();
    const key = new Key(stackIn('us-east-1', app, 'Keys'), 'Key');
    new RegimeVault(stackIn('eu-west-1', app), 'Vault', { encryptionKey: key });
    expect(complaint(app)).toMatch(/encryptionKey is in us-east-1 and the vault in eu-west-1/);
  });
  test('impossible locks and names', () => {
    const app = appWith();
    const stack = stackIn('eu-west-1', app);
    RegimeVault.fromAttributes(stack, 'Theirs', { vaultName: 'x y', region: 'eu-west-1', account: 'acme' });
    new RegimeVault(stack, 'A', {
      vaultName: 'no spaces',
      vaultLock: VaultLock.irreversibleComplianceNobodyCanRemove({
        minRetention: Duration.days(10),
        maxRetention: Duration.days(5),
        coolingOff: Duration.days(1),
      }),
    });
    const message = complaint(app);
    expect(message).toContain("vaultName is 'no spaces'");
    expect(message).toContain("[Stack/Theirs] vaultName is 'x y'");
    expect(message).toContain("[Stack/Theirs] account has 'acme': write an account as 12 digits");
    expect(message).toContain('maxRetention (5 days) is shorter than minRetention (10 days)');
    expect(message).toContain('coolingOff is 1 days');
  });
});

test('names differ for two vaults of a stack, and stay the same between syntheses', () => {
  const names = () => {
    const stack = stackIn('eu-west-1');
    return [new RegimeVault(stack, 'A').vaultName, new RegimeVault(stack, 'B').vaultName];
  };
  const [a, b] = names();
  expect(a).not.toBe(b);
  expect(names()).toEqual([a, b]);
});
