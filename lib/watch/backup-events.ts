import { CRITICAL, INFO, inState, WARNING, type Watched, type WatchedEvent } from './watched-event';

const backup = (detailType: string | string[], detail: Readonly<Record<string, unknown>>) => ({
  source: ['aws.backup'],
  'detail-type': [detailType].flat(),
  detail,
});

/** Neither missing nor empty. */
const something = [{ 'anything-but': [''] }];

/**
 * What AWS Backup itself tells of, best effort and up to five minutes late.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html
 */
export function backupEvents({ vaultNames, vaultArns, planArns }: Watched): WatchedEvent[] {
  const ours = { backupVaultName: vaultNames };
  return [
    {
      id: 'BackupFailed',
      severity: WARNING,
      description: 'A backup job failed, did not start in time, was stopped, or is partial',
      pattern: backup('Backup Job State Change', inState(['FAILED', 'EXPIRED', 'ABORTED', 'PARTIAL'], ours)),
      sentence:
        'Backup of {detail.resourceType} {detail.resourceArn} is {detail.state}: {detail.statusMessage} (job {detail.backupJobId}).',
    },
    {
      id: 'BackupWithIssues',
      severity: WARNING,
      description: 'A backup job was completed, but not as asked: without VSS, without some files',
      pattern: backup(
        'Backup Job State Change',
        inState(['COMPLETED'], { ...ours, statusMessage: something }),
      ),
      sentence:
        'Backup of {detail.resourceType} {detail.resourceArn} was completed with issues: {detail.statusMessage} (job {detail.backupJobId}).',
    },
    {
      id: 'CopyFailed',
      severity: WARNING,
      description: 'A copy failed',
      pattern: backup('Copy Job State Change', {
        $or: ['state', 'status'].flatMap((state) =>
          ['sourceBackupVaultArn', 'destinationBackupVaultArn'].map((vault) => ({
            [state]: ['FAILED'],
            [vault]: vaultArns,
          })),
        ),
      }),
      sentence:
        'Copy of {detail.resourceArn} to {detail.destinationBackupVaultArn} failed: {detail.statusMessage} (job {detail.copyJobId}).',
    },
    {
      id: 'RestoreFailed',
      severity: WARNING,
      description: 'A restore that somebody started failed',
      pattern: backup(
        'Restore Job State Change',
        inState(['FAILED', 'ABORTED'], { restoreTestingPlanArn: [{ exists: false }] }),
      ),
      sentence:
        'Restore of {detail.resourceType} from {detail.recoveryPointArn} is {detail.status}: {detail.statusMessage} (job {detail.restoreJobId}).',
    },
    {
      id: 'DrillFailed',
      severity: CRITICAL,
      description: 'A restore test failed, or what it restored is no good',
      pattern: backup('Restore Job State Change', {
        restoreTestingPlanArn: [{ exists: true }],
        $or: [
          { status: ['FAILED', 'ABORTED'] },
          { state: ['FAILED', 'ABORTED'] },
          { validationStatus: ['FAILED', 'TIMED_OUT'] },
        ],
      }),
      sentence:
        'The restore test of {detail.resourceType} {detail.sourceResourceArn} failed: {detail.statusMessage} {detail.validationStatusMessage} (job {detail.restoreJobId}).',
    },
    {
      id: 'RecoveryPointTrouble',
      severity: WARNING,
      description:
        'A recovery point is partial, cannot be deleted at its end, or its continuous backup stopped',
      pattern: backup('Recovery Point State Change', inState(['PARTIAL', 'EXPIRED', 'STOPPED'], ours)),
      sentence:
        'A recovery point of {detail.resourceType} {detail.resourceArn} in vault {detail.backupVaultName} is {detail.status}.',
    },
    {
      id: 'MalwareFound',
      severity: CRITICAL,
      description: 'A recovery point has malware in it',
      pattern: backup('Scan Job State Change', {
        ...ours,
        scanResult: { scanResultStatus: ['THREATS_FOUND'] },
      }),
      sentence:
        'The recovery point {detail.recoveryPointArn} of {detail.resourceArn} has malware in it. Restore an older one.',
    },
    {
      id: 'ScanFailed',
      severity: WARNING,
      description: 'A recovery point could not be looked through, for malware or for its index',
      pattern: backup(['Scan Job State Change', 'Recovery Point Index State Change'], {
        $or: [
          { backupVaultName: vaultNames, state: ['FAILED', 'CANCELED', 'COMPLETED_WITH_ISSUES'] },
          { indexStatus: ['FAILED'] },
        ],
      }),
      sentence:
        'The recovery point {detail.recoveryPointArn} could not be looked through: {detail.statusMessage}{detail.indexStatusMessage}.',
    },
    {
      id: 'VaultDeleted',
      severity: CRITICAL,
      description: 'A vault was deleted',
      pattern: backup('Backup Vault State Change', inState(['DELETED'], ours)),
      sentence: 'The backup vault {detail.backupVaultName} was deleted.',
    },
    {
      id: 'RegionSettings',
      severity: WARNING,
      description: 'The types of resources that AWS Backup takes in this region were changed',
      pattern: backup('Region Setting State Change', { modifiedAt: [{ exists: true }] }),
      sentence:
        'The opt-in settings of AWS Backup were changed to {detail.ResourceTypeOptInPreference}: selections by tag alone obey them.',
    },
    {
      id: 'VaultChanged',
      severity: INFO,
      description: 'A vault was made, locked, unlocked or given another policy',
      pattern: backup('Backup Vault State Change', inState(['CREATED', 'MODIFIED'], ours)),
      sentence: 'The backup vault {detail.backupVaultName} is {detail.state}, locked: {detail.isLocked}.',
    },
    ...planEvents(planArns),
  ];
}

function planEvents(planArns: readonly string[]): WatchedEvent[] {
  if (planArns.length === 0) return [];
  const change = (state: string) => ({
    ...backup('Backup Plan State Change', inState([state])),
    resources: planArns,
  });
  return [
    {
      id: 'PlanDeleted',
      severity: CRITICAL,
      description: 'A backup plan was deleted',
      pattern: change('DELETED'),
      sentence: 'The backup plan {detail.backupPlanId} was deleted: nothing is backed up by it any more.',
    },
    {
      id: 'PlanChanged',
      severity: INFO,
      description: 'A backup plan was changed',
      pattern: change('MODIFIED'),
      sentence: 'The backup plan {detail.backupPlanId} was changed, to version {detail.versionId}.',
    },
  ];
}
