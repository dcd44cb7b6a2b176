import { type BackupClient, paginateListRestoreJobs } from '@aws-sdk/client-backup';
import { type DrillPlan, type Finding, minutesBefore, minutesSince, type Trouble } from './settings.js';

/** AWS Backup remembers jobs for so long. */
const REMEMBERED_MINUTES = 30 * 24 * 60;

/**
 * Plans of which no drill was good for too long. CloudWatch cannot tell: it looks back a week, and a week and its
 * windows is what a weekly drill may take.
 */
export async function checkDrills(
  client: BackupClient,
  plans: readonly DrillPlan[],
  now: Date,
): Promise<Finding> {
  const troubles: Trouble[] = [];
  let DrillAge: number | undefined;
  for (const { planArn, withinMinutes, judged } of plans) {
    const last = await lastGood(client, planArn, judged, now);
    const age = last && minutesSince(last, now);
    if (age !== undefined) DrillAge = Math.max(DrillAge ?? 0, age * 60);
    if (age !== undefined && age <= withinMinutes) continue;
    troubles.push({
      message:
        age === undefined
          ? 'no drill of the plan was good in 30 days'
          : 'no drill of the plan was good for too long',
      arn: planArn,
      ...(age === undefined ? {} : { ageMinutes: Math.round(age) }),
    });
  }
  return {
    measures: { OverdueDrills: troubles.length, ...(DrillAge === undefined ? {} : { DrillAge }) },
    troubles,
  };
}

async function lastGood(
  client: BackupClient,
  planArn: string,
  judged: boolean,
  now: Date,
): Promise<Date | undefined> {
  let last: Date | undefined;
  const pages = paginateListRestoreJobs(
    { client },
    {
      ByRestoreTestingPlanArn: planArn,
      ByStatus: 'COMPLETED',
      ByCreatedAfter: minutesBefore(now, REMEMBERED_MINUTES),
    },
  );
  for await (const page of pages) {
    for (const { ValidationStatus, CompletionDate, CreationDate } of page.RestoreJobs ?? []) {
      if (judged && ValidationStatus !== 'SUCCESSFUL') continue;
      const at = CompletionDate ?? CreationDate;
      if (at && at > (last ?? new Date(0))) last = at;
    }
  }
  return last;
}
