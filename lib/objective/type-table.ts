/**
 * What AWS Backup can do with each type of resource: plain values, for constructs and templates alike.
 *
 * Read from the table of the developer guide; AWS adds to it. Where a field is missing, the guide was not clear.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-feature-availability.html
 */
export interface TypeRecord {
  /** As AWS Backup names it. */
  readonly name: string;
  /** ARNs after the partition; asterisks where they differ. */
  readonly arnPattern: string;
  /** How far behind continuous backup may be; undefined where the type has none. */
  readonly lagMinutes?: number;
  /** Whether recovery points can go to cold storage, or (EBS) to the archive tier. */
  readonly cold: boolean;
  /** Whether recovery points can be copied to another region or account; undefined where AWS is not clear. */
  readonly copies?: boolean;
  /** Recovery points are encrypted with the vault's key; otherwise with the key of the resource itself. */
  readonly vaultKey: boolean;
  /** Types of CloudFormation that are such a resource. */
  readonly cloudFormation: readonly string[];
}

type Row = readonly [
  name: string,
  arnPattern: string,
  abilities: string,
  cloudFormation: readonly string[],
  lagMinutes?: number,
];

/**
 * Abilities: `c` cold storage, `x` copies elsewhere, `-` no copies, `v` the vault's key. Of rows of one name, the first is
 * found by it.
 */
const ROWS: readonly Row[] = [
  ['EC2', 'ec2:*:*:instance/*', 'x', ['AWS::EC2::Instance']],
  ['EBS', 'ec2:*:*:volume/*', 'cx', ['AWS::EC2::Volume']],
  ['RDS', 'rds:*:*:db:*', 'x', ['AWS::RDS::DBInstance'], 5],
  ['Aurora', 'rds:*:*:cluster:*', 'x', ['AWS::RDS::DBCluster'], 5],
  ['DocumentDB', 'rds:*:*:cluster:*', 'x', ['AWS::DocDB::DBCluster']],
  ['Neptune', 'rds:*:*:cluster:*', 'x', ['AWS::Neptune::DBCluster']],
  ['DynamoDB', 'dynamodb:*:*:table/*', 'cxv', ['AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable']],
  ['EFS', 'elasticfilesystem:*:*:file-system/*', 'cxv', ['AWS::EFS::FileSystem']],
  ['Aurora DSQL', 'dsql:*:*:cluster/*', 'x', ['AWS::DSQL::Cluster']],
  ['FSx', 'fsx:*:*:file-system/*', 'x', ['AWS::FSx::FileSystem']],
  ['FSx', 'fsx:*:*:volume/*', '-', ['AWS::FSx::Volume']],
  ['S3', 's3:::*', 'xv', ['AWS::S3::Bucket'], 15],
  ['Redshift', 'redshift:*:*:cluster:*', '-', ['AWS::Redshift::Cluster']],
  ['Redshift Serverless', 'redshift-serverless:*:*:namespace/*', '', ['AWS::RedshiftServerless::Namespace']],
  ['EKS', 'eks:*:*:cluster/*', '', ['AWS::EKS::Cluster']],
  ['Timestream', 'timestream:*:*:database/*', 'cxv', ['AWS::Timestream::Table']],
  ['CloudFormation', 'cloudformation:*:*:stack/*', 'cxv', []],
  ['VirtualMachine', 'backup-gateway:*:*:vm/*', 'cxv', []],
  ['SAP HANA on Amazon EC2', 'ssm-sap:*:*:HANA/*', 'cxv', []],
  ['Storage Gateway', 'storagegateway:*:*:gateway/*', 'x', []],
];

export const TYPES: readonly TypeRecord[] = ROWS.map(
  ([name, arnPattern, abilities, cloudFormation, lagMinutes]) => ({
    name,
    arnPattern,
    lagMinutes,
    cold: abilities.includes('c'),
    copies: abilities.includes('x') ? true : abilities.includes('-') ? false : undefined,
    vaultKey: abilities.includes('v'),
    cloudFormation,
  }),
);

const byName = new Map([...TYPES].reverse().map((type) => [type.name, type]));
const byResource = new Map(TYPES.flatMap((type) => type.cloudFormation.map((each) => [each, type] as const)));

export function typeNamed(name: string): TypeRecord | undefined {
  return byName.get(name);
}

/** What AWS Backup calls a resource of a template. */
export function typeOfResource(cloudFormationType: string): TypeRecord | undefined {
  return byResource.get(cloudFormationType);
}

/** The type that an ARN, or a pattern of ARNs, is of; the first where several share a form. */
export function typeOfArn(arn: string): TypeRecord | undefined {
  const rest = arn.split(':').slice(2);
  const [service, , , ...resource] = rest;
  return TYPES.find(({ arnPattern }) => {
    const [ofService, , , ...kind] = arnPattern.split(':');
    const prefix = kind.join(':').replace(/\*$/, '');
    return service === ofService && resource.join(':').startsWith(prefix);
  });
}
