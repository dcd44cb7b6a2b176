import {
  type BackupClient,
  ListCopyJobsCommand,
  paginateListBackupJobs,
  paginateListCopyJobs,
} from '@aws-sdk/client-backup';
import {
  type Copies,
  type Finding,
  type JobWindow,
  minutesBefore,
  minutesSince,
  type Trouble,
} from './settings.js';

/** Jobs that are not done although their window is over. */
export async function checkJobs(
  client: BackupClient,
  windows: readonly JobWindow[],
  now: Date,
): Promise<Finding> {
  const troubles: Trouble[] = [];
  for (const { vault, planId, minutesByRule } of windows) {
    const limits = Object.values(minutesByRule);
    const longest = Math.max(...limits);
    for (const ByState of ['CREATED', 'PENDING', 'RUNNING'] as const) {
      const pages = paginateListBackupJobs(
        { client },
        {
          ByBackupVaultName: vault,
          ByState,
          ByCreatedBefore: minutesBefore(now, Math.min(...limits)),
        },
      );
      for await (const page of pages) {
        for (const { CreatedBy, CreationDate, ResourceArn, BackupJobId } of page.BackupJobs ?? []) {
          if (CreatedBy?.BackupPlanId !== planId || !CreationDate) continue;
          const limit = minutesByRule[CreatedBy.BackupRuleName ?? ''] ?? longest;
          const age = minutesSince(CreationDate, now);
          if (age <= limit) continue;
          troubles.push({
            message: `backup job is ${ByState} beyond its window`,
            arn: ResourceArn ?? BackupJobId ?? '',
            ageMinutes: Math.round(age),
            where: BackupJobId,
          });
        }
      }
    }
  }
  return { measures: { LateJobs: troubles.length }, troubles };
}

/** Copies that wait or run for too long, and vaults in which none has arrived. */
export async function checkCopies(client: BackupClient, copies: Copies, now: Date): Promise<Finding> {
  const troubles: Trouble[] = [];
  const ours = new Set(copies.destinations.map(({ vaultArn }) => vaultArn));
  for (const ByState of ['CREATED', 'RUNNING'] as const) {
    const ByCreatedBefore = minutesBefore(now, copies.lateAfterMinutes);
    for await (const page of paginateListCopyJobs({ client }, { ByState, ByCreatedBefore })) {
      for (const { DestinationBackupVaultArn: to, ResourceArn, CopyJobId, CreationDate } of page.CopyJobs ??
        []) {
        if (!to || !ours.has(to) || !CreationDate) continue;
        troubles.push({
          message: `copy is ${ByState} for too long`,
          arn: ResourceArn ?? CopyJobId ?? '',
          ageMinutes: Math.round(minutesSince(CreationDate, now)),
          where: to,
        });
      }
    }
  }
  const LateCopies = troubles.length;
  let StaleCopies = 0;
  for (const { vaultArn, withinMinutes } of copies.destinations) {
    if (await anyCopyTo(client, vaultArn, minutesBefore(now, withinMinutes))) continue;
    StaleCopies += 1;
    troubles.push({ message: `no copy has arrived for ${withinMinutes} minutes`, arn: vaultArn });
  }
  return { measures: { LateCopies, StaleCopies }, troubles };
}

async function anyCopyTo(client: BackupClient, vaultArn: string, since: Date): Promise<boolean> {
  let NextToken: string | undefined;
  do {
    const page = await client.send(
      new ListCopyJobsCommand({
        ByDestinationVaultArn: vaultArn,
        ByState: 'COMPLETED',
        ByCompleteAfter: since,
        NextToken,
      }),
    );
    if (page.CopyJobs?.length) return true;
    NextToken = page.NextToken;
  } while (NextToken);
  return false;
}
