import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { s3Client } from '../archive/s3-client.js';
import { explainS3 } from '../archive/s3-errors.js';
import { emitMetrics } from '../aws/embedded-metrics.js';
import { LAST_DRILL } from '../aws/last-drill.js';
import { OperationError } from '../errors.js';

const DAY = 24 * 60 * 60 * 1000;
/** What is said when no drill is on record: older than any limit. */
const NEVER = 3650;

/** How old the last good drill is. CloudWatch itself looks back a week at most, and drills are a week apart. */
export async function handler(): Promise<{ readonly days: number }> {
  const { SOVEREIGN_BUCKET, SOVEREIGN_DRILL, AWS_REGION } = process.env;
  if (!SOVEREIGN_BUCKET || !SOVEREIGN_DRILL)
    throw new OperationError('SOVEREIGN_BUCKET or SOVEREIGN_DRILL is not set; deploy TenantDrill again');
  // A list says that nothing is there to whoever may list only this; asked for the object itself, S3 would refuse.
  const days = await s3Client({ region: AWS_REGION ?? '' })
    .send(new ListObjectsV2Command({ Bucket: SOVEREIGN_BUCKET, Prefix: LAST_DRILL, MaxKeys: 1 }))
    .then(({ Contents: [last] = [] }) => (last ? (Date.now() - last.LastModified!.getTime()) / DAY : NEVER))
    .catch((error) => {
      throw explainS3(error, `asking for ${LAST_DRILL}`, `s3://${SOVEREIGN_BUCKET}`);
    });
  emitMetrics('SovereignBackup', { drill: SOVEREIGN_DRILL }, { DaysSinceDrill: days });
  return { days };
}
