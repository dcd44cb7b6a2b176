import { randomInt } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { s3Client } from '../archive/s3-client.js';
import { explainS3 } from '../archive/s3-errors.js';
import { readJson, type TenantItem } from '../aws/map-results.js';
import { InputError } from '../errors.js';

interface SampleEvent {
  readonly run: string;
  readonly bucket: string;
  readonly key: string;
}

/** Chooses tenants at random for a drill, so that in time each has had its turn and none knows when. */
export async function handler(event: SampleEvent) {
  const size = Number(process.env.SOVEREIGN_SAMPLE);
  const place = process.env.SOVEREIGN_BUCKET;
  if (!event?.run || !event.bucket || !event.key || !place || !Number.isInteger(size) || size < 1)
    throw new InputError(`the sample needs "run", "bucket" and "key", got ${JSON.stringify(event)}`);
  const client = s3Client({ region: process.env.AWS_REGION ?? '' });
  const tenants = (await readJson(client, event.bucket, event.key)) as TenantItem[];
  const chosen = choose(tenants, size);
  const key = `runs/${event.run}/sample.json`;
  await client
    .send(
      new PutObjectCommand({
        Bucket: place,
        Key: key,
        Body: JSON.stringify(chosen),
        ContentType: 'application/json',
        ChecksumAlgorithm: 'SHA256',
      }),
    )
    .catch((error) => {
      throw explainS3(error, `writing ${key}`, `s3://${place}`);
    });
  return { bucket: place, key, count: chosen.length };
}

function choose(tenants: readonly TenantItem[], size: number): TenantItem[] {
  const rest = [...tenants];
  const chosen: TenantItem[] = [];
  while (chosen.length < size && rest.length > 0) chosen.push(...rest.splice(randomInt(rest.length), 1));
  return chosen;
}
