// Looks at what is there: which resource has no recent recovery point, which job hangs, which drill is overdue.
import { Logger } from '@aws-lambda-powertools/logger';
import { BackupClient } from '@aws-sdk/client-backup';
import { EC2Client } from '@aws-sdk/client-ec2';
import { RDSClient } from '@aws-sdk/client-rds';
import { ResourceGroupsTaggingAPIClient } from '@aws-sdk/client-resource-groups-tagging-api';
import { emitMetrics } from '../aws/embedded-metrics.js';
import { InputError, OperationError, reasonOf } from '../errors.js';
import { checkDrills } from '../survey/drills.js';
import { checkCopies, checkJobs } from '../survey/jobs.js';
import { checkLag } from '../survey/lag.js';
import { checkRecoveryPoints } from '../survey/recovery-points.js';
import type { Finding, SurveySettings } from '../survey/settings.js';
import { checkSnapshots } from '../survey/snapshots.js';

/** Measured in seconds; all others are counts. */
const SECONDS = new Set(['WorstAge', 'DrillAge', 'ContinuousLag']);

/** So many troubles of one part are named in the log; the metric counts all. */
const NAMED = 500;

const logger = new Logger({ serviceName: 'survey' });

export async function handler(event: SurveySettings): Promise<Record<string, number>> {
  if (!event?.watch) throw new InputError(`the survey needs "watch", got ${JSON.stringify(event)}`);
  const now = new Date();
  const often = { retryMode: 'adaptive', maxAttempts: 8 };
  const backup = new BackupClient(often);
  const ec2 = new EC2Client(often);
  const tagging = new ResourceGroupsTaggingAPIClient(often);
  const { protections = [], jobs = [], copies, drills = [], snapshots = [] } = event;
  const parts: Record<string, (() => Promise<Finding>) | false> = {
    'recovery points':
      protections.length > 0 && (() => checkRecoveryPoints({ backup, tagging, ec2 }, protections, now)),
    jobs: jobs.length > 0 && (() => checkJobs(backup, jobs, now)),
    copies: copies !== undefined && (() => checkCopies(backup, copies, now)),
    drills: drills.length > 0 && (() => checkDrills(backup, drills, now)),
    snapshots: snapshots.length > 0 && (() => checkSnapshots(ec2, snapshots, now)),
    'continuous backup':
      protections.some(({ maxLagMinutes }) => maxLagMinutes !== undefined) &&
      (() => checkLag({ rds: new RDSClient(often), tagging }, protections, now)),
  };
  const measures: Record<string, number> = {};
  const failed: string[] = [];
  for (const [part, check] of Object.entries(parts)) {
    if (!check) continue;
    try {
      const finding = await check();
      Object.assign(measures, finding.measures);
      for (const { message, ...more } of finding.troubles.slice(0, NAMED)) {
        logger.warn(message, { part, ...more });
      }
    } catch (error) {
      // What could be found out of the others is still worth telling.
      failed.push(`${part}: ${reasonOf(error)}`);
      logger.error('part of the survey failed', { part, cause: reasonOf(error) });
    }
  }
  // Only a whole survey counts: the alarm on missing ones rings when it does not.
  if (failed.length === 0) measures.Surveys = 1;
  emitMetrics('SovereignBackup/Watch', { watch: event.watch }, measures, (name) =>
    SECONDS.has(name) ? 'Seconds' : 'Count',
  );
  if (failed.length > 0) throw new OperationError(`the survey could not look at ${failed.join('; ')}`);
  return measures;
}
