import { CALLER, CRITICAL, call, WARNING, type Watched, type WatchedEvent } from './watched-event';

/**
 * Attempts to destroy backups or to weaken what keeps them, whether they succeeded or were denied. Seen only where
 * CloudTrail records management events; the expiry of recovery points is no call, and not among them.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/logging-using-cloudtrail.html
 */
export function deletionEvents(watched: Watched): WatchedEvent[] {
  const { vaultNames, planIds } = watched;
  return [
    {
      id: 'Destruction',
      severity: CRITICAL,
      description: 'Somebody tries to delete recovery points or a vault, or to take its lock away',
      pattern: call(
        'aws.backup',
        [
          'DeleteRecoveryPoint',
          'DisassociateRecoveryPoint',
          'UpdateRecoveryPointLifecycle',
          'DeleteBackupVault',
          'DeleteBackupVaultLockConfiguration',
          'CancelLegalHold',
        ],
        { $or: [{ requestParameters: { backupVaultName: vaultNames } }, { eventName: ['CancelLegalHold'] }] },
      ),
      sentence: `${CALLER} on vault {detail.requestParameters.backupVaultName}{detail.requestParameters.legalHoldId}. Was it you? If not, lock the caller out now.`,
    },
    {
      id: 'Weakening',
      severity: WARNING,
      description:
        'Somebody changes what keeps backups or makes them; a deployment of your own shows here, too',
      pattern: call(
        'aws.backup',
        [
          'PutBackupVaultAccessPolicy',
          'DeleteBackupVaultAccessPolicy',
          'PutBackupVaultLockConfiguration',
          'DeleteBackupVaultNotifications',
          'StopBackupJob',
          'DeleteBackupPlan',
          'DeleteBackupSelection',
          'UpdateRegionSettings',
          'UpdateGlobalSettings',
          'DeleteRestoreTestingPlan',
          'DeleteRestoreTestingSelection',
          'DeleteFramework',
          'DeleteReportPlan',
        ],
        {
          $or: [
            { requestParameters: { backupVaultName: vaultNames } },
            ...(planIds.length > 0 ? [{ requestParameters: { backupPlanId: planIds } }] : []),
            {
              requestParameters: {
                backupVaultName: [{ exists: false }],
                backupPlanId: [{ exists: false }],
              },
            },
          ],
        },
      ),
      sentence: `${CALLER}: {detail.requestParameters.backupVaultName}{detail.requestParameters.backupPlanId}{detail.requestParameters.backupJobId}.`,
    },
    ...snapshotDeletion(watched),
    ...keyEvents(watched),
  ];
}

/** AWS deletes expired snapshots by its own roles and by that of the policy: everybody else is told of. */
function snapshotDeletion({ partition, account, policyIds, expiringRoles }: Watched): WatchedEvent[] {
  if (policyIds.length === 0) return [];
  const expiring = [`arn:${partition}:iam::${account}:role/aws-service-role/`, ...expiringRoles];
  const issuer = (arn: unknown) => ({ userIdentity: { sessionContext: { sessionIssuer: { arn } } } });
  return [
    {
      id: 'SnapshotDeletion',
      severity: WARNING,
      description: 'Somebody deletes or shares snapshots, or turns their policy off',
      pattern: {
        source: ['aws.ec2', 'aws.dlm', 'aws.rbin'],
        'detail-type': ['AWS API Call via CloudTrail'],
        detail: {
          eventName: [
            'DeleteSnapshot',
            'ModifySnapshotAttribute',
            'DeleteLifecyclePolicy',
            'UpdateLifecyclePolicy',
            'DeleteRule',
            'UpdateRule',
            'UnlockRule',
          ],
          // A user has no issuer.
          $or: [issuer([{ 'anything-but': { prefix: expiring } }]), issuer([{ exists: false }])],
        },
      },
      sentence: `${CALLER}: {detail.requestParameters.snapshotId}{detail.requestParameters.policyId}{detail.requestParameters.identifier}.`,
    },
  ];
}

function keyEvents({ keyArns, keyIds }: Watched): WatchedEvent[] {
  if (keyArns.length === 0) return [];
  const ours = {
    $or: [{ requestParameters: { keyId: [...keyArns, ...keyIds] } }, { resources: { ARN: keyArns } }],
  };
  return [
    {
      id: 'KeyDeletion',
      severity: CRITICAL,
      description:
        'Somebody tries to delete or disable the key of a vault: without it, no backup can be restored',
      pattern: call('aws.kms', ['ScheduleKeyDeletion', 'DisableKey'], ours),
      sentence: `${CALLER} on the key {detail.requestParameters.keyId} of the backups. Call it off: aws kms cancel-key-deletion, then enable-key.`,
    },
    {
      id: 'KeyPolicy',
      severity: WARNING,
      description: 'Somebody changes the policy of the key of a vault: the step before its deletion',
      pattern: call('aws.kms', ['PutKeyPolicy', 'DisableKeyRotation'], ours),
      sentence: `${CALLER} on the key {detail.requestParameters.keyId} of the backups.`,
    },
    {
      id: 'KeyDeleted',
      severity: CRITICAL,
      description: 'The key of a vault is gone, and with it every backup that it encrypted',
      pattern: {
        source: ['aws.kms'],
        'detail-type': ['KMS CMK Deletion'],
        resources: keyArns,
      },
      sentence:
        'The key {resources} of the backups was deleted. What it encrypted cannot be restored any more.',
    },
  ];
}
