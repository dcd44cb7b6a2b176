// Events as AWS documents them, of our vault, plan, policy and key.
// AWS Backup: https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html
// Lifecycle Manager: https://docs.aws.amazon.com/ebs/latest/userguide/monitor-cloudwatch-events.html
// EBS: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html
// CloudTrail: https://docs.aws.amazon.com/aws-backup/latest/devguide/logging-using-cloudtrail.html
export const account = '111111111111';
const region = 'eu-central-1';

type Detail = Record<string, unknown>;

const event = (source: string, detailType: string, detail: Detail, resources: string[] = []) => ({
  version: '0',
  id: '710b0398-d48e-f3c3-afca-cfeb2fdaa656',
  'detail-type': detailType,
  source,
  account,
  time: '2026-11-25T20:15:26Z',
  region,
  resources,
  detail,
});

const vault = (name: string) => ({
  backupVaultName: name,
  backupVaultArn: `arn:aws:backup:${region}:${account}:backup-vault:${name}`,
});
const createdBy = {
  backupPlanId: 'bde0f455-4e24-4668-aeaa-4932a97f5cc5',
  backupPlanArn: `arn:aws:backup:${region}:${account}:backup-plan:bde0f455-4e24-4668-aeaa-4932a97f5cc5`,
  backupPlanVersion: 'YTkzNmM0MmUtMWRhNS00Y2RkLThmZGUtNjA5NTc4NGM1YTc5',
  backupPlanRuleId: '1f97bafa-14d6-4f39-94fd-94b51bd6d0d5',
};

export const backupJob = (state: string, more: Detail = {}) =>
  event('aws.backup', 'Backup Job State Change', {
    backupJobId: '34176239-e96d-4e1d-9fad-529dbb3c3556',
    ...vault('ours'),
    bytesTransferred: '0',
    creationDate: '2026-11-25T20:13:07.392Z',
    iamRoleArn: `arn:aws:iam::${account}:role/Backup`,
    resourceArn: `arn:aws:ec2:${region}:${account}:volume/vol-0b5ae24f2ee72d926`,
    resourceType: 'EBS',
    state,
    startBy: '2026-11-26T04:13:07.392Z',
    percentDone: 0,
    createdBy,
    ...more,
  });

export const copyJob = (state: string, more: Detail = {}) =>
  event(
    'aws.backup',
    'Copy Job State Change',
    {
      copyJobId: '47C8EF56-74D8-059D-1301-C5BE1D5C926E',
      backupSizeInBytes: 22548578304,
      creationDate: '2026-11-25T20:36:13.239Z',
      iamRoleArn: `arn:aws:iam::${account}:role/Backup`,
      resourceArn: `arn:aws:ec2:${region}:${account}:instance/i-0515aee7de03f58e1`,
      resourceType: 'EC2',
      sourceBackupVaultArn: vault('ours').backupVaultArn,
      state,
      destinationBackupVaultArn: `arn:aws:backup:eu-west-1:${account}:backup-vault:copies`,
      destinationRecoveryPointArn: {},
      ...more,
    },
    ['arn:aws:ec2:eu-central-1::image/ami-00179b33a7a88cac5'],
  );

export const restoreJob = (status: string, more: Detail = {}) =>
  event('aws.backup', 'Restore Job State Change', {
    restoreJobId: '1B234A56-789B-01CD-2A34-4567A08901FD',
    backupSizeInBytes: '22548578304',
    creationDate: '2026-11-25T20:19:07.303Z',
    iamRoleArn: `arn:aws:iam::${account}:role/Restore`,
    percentDone: 0,
    resourceType: 'EC2',
    status,
    ...more,
  });

export const drill = {
  restoreTestingPlanArn: `arn:aws:backup:${region}:${account}:restore-testing-plan:weekly-1`,
};

export const recoveryPoint = (status: string, more: Detail = {}) =>
  event('aws.backup', 'Recovery Point State Change', {
    ...vault('ours'),
    creationDate: '2026-11-25T21:38:31.152Z',
    resourceType: 'Aurora',
    resourceArn: `arn:aws:rds:${region}:${account}:cluster:id`,
    status,
    isEncrypted: 'true',
    storageClass: 'WARM',
    createdBy,
    lifecycle: { deleteAfterDays: 100 },
    ...more,
  });

