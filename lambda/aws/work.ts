import { dumpTenant } from '../archive/dump-tenant.js';
import { listArchives } from '../archive/list-archives.js';
import { type ArchiveSummary, CopyMissingError, type ProgressEvent } from '../archive/requests.js';
import { rehearseRestore } from '../archive/restore-beside.js';
import { restoreTenant } from '../archive/restore-tenant.js';
import { S3Store } from '../archive/s3-store.js';
import { undoRestore } from '../archive/undo-restore.js';
import { verifyArchive } from '../archive/verify-archive.js';
import { OperationError, reasonOf } from '../errors.js';
import { archiveKey } from './archive-key.js';
import { OutOfTimeError } from './deadline.js';
import { openExternalStores } from './external-stores.js';
import { serverLogin } from './server-login.js';
import { readSettings, type Settings } from './settings.js';
import { logger, type Measure, measure } from './telemetry.js';
import { scopeFor } from './tenancy.js';
import { tenantCredentials } from './tenant-credentials.js';
import { parseWorkerEvent, type WorkerAction, type WorkerEvent } from './worker-event.js';

/** By what Step Functions decides whether to try again: a wrong event stays wrong. */
export class TenantInputError extends Error {
  override readonly name = 'TenantInputError';
}
export class TenantOperationError extends Error {
  override readonly name = 'TenantOperationError';
}
/** The function had to end: a task may go on for longer. */
export class TenantTimeError extends Error {
  override readonly name = 'TenantTimeError';
}
/** The archive is whole in some stores: another try would make a second one there. */
export class TenantCopyError extends Error {
  override readonly name = 'TenantCopyError';
}

const measuredAs: Record<WorkerAction, string> = {
  dump: 'TenantBackup',
  verify: 'TenantVerify',
  drill: 'TenantDrill',
  restore: 'TenantRestore',
  undo: 'TenantUndo',
  list: 'TenantList',
};

const remedies: Record<WorkerAction, string> = {
  dump: 'mend the cause and run the same event again; the archives of earlier days are untouched and nothing partial was kept',
  verify: 'mend the cause and run the same event again',
  drill:
    'find out why: either the archive cannot be restored, or the server could not do it; the live database is untouched',
  restore:
    'mend the cause and run the same event again; the live database is whole, the old or the new one, and the list of archives is unchanged',
  undo: 'mend the cause and run the same event again; the live database is whole, the old or the new one',
  list: 'mend the cause and run the same event again',
};

/** Does what the event asks, in the tenant's own session, and leaves one record of how it ended. */
export async function work(event: unknown, signal: AbortSignal): Promise<unknown> {
  const began = performance.now();
  let phase = 'reading the event';
  let asked: WorkerEvent | undefined;
  let settings: Settings | undefined;
  try {
    asked = parseWorkerEvent(event);
    phase = 'reading the settings';
    settings = readSettings();
    phase = 'connecting';
    const result = await perform(asked, settings, signal, (step) => {
      phase = step.phase;
      if (step.message !== undefined) logger.info(step.message, { tenant: asked?.tenant, phase });
    });
    const seconds = (performance.now() - began) / 1000;
    measure(settings.regime, measuresOf(asked.action, result, seconds));
    logger.info('done', { tenant: asked.tenant, action: asked.action, seconds });
    return result;
  } catch (thrown) {
    // A call that was cut off by the end of the time says only that; the signal says why.
    const error = signal.aborted ? signal.reason : thrown;
    const cause = reasonOf(error);
    const { action, tenant } = asked ?? rawNames(event);
    if (asked && handedOver(error, asked)) {
      logger.warn("the function's time is over: a task begins this tenant anew", { tenant, action, phase });
      measure(process.env.SOVEREIGN_REGIME ?? 'unknown', [
        { name: `${measuredAs[asked.action]}HandedOver`, value: 1 },
      ]);
      throw typed(error, `${tenant}: ${phase}: ${cause}`);
    }
    logger.error('tenant failed', {
      tenant,
      action,
      engine: process.env.SOVEREIGN_SERVER?.split(':')[0],
      phase,
      cause,
      remedy: asked ? remedies[asked.action] : 'correct the event; nothing was touched',
    });
    if (asked) measure(process.env.SOVEREIGN_REGIME ?? 'unknown', [failureOf(asked.action)]);
    throw typed(error, `${String(tenant)}: ${phase}: ${cause}`);
  }
}

