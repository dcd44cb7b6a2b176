/**
 * A type of resource that AWS Backup protects, as a selection names it.
 *
 * An enum-like class: `new ResourceType('MyType', 'service:*:*:thing/*')` names one that AWS adds later.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-feature-availability.html
 */
export class ResourceType {
  /** EC2 instances, with their volumes. */
  public static readonly EC2 = new ResourceType('EC2', 'ec2:*:*:instance/*');
  /** EBS volumes. */
  public static readonly EBS = new ResourceType('EBS', 'ec2:*:*:volume/*');
  /** RDS instances. Continuous backup is 5 minutes behind. */
  public static readonly RDS = new ResourceType('RDS', 'rds:*:*:db:*', 5);
  /** Aurora clusters; DocumentDB and Neptune clusters have ARNs of the same form. Continuous backup is 5 minutes behind. */
  public static readonly AURORA = new ResourceType('Aurora', 'rds:*:*:cluster:*', 5);
  /** DynamoDB tables. */
  public static readonly DYNAMODB = new ResourceType('DynamoDB', 'dynamodb:*:*:table/*');
  /** EFS file systems. */
  public static readonly EFS = new ResourceType('EFS', 'elasticfilesystem:*:*:file-system/*');
  /** FSx file systems. ONTAP volumes cannot be copied to another region. */
  public static readonly FSX = new ResourceType('FSx', 'fsx:*:*:file-system/*');
  /** S3 buckets, which must be versioned. Continuous backup is 15 minutes behind. */
  public static readonly S3 = new ResourceType('S3', 's3:::*', 15);
  /** Redshift clusters. */
  public static readonly REDSHIFT = new ResourceType('Redshift', 'redshift:*:*:cluster:*');
  /** Timestream tables. */
  public static readonly TIMESTREAM = new ResourceType('Timestream', 'timestream:*:*:database/*');
  /** CloudFormation stacks, with what is in them. */
  public static readonly CLOUDFORMATION = new ResourceType('CloudFormation', 'cloudformation:*:*:stack/*');
  /** VMware virtual machines, through a backup gateway. */
  public static readonly VMWARE = new ResourceType('VirtualMachine', 'backup-gateway:*:*:vm/*');
  /** SAP HANA databases on EC2. */
  public static readonly SAP_HANA = new ResourceType('SAP HANA on Amazon EC2', 'ssm-sap:*:*:HANA/*');

  /**
   * @param name the name AWS Backup gives the type
   * @param arnPattern what its ARNs look like after the partition; asterisks where they differ
   * @param continuousLagMinutes how far behind continuous backup may be; undefined where the service has none
   */
  constructor(
    public readonly name: string,
    public readonly arnPattern: string,
    public readonly continuousLagMinutes?: number,
  ) {}

  /** The ARN pattern of a partition. */
  public arnIn(partition: string): string {
    return `arn:${partition}:${this.arnPattern}`;
  }
}
