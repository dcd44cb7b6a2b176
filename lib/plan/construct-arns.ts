import { ArnFormat, CfnResource, Stack, Token } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { type TypeRecord, typeOfResource } from '../objective/type-table';

/** A resource that AWS Backup protects, found under a construct. */
export interface FoundResource {
  readonly resource: CfnResource;
  readonly type: TypeRecord;
}

/** Everything under a construct that AWS Backup protects; instances of a cluster are in the cluster's backup. */
export function backupable(construct: IConstruct): FoundResource[] {
  return construct.node.findAll().flatMap((child) => {
    if (!CfnResource.isCfnResource(child)) return [];
    const type = typeOfResource(child.cfnResourceType);
    if (type === undefined || ('dbClusterIdentifier' in child && child.dbClusterIdentifier !== undefined))
      return [];
    return [{ resource: child, type }];
  });
}

/** The ARN of what was found, by reference. */
export function arnOf({ resource, type }: FoundResource): string {
  // A table of Timestream is known to Ref by two names at once.
  if (type.name === 'Timestream') return Token.asString(resource.getAtt('Arn'));
  const [service, , , ...kind] = type.arnPattern.split(':');
  const s3 = type.name === 'S3';
  return Stack.of(resource).formatArn({
    service: service!,
    region: s3 ? '' : undefined,
    account: s3 ? '' : undefined,
    resource: kind.join(':').replace('*', resource.ref),
    arnFormat: ArnFormat.NO_RESOURCE_NAME,
  });
}