/** The state machine lets a task go on with what it scheduled; that counts as the tenant's success or failure. */
function handedOver(error: unknown, { action }: WorkerEvent): boolean {
  const scheduled = action === 'dump' || action === 'drill';
  return scheduled && error instanceof OutOfTimeError && process.env.SOVEREIGN_TASK_FOLLOWS === 'true';
}

function typed(error: unknown, message: string): Error {
  if (error instanceof CopyMissingError) return new TenantCopyError(message);
  if (error instanceof OutOfTimeError) return new TenantTimeError(message);
  const input = (error as { exitCode?: number } | undefined)?.exitCode === 2;
  return new (input ? TenantInputError : TenantOperationError)(message);
}

async function perform(
  asked: WorkerEvent,
  settings: Settings,
  signal: AbortSignal,
  progress: (event: ProgressEvent) => void,
): Promise<unknown> {
  const { tenant } = asked;
  const { regime, region } = settings;
  const credentials = settings.tenantRoleArn
    ? tenantCredentials(settings.tenantRoleArn, tenant, region)
    : undefined;
  const own = credentials ? { credentials } : {};
  const store = new S3Store({
    bucket: settings.bucket,
    prefix: settings.prefix,
    region,
    ...own,
    // A run that was taken over must not be able to delete archives, so the tenant role does not let it.
    addOnly: true,
  });
  if (asked.action === 'list') {
    const { archives, unreadable, unseen } = await listArchives({ regime, store, tenant });
    if (unseen[0]) throw unseen[0].error;
    for (const remains of unreadable) logger.warn('archive cannot be listed', { ...remains });
    return archives;
  }

  const at = asked.at ? { at: asked.at } : {};
  const request = { tenant, regime, store, progress, signal };
  const key = () => archiveKey(settings, tenant, credentials);
  if (asked.action === 'verify') return verifyArchive({ ...request, ...at, key: await key() });

  const server = await serverLogin(settings);
  const scope = await scopeFor(asked, settings);
  const database = asked.database ?? settings.database;
  const where = {
    ...(database === undefined ? {} : { database }),
    ...(scope === undefined ? {} : { scope }),
  };
  const { jobs, statementTimeout } = asked;
  const sessions = jobs === undefined ? {} : { jobs };
  if (asked.action === 'dump') {
    const copies = await openExternalStores(settings);
    return dumpTenant({
      ...request,
      ...where,
      server,
      ...(settings.replica === undefined
        ? {}
        : { replica: await serverLogin({ ...settings, server: settings.replica }) }),
      options: {
        ...settings.dump,
        ...sessions,
        ...(statementTimeout === undefined ? {} : { statementTimeout }),
      },
      key: await key(),
      ...(copies.length > 0 ? { copies } : {}),
      ...(settings.retention ? { retention: settings.retention } : {}),
    });
  }
  const load = { ...request, ...where, ...at, ...sessions, server, noOwner: asked.noOwner };
  if (asked.action === 'drill') {
    const result = await rehearseRestore({ ...load, key: await key() });
    if (!result.ok) throw new OperationError(result.problems.join('; '));
    return result;
  }
  // The name was compared before anything began; nobody sits here to be asked again.
  const confirm = asked.confirm ?? '';
  if (asked.action === 'undo') {
    return undoRestore({ tenant, server, ...where, confirm, progress, signal });
  }
  return restoreTenant({ ...load, key: await key(), confirm: async () => confirm });
}

function measuresOf(action: WorkerAction, result: unknown, seconds: number): Measure[] {
  const name = measuredAs[action];
  if (action === 'verify' && !(result as { ok: boolean }).ok) return [failureOf(action)];
  const measures: Measure[] = [
    { name: `${name}Succeeded`, value: 1 },
    { name: `${name}Seconds`, value: seconds, unit: 'Seconds' },
  ];
  if (action === 'dump' || action === 'restore') {
    measures.push({ name: `${name}Bytes`, value: (result as ArchiveSummary).bytes, unit: 'Bytes' });
  }
  return measures;
}

function failureOf(action: WorkerAction): Measure {
  return { name: `${measuredAs[action]}Failed`, value: 1 };
}

function rawNames(event: unknown): { action?: unknown; tenant?: unknown } {
  const { action, tenant } = (event ?? {}) as { action?: unknown; tenant?: unknown };
  return { action, tenant };
}
