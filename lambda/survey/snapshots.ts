import { type EC2Client, paginateDescribeInstances, paginateDescribeSnapshots } from '@aws-sdk/client-ec2';
import { type Finding, minutesBefore, minutesSince, type SnapshotPolicy, type Trouble } from './settings.js';

/** Volumes that a policy of Data Lifecycle Manager should snapshot, and has not for too long. */
export async function checkSnapshots(
  client: EC2Client,
  policies: readonly SnapshotPolicy[],
  now: Date,
): Promise<Finding> {
  const troubles: Trouble[] = [];
  let SnapshotVolumes = 0;
  for (const policy of policies) {
    const volumes = await volumesOf(client, policy, now);
    SnapshotVolumes += volumes.size;
    const newest = await newestSnapshots(client, policy.policyId);
    for (const [volume, instance] of volumes) {
      const at = newest.get(volume);
      const age = at && minutesSince(at, now);
      if (age !== undefined && age <= policy.maxAgeMinutes) continue;
      troubles.push({
        message: age === undefined ? 'volume has no snapshot' : 'volume has no recent snapshot',
        arn: volume,
        where: instance,
        ...(age === undefined ? {} : { ageMinutes: Math.round(age) }),
      });
    }
  }
  return { measures: { SnapshotVolumes, StaleVolumes: troubles.length }, troubles };
}

/** Volumes of the targeted instances, with the instance; of those only that have been there for long enough. */
async function volumesOf(client: EC2Client, policy: SnapshotPolicy, now: Date): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(policy.tags)) {
    const pages = paginateDescribeInstances(
      { client },
      {
        Filters: [
          { Name: `tag:${key}`, Values: [value] },
          { Name: 'instance-state-name', Values: ['running', 'stopping', 'stopped'] },
        ],
      },
    );
    for await (const page of pages) {
      for (const instance of (page.Reservations ?? []).flatMap(({ Instances = [] }) => Instances)) {
        for (const { DeviceName, Ebs } of instance.BlockDeviceMappings ?? []) {
          if (!Ebs?.VolumeId) continue;
          if (policy.excludeBootVolume && DeviceName === instance.RootDeviceName) continue;
          const settled = minutesBefore(now, policy.maxAgeMinutes);
          if ((Ebs.AttachTime ?? new Date(0)) > settled) continue;
          found.set(Ebs.VolumeId, instance.InstanceId ?? '');
        }
      }
    }
  }
  return found;
}

async function newestSnapshots(client: EC2Client, policyId: string): Promise<Map<string, Date>> {
  const newest = new Map<string, Date>();
  const pages = paginateDescribeSnapshots(
    { client },
    {
      OwnerIds: ['self'],
      Filters: [
        { Name: 'tag:aws:dlm:lifecycle-policy-id', Values: [policyId] },
        // Of a hundred snapshots in the making none can be restored whole.
        { Name: 'status', Values: ['completed'] },
      ],
    },
  );
  for await (const page of pages) {
    for (const { VolumeId, StartTime } of page.Snapshots ?? []) {
      if (!VolumeId || !StartTime) continue;
      if (StartTime > (newest.get(VolumeId) ?? new Date(0))) newest.set(VolumeId, StartTime);
    }
  }
  return newest;
}
