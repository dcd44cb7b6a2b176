import { ArnFormat, CfnResource, Stack, Token } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { type TypeRecord, typeOfResource } from '../objective/type-table';

/** A resource that AWS Backup protects, found under a construct. */
export interface FoundResource {
  readonly resource: CfnResource;
  readonly type: TypeRecord;
}

/** Everything under a construct that AWS Backup protects. */
export function backupable(construct: IConstruct): FoundResource[] {
  return construct.node.findAll().flatMap((child) => {
    if (!CfnResource.isCfnResource(child)) return [];
    const type = typeOfResource(child.cfnResourceType);
    return type === undefined || isPartOfAnother(child) ? [] : [{ resource: child, type }];
  });
}

/** Instances of a cluster and volumes of ZFS are in the backup of the whole; ONTAP is backed up volume by volume. */
function isPartOfAnother(resource: CfnResource): boolean {
  const { dbClusterIdentifier, fileSystemType, volumeType } = resource as unknown as Record<string, unknown>;
  const { cfnResourceType } = resource;
  if (cfnResourceType === 'AWS::FSx::FileSystem') return fileSystemType === 'ONTAP';
  if (cfnResourceType === 'AWS::FSx::Volume') return volumeType === 'OPENZFS';
  return dbClusterIdentifier !== undefined;
}

/**
 * Whether AWS Backup copies its recovery points to another region or account; undefined where AWS is not clear. A cluster
 * of RDS that is not Aurora's is a Multi-AZ cluster, whose snapshots stay where they are.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/recov-point-create-a-copy.html
 */
export function copyable({ resource, type }: FoundResource): boolean | undefined {
  const { engine } = resource as unknown as Record<string, unknown>;
  const multiAz = type.name === 'Aurora' && (engine === 'mysql' || engine === 'postgres');
  return multiAz ? false : type.copies;
}

/** Attributes of those whose ARN is not made of what Ref gives. */
const ARN_ATTRIBUTES: Readonly<Record<string, string>> = {
  'AWS::FSx::Volume': 'ResourceARN',
  'AWS::RedshiftServerless::Namespace': 'Namespace.NamespaceArn',
  'AWS::Timestream::Table': 'Arn',
};

/** The ARN of what was found, by reference. */
export function arnOf({ resource, type }: FoundResource): string {
  const attribute = ARN_ATTRIBUTES[resource.cfnResourceType];
  if (attribute) return Token.asString(resource.getAtt(attribute));
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
