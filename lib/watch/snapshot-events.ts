import { CRITICAL, WARNING, type WatchedEvent } from './watched-event';

/**
 * What Data Lifecycle Manager and EBS tell of. EBS tells of all snapshots of the region, whoever makes them.
 *
 * @see https://docs.aws.amazon.com/ebs/latest/userguide/monitor-cloudwatch-events.html
 * @see https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html
 */
export function snapshotEvents(policyArns: readonly string[]): WatchedEvent[] {
  if (policyArns.length === 0) return [];
  return [
    {
      id: 'SnapshotPolicyError',
      severity: CRITICAL,
      description: 'A snapshot policy is in error: it makes no snapshots any more',
      pattern: {
        source: ['aws.dlm'],
        'detail-type': ['DLM Policy State Change'],
        resources: policyArns,
        detail: { state: ['ERROR'] },
      },
      sentence: 'The snapshot policy {detail.policy_id} makes no snapshots any more: {detail.cause}',
    },
    {
      id: 'SnapshotScriptFailed',
      severity: WARNING,
      description: 'A script before or after snapshots failed: they are crash-consistent only',
      pattern: {
        source: ['aws.dlm'],
        'detail-type': ['DLM Pre Post Script Notification'],
        resources: policyArns,
        // The documentation shows `success` only; whatever is neither that nor a beginning is told of.
        detail: { result: [{ 'anything-but': ['success', 'succeeded', 'started', 'initiated'] }] },
      },
      sentence:
        'The {detail.script_stage} script {detail.execution_handler} on {detail.source} is {detail.result}: {detail.cause}',
    },
    {
      id: 'SnapshotFailed',
      severity: WARNING,
      description: 'A snapshot or the copy of one failed',
      pattern: {
        source: ['aws.ec2'],
        'detail-type': ['EBS Snapshot Notification', 'EBS Multi-Volume Snapshots Completion Status'],
        detail: {
          event: ['createSnapshot', 'createSnapshots', 'copySnapshot'],
          result: [{ 'anything-but': ['succeeded'] }],
        },
      },
      sentence: '{detail.event} of {detail.source} is {detail.result}: {detail.cause} {detail.snapshot_id}',
    },
  ];
}
