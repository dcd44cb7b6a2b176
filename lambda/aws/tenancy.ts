import { GetObjectCommand } from '@aws-sdk/client-s3';
import { s3Client } from '../archive/s3-client.js';
import { explainS3 } from '../archive/s3-errors.js';
import type { TenantScope } from '../engine/engine.js';
import type { TenancyDescription } from '../tenancy/description.js';
import { readDescription } from '../tenancy/read.js';
import type { Settings } from './settings.js';
import type { WorkerEvent } from './worker-event.js';

/** What the tenant is: as the event says, else as the construct was told for all its tenants. */
export async function scopeFor(asked: WorkerEvent, settings: Settings): Promise<TenantScope | undefined> {
  const scope = asked.scope ?? usual(asked.tenant, settings);
  if (scope?.tenancy !== 'rows' || settings.tenancyFile === undefined) return scope;
  return { ...scope, description: await readTenancy(settings) };
}

function usual(tenant: string, { tenancy }: Settings): TenantScope | undefined {
  if (tenancy === 'schema') return { tenancy, schema: tenant };
  return tenancy === 'rows' ? { tenancy, value: tenant } : undefined;
}

/** The description that was deployed, read with the function's own rights. */
export async function readTenancy({ tenancyFile, region }: Settings): Promise<TenancyDescription> {
  const { bucket, key } = tenancyFile!;
  const text = await s3Client({ region })
    .send(new GetObjectCommand({ Bucket: bucket, Key: key }))
    .then(({ Body }) => Body!.transformToString())
    .catch((error) => {
      throw explainS3(error, 'reading the tenancy description', `s3://${bucket}`);
    });
  return readDescription(text, 'the tenancy description');
}
