import { Template } from 'aws-cdk-lib/assertions';
import { WatchSeverity } from 'cdk-sovereign-backup';
import { appWith } from '../synth';
import { everything } from './everything';
import { matches } from './pattern';
import * as samples from './samples';

describe('events', () => {
  const { stack, plan, snapshots, vault } = everything(appWith(), 'eu-central-1', {
    lowestSeverity: WatchSeverity.INFO,
  });
  const template = Template.fromStack(stack);
  // What the tokens of the template stand for, once deployed.
  const ids = {
    plan: stack.getLogicalId(plan.node.defaultChild as never),
    policy: stack.getLogicalId(snapshots.node.defaultChild as never),
    key: stack.getLogicalId(
      (vault.encryptionKey as never as { node: { defaultChild: never } }).node.defaultChild,
    ),
  };
  const arns = {
    plan: 'arn:aws:backup:eu-central-1:111111111111:backup-plan:p',
    policy: 'arn:aws:dlm:eu-central-1:111111111111:policy/policy-1',
    key: 'arn:aws:kms:eu-central-1:111111111111:key/k',
    role: 'arn:aws:iam::111111111111:role/Snapshots',
  };
  const deployed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(deployed);
    if (typeof value !== 'object' || value === null) return value;
    const { Ref, 'Fn::GetAtt': at, 'Fn::Join': join } = value as Record<string, never>;
    if (Ref)
      return (
        { [ids.plan]: 'p', [ids.key]: 'k', [ids.policy]: 'policy-1', 'AWS::Partition': 'aws' }[Ref] ?? Ref
      );
    if (at) {
      const [id, attribute] = at as [string, string];
      if (id === ids.plan) return attribute === 'BackupPlanArn' ? arns.plan : 'p';
      if (id === ids.policy) return arns.policy;
      if (id === ids.key) return arns.key;
      if (attribute === 'BackupVaultArn') return 'arn:aws:backup:eu-central-1:111111111111:backup-vault:ours';
      if (/Role/.test(id)) return arns.role;
      if (/TopicKey/.test(id)) return 'arn:aws:kms:eu-central-1:111111111111:key/topic';
      throw new Error(`${id}.${attribute} has no stand-in`);
    }
    if (join) return (join as [string, unknown[]])[1].map(deployed).join((join as [string])[0]);
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, deployed(inner)]));
  };
  const rules = Object.entries(template.findResources('AWS::Events::Rule'))
    .filter(
      ([id, { Properties }]) =>
        id.startsWith('Watch') && !id.startsWith('WatchResidency') && Properties.EventPattern,
    )
    .map(([id, { Properties }]) => ({
      id: id.slice('Watch'.length, -8),
      pattern: deployed(Properties.EventPattern) as Record<string, unknown>,
      raw: Properties,
    }));
  const told = (event: object) =>
    rules.filter(({ pattern }) => matches(pattern, event as never)).map(({ id }) => id);

  it.each<[string, object, string[]]>([
    ['a job failed', samples.backupJob('FAILED', { statusMessage: 'no' }), ['BackupFailed']],
    ['a job expired', samples.backupJob('EXPIRED'), ['BackupFailed']],
    ['a job was stopped', samples.backupJob('ABORTED'), ['BackupFailed']],
    ['a job is partial', samples.backupJob('PARTIAL'), ['BackupFailed']],
    [
      'it says status instead',
      samples.backupJob('', { state: undefined, status: 'FAILED' }),
      ['BackupFailed'],
    ],
    ['a job runs', samples.backupJob('RUNNING'), []],
    ['a job is done', samples.backupJob('COMPLETED'), []],
    ['a job is done, with an empty message', samples.backupJob('COMPLETED', { statusMessage: '' }), []],
    [
      'a job is done with issues',
      samples.backupJob('COMPLETED', { statusMessage: 'VSS' }),
      ['BackupWithIssues'],
    ],
    ['a job of another vault', samples.backupJob('FAILED', { backupVaultName: 'theirs' }), []],
    ['a copy failed', samples.copyJob('FAILED', { statusMessage: 'Access denied' }), ['CopyFailed']],
    ['a copy is done', samples.copyJob('COMPLETED'), []],
    [
      'a copy of others failed',
      samples.copyJob('FAILED', {
        sourceBackupVaultArn: 'arn:aws:backup:eu-central-1:111111111111:backup-vault:x',
      }),
      [],
    ],
    ['a restore failed', samples.restoreJob('FAILED'), ['RestoreFailed']],
    ['a restore is done', samples.restoreJob('COMPLETED'), []],
    ['a drill failed', samples.restoreJob('FAILED', samples.drill), ['DrillFailed']],
    [
      'a drill was judged bad',
      samples.restoreJob('COMPLETED', { ...samples.drill, validationStatus: 'FAILED' }),
      ['DrillFailed'],
    ],
    [
      'nobody judged a drill',
      samples.restoreJob('COMPLETED', { ...samples.drill, validationStatus: 'TIMED_OUT' }),
      ['DrillFailed'],
    ],
    [
      'a drill was judged good',
      samples.restoreJob('COMPLETED', { ...samples.drill, validationStatus: 'SUCCESSFUL' }),
      [],
    ],
    ['a recovery point is partial', samples.recoveryPoint('PARTIAL'), ['RecoveryPointTrouble']],
    ['one cannot be deleted', samples.recoveryPoint('EXPIRED'), ['RecoveryPointTrouble']],
    ['a continuous one stopped', samples.recoveryPoint('STOPPED'), ['RecoveryPointTrouble']],
    ['one is complete', samples.recoveryPoint('COMPLETED'), []],
    ['malware', samples.scan('COMPLETED', 'THREATS_FOUND'), ['MalwareFound']],
    ['no malware', samples.scan('COMPLETED', 'NO_THREATS_FOUND'), []],
    ['a scan failed', samples.scan('FAILED'), ['ScanFailed']],
    ['an index failed', samples.indexing('FAILED'), ['ScanFailed']],
    ['an index is there', samples.indexing('ACTIVE'), []],
    ['our vault is gone', samples.vaultChange('DELETED'), ['VaultDeleted']],
    ['our vault was changed', samples.vaultChange('MODIFIED'), ['VaultChanged']],
    ['their vault is gone', samples.vaultChange('DELETED', 'theirs'), []],
    ['our plan is gone', samples.planChange('DELETED', arns.plan), ['PlanDeleted']],
    ['our plan was changed', samples.planChange('MODIFIED', arns.plan), ['PlanChanged']],
    ['their plan is gone', samples.planChange('DELETED', `${arns.plan}2`), []],
    ['the opt-in was changed', samples.regionSettings, ['RegionSettings']],
    ['our policy is in error', samples.policyState('policy-1'), ['SnapshotPolicyError']],
    ['their policy is in error', samples.policyState('policy-2'), []],
    ['a script failed', samples.script('policy-1', 'failed'), ['SnapshotScriptFailed']],
    ['a script did its work', samples.script('policy-1', 'success'), []],
    ['a snapshot failed', samples.snapshot('createSnapshot', 'failed'), ['SnapshotFailed']],
    ['a copy of one failed', samples.snapshot('copySnapshot', 'failed'), ['SnapshotFailed']],
    ['a snapshot was made', samples.snapshot('createSnapshot', 'succeeded'), []],
    ['several failed together', samples.multiVolume('failed'), ['SnapshotFailed']],
    ['several were made together', samples.multiVolume('succeeded'), []],
  ])('%s', (_, event, rule) => {
    expect(told(event)).toEqual(rule);
  });

  const inOurs = { backupVaultName: 'ours', recoveryPointArn: 'arn:aws:ec2:eu-central-1::snapshot/snap-1' };
  it.each<[string, object, string[]]>([
    ['delete a recovery point', samples.call('backup', 'DeleteRecoveryPoint', inOurs), ['Destruction']],
    [
      'be denied to',
      samples.call('backup', 'DeleteRecoveryPoint', inOurs, { errorCode: 'AccessDenied' }),
      ['Destruction'],
    ],
    ['delete theirs', samples.call('backup', 'DeleteRecoveryPoint', { backupVaultName: 'theirs' }), []],
    ['delete the vault', samples.call('backup', 'DeleteBackupVault', inOurs), ['Destruction']],
    [
      'take its lock away',
      samples.call('backup', 'DeleteBackupVaultLockConfiguration', inOurs),
      ['Destruction'],
    ],
    ['cancel a legal hold', samples.call('backup', 'CancelLegalHold', { legalHoldId: 'h' }), ['Destruction']],
    ['put a policy', samples.call('backup', 'PutBackupVaultAccessPolicy', inOurs), ['Weakening']],
    ['stop a job', samples.call('backup', 'StopBackupJob', { backupJobId: 'j' }), ['Weakening']],
    ['delete our plan', samples.call('backup', 'DeleteBackupPlan', { backupPlanId: 'p' }), ['Weakening']],
    [
      'delete our selection',
      samples.call('backup', 'DeleteBackupSelection', { backupPlanId: 'p', selectionId: 's' }),
      ['Weakening'],
    ],
    ['delete their plan', samples.call('backup', 'DeleteBackupPlan', { backupPlanId: 'q' }), []],
    ['opt out', samples.call('backup', 'UpdateRegionSettings', {}), ['Weakening']],
    ['look', samples.call('backup', 'ListBackupVaults', null), []],
    [
      'delete a snapshot',
      samples.call('ec2', 'DeleteSnapshot', { snapshotId: 'snap-1' }),
      ['SnapshotDeletion'],
    ],
    [
      'delete one as an administrator',
      samples.call('ec2', 'DeleteSnapshot', {}, samples.bySession('arn:aws:iam::111111111111:role/Admin')),
      ['SnapshotDeletion'],
    ],
    ['expire one by the policy', samples.call('ec2', 'DeleteSnapshot', {}, samples.bySession(arns.role)), []],
    [
      'expire one by AWS Backup',
      samples.call(
        'ec2',
        'DeleteSnapshot',
        {},
        samples.bySession(
          'arn:aws:iam::111111111111:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup',
        ),
      ),
      [],
    ],
    ['share one', samples.call('ec2', 'ModifySnapshotAttribute', {}), ['SnapshotDeletion']],
    ['empty the recycle bin', samples.call('rbin', 'DeleteRule', { identifier: 'r' }), ['SnapshotDeletion']],
    ['delete the key by id', samples.call('kms', 'ScheduleKeyDeletion', { keyId: 'k' }), ['KeyDeletion']],
    [
      'delete the key by ARN',
      samples.call('kms', 'ScheduleKeyDeletion', { keyId: arns.key }),
      ['KeyDeletion'],
    ],
    [
      'disable the key by an alias',
      samples.call(
        'kms',
        'DisableKey',
        { keyId: 'alias/a' },
        { resources: [{ ARN: arns.key, type: 'AWS::KMS::Key' }] },
      ),
      ['KeyDeletion'],
    ],
    ['delete another key', samples.call('kms', 'ScheduleKeyDeletion', { keyId: 'other' }), []],
    ['put a policy on the key', samples.call('kms', 'PutKeyPolicy', { keyId: 'k' }), ['KeyPolicy']],
    ['use the key', samples.call('kms', 'Decrypt', { keyId: 'k' }), []],
    [
      'disable the key of the topic',
      samples.call('kms', 'DisableKey', { keyId: 'arn:aws:kms:eu-central-1:111111111111:key/topic' }),
      ['KeyDeletion'],
    ],
    ['have lost the key', samples.keyDeleted(arns.key), ['KeyDeleted']],
  ])('to %s', (_, event, rule) => {
    expect(told(event)).toEqual(rule);
  });

  it('fit into what EventBridge takes, and are told as sentences', () => {
    expect(rules.length).toBeGreaterThan(20);
    for (const { id, pattern, raw } of rules) {
      expect([id, JSON.stringify(pattern).length]).toEqual([id, expect.any(Number)]);
      expect(JSON.stringify(pattern).length).toBeLessThan(2_048);
      const [{ InputTransformer }] = raw.Targets;
      const paths = Object.entries(InputTransformer.InputPathsMap as Record<string, string>);
      expect(InputTransformer.InputTemplate).toMatch(/^"(CRITICAL|WARNING|INFO): backups of eu in </);
      for (const [name, path] of paths) {
        expect(path).toMatch(/^\$\.(region|account|resources|detail\.[\w.-]+)$/);
        expect(InputTransformer.InputTemplate).toContain(`<${name}>`);
      }
      expect(InputTransformer.InputTemplate).not.toMatch(/[{}]/);
    }
  });
});
