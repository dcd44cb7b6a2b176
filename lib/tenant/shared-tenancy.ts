import { existsSync } from 'node:fs';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { Construct } from 'constructs';
import { DeclarationError } from '../errors';
import type { TenantSource } from './tenant-source';

/** What the functions have to know of tenants that share a database. */
export interface SharedTenancy {
  readonly environment: { [name: string]: string };
  grantRead(grantee: IGrantable): void;
}

export function sharedTenancy(scope: Construct, source: TenantSource): SharedTenancy {
  if (source.tenancy === undefined) return { environment: {}, grantRead: () => {} };
  const environment = { SOVEREIGN_TENANCY: source.tenancy, SOVEREIGN_DATABASE: source.database! };
  if (source.tenancyFile === undefined) return { environment, grantRead: () => {} };
  if (!existsSync(source.tenancyFile))
    throw new DeclarationError(
      `TenantSource.rows: ${JSON.stringify(source.tenancyFile)} is not there; \`sovereign-backup tenancy infer\` writes a first one`,
    );
  const asset = new Asset(scope, 'Tenancy', { path: source.tenancyFile });
  return {
    environment: {
      ...environment,
      SOVEREIGN_TENANCY_BUCKET: asset.s3BucketName,
      SOVEREIGN_TENANCY_KEY: asset.s3ObjectKey,
    },
    grantRead: (grantee) => asset.grantRead(grantee),
  };
}
