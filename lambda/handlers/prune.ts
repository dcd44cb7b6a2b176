import { pruneArchives } from '../archive/prune-archives.js';
import type { RetentionPolicy } from '../archive/retention.js';
import { S3Store } from '../archive/s3-store.js';
import { logger, measure } from '../aws/telemetry.js';
import { OperationError } from '../errors.js';

/** What no rule keeps is deleted; nobody else in the account's backups may delete an archive. */
export async function handler(): Promise<unknown> {
  const { SOVEREIGN_REGIME, SOVEREIGN_BUCKET, SOVEREIGN_PREFIX, SOVEREIGN_RETENTION, AWS_REGION } =
    process.env;
  if (!SOVEREIGN_REGIME || !SOVEREIGN_BUCKET || !SOVEREIGN_RETENTION || !AWS_REGION)
    throw new OperationError(
      "the function's environment lacks SOVEREIGN_REGIME, SOVEREIGN_BUCKET or SOVEREIGN_RETENTION; the TenantBackups construct sets them, so deploy it again",
    );
  const policy = JSON.parse(SOVEREIGN_RETENTION) as RetentionPolicy;
  const store = new S3Store({
    bucket: SOVEREIGN_BUCKET,
    prefix: SOVEREIGN_PREFIX ?? 'archives/',
    region: AWS_REGION,
  });
  const pruned = await pruneArchives({
    store,
    regime: SOVEREIGN_REGIME,
    policy,
    dryRun: false,
    each: (done) => {
      if (done.state !== 'kept') logger.info('archive', { ...done });
    },
  });
  const count = (state: string) => pruned.filter((each) => each.state === state).length;
  const counts = {
    kept: count('kept'),
    deleted: count('deleted'),
    retained: count('retained'),
    failed: count('failed'),
  };
  measure(SOVEREIGN_REGIME, [
    { name: 'ArchivesKept', value: counts.kept },
    { name: 'ArchivesDeleted', value: counts.deleted },
    { name: 'ArchivesRetained', value: counts.retained },
    { name: 'ArchivesNotDeleted', value: counts.failed },
  ]);
  const failed = pruned.find(({ state }) => state === 'failed');
  if (failed)
    throw new OperationError(
      `${counts.failed} archives could not be deleted, the first ${failed.archive ?? 'one'} of ${JSON.stringify(failed.tenant)}: ${failed.reasons.join(', ')}`,
    );
  return counts;
}