export const vaultChange = (state: string, backupVaultName = 'ours') =>
  event('aws.backup', 'Backup Vault State Change', { backupVaultName, state, isLocked: 'true' });

export const planChange = (state: string, arn: string) =>
  event('aws.backup', 'Backup Plan State Change', { backupPlanId: 'p', versionId: 'v', state }, [arn]);

export const regionSettings = event('aws.backup', 'Region Setting State Change', {
  modifiedAt: '2026-11-25T22:54:57.161Z',
  ResourceTypeOptInPreference: { Aurora: false },
  state: 'MODIFIED',
});

export const indexing = (indexStatus: string) =>
  event('aws.backup', 'Recovery Point Index State Change', {
    recoveryPointArn: `arn:aws:backup:${region}:${account}:recovery-point:abcd1234`,
    accountId: account,
    indexStatus,
    resourceType: 'EBS',
    backupVaultArn: `arn:aws:cryo:${region}:${account}:pod/backup-pod-12345`,
  });

export const scan = (state: string, scanResultStatus?: string) =>
  event('aws.backup', 'Scan Job State Change', {
    accountId: account,
    ...vault('ours'),
    malwareScanner: 'GUARDDUTY',
    ...(scanResultStatus ? { scanResult: { scanResultStatus } } : {}),
    state,
  });

const policyArn = (id: string) => `arn:aws:dlm:${region}:${account}:policy/${id}`;

export const policyState = (id: string, state = 'ERROR') =>
  event(
    'aws.dlm',
    'DLM Policy State Change',
    { state, cause: 'Role provided does not have sufficient permissions', policy_id: policyArn(id) },
    [policyArn(id)],
  );

export const script = (id: string, result: string) =>
  event(
    'aws.dlm',
    'DLM Pre Post Script Notification',
    {
      script_stage: '',
      result,
      cause: '',
      policy_id: policyArn(id),
      execution_handler: 'AWS_VSS_BACKUP',
      source: `arn:aws:ec2:${region}:${account}:instance/i-01234567890abcdef`,
      resource_type: 'EBS_SNAPSHOT',
    },
    [policyArn(id)],
  );

export const snapshot = (name: string, result: string) =>
  event('aws.ec2', 'EBS Snapshot Notification', {
    event: name,
    result,
    cause: '',
    'request-id': '',
    snapshot_id: `arn:aws:ec2::${region}:snapshot/snap-01234567`,
    source: `arn:aws:ec2::${region}:volume/vol-01234567`,
    startTime: '2026-11-25T20:00:00Z',
    endTime: '2026-11-25T20:05:00Z',
  });

export const multiVolume = (result: string) =>
  event('aws.ec2', 'EBS Multi-Volume Snapshots Completion Status', {
    event: 'createSnapshots',
    result,
    cause: 'Snapshot snap-01234567 is in status error',
    'request-id': '',
    snapshots: [{ snapshot_id: `arn:aws:ec2::${region}:snapshot/snap-01234567`, status: 'error' }],
  });

/** A call as CloudTrail hands it to EventBridge; `by` is a user, or the role whose session called. */
export const call = (
  service: string,
  eventName: string,
  requestParameters: Detail | null,
  more: Detail = {},
) =>
  event(`aws.${service}`, 'AWS API Call via CloudTrail', {
    eventVersion: '1.09',
    userIdentity: { type: 'IAMUser', arn: `arn:aws:iam::${account}:user/mallory`, accountId: account },
    eventTime: '2026-11-25T20:15:26Z',
    eventSource: `${service}.amazonaws.com`,
    eventName,
    awsRegion: region,
    sourceIPAddress: '198.51.100.7',
    requestParameters,
    eventType: 'AwsApiCall',
    ...more,
  });

export const bySession = (roleArn: string) => ({
  userIdentity: {
    type: 'AssumedRole',
    arn: `arn:aws:sts::${account}:assumed-role/x/session`,
    accountId: account,
    sessionContext: { sessionIssuer: { type: 'Role', arn: roleArn, accountId: account } },
  },
});

export const keyDeleted = (arn: string) => event('aws.kms', 'KMS CMK Deletion', { 'key-id': 'k' }, [arn]);
