// Judges what a restore test has restored, and tells AWS Backup, which then deletes the restored resource.
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import {
  BackupClient,
  DescribeRestoreJobCommand,
  PutRestoreValidationResultCommand,
} from '@aws-sdk/client-backup';
import type { Context } from 'aws-lambda';
import { emitMetrics } from '../aws/embedded-metrics.js';
import { type Restored, type Run, ValidationFailure } from '../drill/validator.js';
import { validators } from '../drill/validators.js';
import { reasonOf } from '../errors.js';

/** What the rule of a selection hands over. */
export interface ValidateRestoreEvent {
  readonly restoreJobId: string;
  /** The selection's resources, when it names some; jobs of others belong to another selection. */
  readonly sources?: readonly string[];
  readonly checks: readonly { readonly kind: string; readonly [setting: string]: unknown }[];
}

/** Left of the function's time to report in. */
const REPORT_MILLISECONDS = 20_000;

const logger = new Logger({ serviceName: 'validate-restore' });

export async function handler(event: ValidateRestoreEvent, context: Context): Promise<unknown> {
  const backup = new BackupClient();
  const job = await backup.send(new DescribeRestoreJobCommand({ RestoreJobId: event.restoreJobId }));
  if (event.sources && !event.sources.includes(job.SourceResourceArn ?? '')) {
    logger.info('job of another selection', { restoreJobId: event.restoreJobId });
    return { skipped: true };
  }
  // Events come at least once. Who asks twice must not overwrite the verdict on a resource that is gone by now.
  if (job.ValidationStatus === 'SUCCESSFUL' || job.ValidationStatus === 'FAILED') {
    logger.info('verdict is already given', { restoreJobId: event.restoreJobId });
    return { skipped: true };
  }
  const restored: Restored = {
    restoreJobId: event.restoreJobId,
    resourceType: job.ResourceType ?? '',
    arn: job.CreatedResourceArn ?? '',
    sourceArn: job.SourceResourceArn,
    recoveryPointArn: job.RecoveryPointArn,
    recoveryPointAt: job.RecoveryPointCreationDate,
  };
  const verdict = await judge(restored, event.checks, runUntil(context));
  await backup.send(
    new PutRestoreValidationResultCommand({
      RestoreJobId: event.restoreJobId,
      ValidationStatus: verdict.passed ? 'SUCCESSFUL' : 'FAILED',
      ValidationStatusMessage: verdict.message.slice(0, 1_000),
    }),
  );
  logger[verdict.passed ? 'info' : 'error']('verdict', { ...restored, ...verdict });
  emitMetrics(
    'SovereignBackup/Drills',
    { plan: process.env.DRILL_PLAN ?? 'unknown' },
    { [verdict.passed ? 'Passed' : 'Failed']: 1 },
  );
  return verdict;
}

async function judge(restored: Restored, checks: ValidateRestoreEvent['checks'], run: Run) {
  const found: string[] = [];
  try {
    if (!restored.arn) throw new ValidationFailure('the job names no restored resource');
    for (const { kind, ...settings } of checks) {
      const validator = validators[kind];
      if (!validator) throw new Error(`there is no check '${kind}'`);
      found.push(await validator(restored, settings, run));
    }
    return { passed: true, message: found.join('; ') };
  } catch (error) {
    // What could not be checked has not passed either.
    const prefix = error instanceof ValidationFailure ? '' : 'could not be checked: ';
    return { passed: false, message: `${prefix}${reasonOf(error)}` };
  }
}

function runUntil(context: Context): Run {
  const deadline = Date.now() + context.getRemainingTimeInMillis() - REPORT_MILLISECONDS;
  return {
    deadline,
    pause: async (milliseconds, waitingFor) => {
      if (Date.now() + milliseconds > deadline) throw new ValidationFailure(`gave up waiting: ${waitingFor}`);
      await sleep(milliseconds);
    },
  };
}
