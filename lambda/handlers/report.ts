import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { s3Client } from '../archive/s3-client.js';
import { explainS3 } from '../archive/s3-errors.js';
import { LAST_DRILL } from '../aws/last-drill.js';
import { lastWords } from '../aws/last-words.js';
import {
  type MapResults,
  type Outcome,
  readJson,
  readOutcomes,
  type TenantItem,
} from '../aws/map-results.js';
import { logger, measure } from '../aws/telemetry.js';
import { InputError, OperationError } from '../errors.js';

interface ReportEvent {
  readonly run: string;
  readonly bucket: string;
  readonly key: string;
  readonly count: number;
  readonly results: MapResults;
}

/** How many failed tenants the error names, with what their tasks said last; the log has all. */
const named = 10;

/**
 * Compares what was to be done with what was, and fails unless both are the same: a tenant that was never begun is as
 * much without a backup as one whose dump failed.
 */
export async function handler(event: ReportEvent) {
  if (!event?.run || !event.bucket || !event.key) {
    throw new InputError(
      `the report needs "run", "bucket", "key" and "results", got ${JSON.stringify(event)}`,
    );
  }
  const regime = process.env.SOVEREIGN_REGIME ?? 'unknown';
  const drill = process.env.SOVEREIGN_DRILL_BUCKET;
  const client = s3Client({ region: process.env.AWS_REGION ?? '' });
  const tenants = (await readJson(client, event.bucket, event.key)) as TenantItem[];
  const outcomes = await readOutcomes(client, event.results);

  const succeeded = new Set(outcomes.filter((outcome) => outcome.succeeded).map(({ tenant }) => tenant));
  const failed = await withReasons(
    outcomes.filter((outcome) => !outcome.succeeded && !succeeded.has(outcome.tenant)),
  );
  const seen = new Set(outcomes.map(({ tenant }) => tenant));
  const missing = tenants.map(({ tenant }) => tenant).filter((tenant) => !seen.has(tenant));
  const backedUp = tenants.filter(({ tenant }) => succeeded.has(tenant)).length;

  // Of a drill: `DrillTenantsExpected`, so that one does not count as the other.
  const what = drill ? 'DrillTenants' : 'Tenants';
  measure(regime, [
    { name: `${what}Expected`, value: tenants.length },
    { name: `${what}Succeeded`, value: backedUp },
    { name: `${what}Failed`, value: failed.length },
    { name: `${what}Missing`, value: missing.length },
  ]);
  for (const { tenant, cause } of failed) logger.error('tenant failed', { run: event.run, tenant, cause });
  for (const tenant of missing) logger.error('tenant was never begun', { run: event.run, tenant });

  if (backedUp < tenants.length) {
    const list = [
      ...failed.map(({ tenant, cause }) => `${JSON.stringify(tenant)} (${cause})`),
      ...missing.map((tenant) => `${JSON.stringify(tenant)} (never begun)`),
    ];
    const more =
      list.length > named ? ` and ${list.length - named} more, all in the log of this function` : '';
    throw new OperationError(
      `run ${event.run}: ${backedUp} of ${tenants.length} tenants succeeded; without: ${list.slice(0, named).join(', ')}${more}`,
    );
  }
  if (drill) await noteDrill(client, drill, event.run, backedUp);
  return { run: event.run, tenants: tenants.length, succeeded: backedUp };
}

async function withReasons(failed: readonly Outcome[]): Promise<Outcome[]> {
  const group = process.env.SOVEREIGN_TASK_LOG_GROUP;
  const told: Outcome[] = [];
  for (const [index, outcome] of failed.entries()) {
    const { logStream, cause } = outcome;
    const words = group && logStream && index < named ? await lastWords(group, logStream) : undefined;
    const where = logStream && `the log stream ${logStream}${words ? ' ends with' : ' says why'}`;
    told.push(where ? { ...outcome, cause: `${cause}; ${where}${words ? `: ${words}` : ''}` } : outcome);
  }
  return told;
}

/** What `drill-age` looks at: without it nobody would notice drills that have stopped. */
async function noteDrill(client: S3Client, Bucket: string, run: string, tenants: number): Promise<void> {
  const Body = JSON.stringify({ run, tenants, at: new Date().toISOString() });
  await client
    .send(new PutObjectCommand({ Bucket, Key: LAST_DRILL, Body, ChecksumAlgorithm: 'SHA256' }))
    .catch((error) => {
      throw explainS3(error, `writing ${LAST_DRILL}`, `s3://${Bucket}`);
    });
}
