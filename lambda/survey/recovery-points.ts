import {
  type BackupClient,
  paginateListRecoveryPointsByBackupVault,
  paginateListRecoveryPointsByResource,
} from '@aws-sdk/client-backup';
import { DescribeInstancesCommand, type EC2Client } from '@aws-sdk/client-ec2';
import type { ResourceGroupsTaggingAPIClient } from '@aws-sdk/client-resource-groups-tagging-api';
import { findProtected } from './resources.js';
import { type Finding, minutesBefore, minutesSince, type Protection, type Trouble } from './settings.js';

/** Where a resource stands: the time of its newest recovery point, `continuous`, or nothing at all. */
type Newest = Date | 'continuous' | undefined;

/** Calls at the same time, for single resources. */
const AT_ONCE = 8;

/**
 * Compares what should be backed up with what is. A job that fails is told of by AWS; a resource for which no job is
 * ever started is told of by nobody but this.
 */
export async function checkRecoveryPoints(
  clients: { backup: BackupClient; tagging: ResourceGroupsTaggingAPIClient; ec2: EC2Client },
  protections: readonly Protection[],
  now: Date,
): Promise<Finding> {
  const measures = { ProtectedResources: 0, StaleResources: 0, UnprotectedResources: 0, WorstAge: 0 };
  const troubles: Trouble[] = [];
  const known = new Set<string>();
  for (const protection of protections) {
    const arns = await findProtected(clients.tagging, protection);
    const fresh = await freshIn(clients.backup, protection, now);
    const others = arns.filter((arn) => !fresh.has(arn));
    const newest = await inGroups(others, AT_ONCE, (arn) => newestOf(clients.backup, arn, protection.vaults));
    const lapsed = others.filter((_, i) => newest[i] !== 'continuous');
    const gone = await terminated(clients.ec2, lapsed);
    for (const arn of arns) {
      if (gone.has(arn)) continue;
      if (!known.has(arn)) measures.ProtectedResources += 1;
      known.add(arn);
      const at: Newest = fresh.get(arn) ?? newest[others.indexOf(arn)];
      if (at === 'continuous') continue;
      const where = protection.name;
      if (at === undefined) {
        measures.UnprotectedResources += 1;
        troubles.push({ message: 'resource has no recovery point', arn, where });
        continue;
      }
      const age = minutesSince(at, now);
      measures.WorstAge = Math.max(measures.WorstAge, age * 60);
      if (age <= protection.maxAgeMinutes) continue;
      measures.StaleResources += 1;
      troubles.push({
        message: 'resource has no recent recovery point',
        arn,
        where,
        ageMinutes: Math.round(age),
      });
    }
  }
  return { measures, troubles };
}

/** The newest recovery point of every resource that has one young enough: a few pages, however many resources. */
async function freshIn(client: BackupClient, protection: Protection, now: Date): Promise<Map<string, Date>> {
  const newest = new Map<string, Date>();
  for (const BackupVaultName of protection.vaults) {
    const ByCreatedAfter = minutesBefore(now, protection.maxAgeMinutes);
    const pages = paginateListRecoveryPointsByBackupVault({ client }, { BackupVaultName, ByCreatedAfter });
    for await (const page of pages) {
      for (const { ResourceArn: arn, CreationDate: at, Status } of page.RecoveryPoints ?? []) {
        if (!arn || !at || Status !== 'COMPLETED') continue;
        if (at > (newest.get(arn) ?? new Date(0))) newest.set(arn, at);
      }
    }
  }
  return newest;
}

async function newestOf(client: BackupClient, arn: string, vaults: readonly string[]): Promise<Newest> {
  let newest: Date | undefined;
  for await (const page of paginateListRecoveryPointsByResource({ client }, { ResourceArn: arn })) {
    for (const { BackupVaultName, CreationDate: at, Status, RecoveryPointArn } of page.RecoveryPoints ?? []) {
      if (!vaults.includes(BackupVaultName ?? '') || !at) continue;
      // A continuous recovery point is made once and then goes on for as long as it is available.
      if (Status === 'AVAILABLE' && RecoveryPointArn?.includes('continuous')) return 'continuous';
      if ((Status === 'COMPLETED' || Status === 'AVAILABLE') && at > (newest ?? new Date(0))) newest = at;
    }
  }
  return newest;
}

/** Instances that are no more: the tagging API goes on naming them for a while. */
async function terminated(client: EC2Client, arns: readonly string[]): Promise<Set<string>> {
  const byId = new Map(
    arns.filter((arn) => /:ec2:.*:instance\//.test(arn)).map((arn) => [arn.slice(arn.indexOf('/') + 1), arn]),
  );
  const gone = new Set<string>();
  const ids = [...byId.keys()];
  for (let i = 0; i < ids.length; i += 200) {
    const asked = ids.slice(i, i + 200);
    // A filter, since an id that is unknown by now would fail the whole call.
    const { Reservations = [] } = await client.send(
      new DescribeInstancesCommand({ Filters: [{ Name: 'instance-id', Values: asked }] }),
    );
    const alive = new Set(
      Reservations.flatMap(({ Instances = [] }) => Instances)
        .filter(({ State }) => State?.Name !== 'terminated' && State?.Name !== 'shutting-down')
        .map(({ InstanceId }) => InstanceId),
    );
    for (const id of asked) if (!alive.has(id)) gone.add(byId.get(id)!);
  }
  return gone;
}

async function inGroups<In, Out>(
  all: readonly In[],
  size: number,
  work: (one: In) => Promise<Out>,
): Promise<Out[]> {
  const done: Out[] = [];
  for (let i = 0; i < all.length; i += size)
    done.push(...(await Promise.all(all.slice(i, i + size).map(work))));
  return done;
}
