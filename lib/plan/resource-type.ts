import { typeNamed } from '../objective/type-table';

/**
 * A type of resource that AWS Backup protects, as a selection names it.
 *
 * An enum-like class: `new ResourceType('MyType', 'service:*:*:thing/*')` names one that AWS adds later.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/backup-feature-availability.html
 */
export class ResourceType {
  /** EC2 instances, with their volumes. */
  public static readonly EC2 = ResourceType.known('EC2');
  /** EBS volumes. */
  public static readonly EBS = ResourceType.known('EBS');
  /** RDS instances. Continuous backup is 5 minutes behind. */
  public static readonly RDS = ResourceType.known('RDS');
  /** Aurora clusters; DocumentDB and Neptune clusters have ARNs of the same form. Continuous backup is 5 minutes behind. */
  public static readonly AURORA = ResourceType.known('Aurora');
  /** DynamoDB tables. */
  public static readonly DYNAMODB = ResourceType.known('DynamoDB');
  /** EFS file systems. */
  public static readonly EFS = ResourceType.known('EFS');
  /** FSx file systems. ONTAP volumes cannot be copied to another region. */
  public static readonly FSX = ResourceType.known('FSx');
  /** S3 buckets, which must be versioned. Continuous backup is 15 minutes behind. */
  public static readonly S3 = ResourceType.known('S3');
  /** Redshift clusters. */
  public static readonly REDSHIFT = ResourceType.known('Redshift');
  /** Timestream tables. */
  public static readonly TIMESTREAM = ResourceType.known('Timestream');
  /** CloudFormation stacks, with what is in them. */
  public static readonly CLOUDFORMATION = ResourceType.known('CloudFormation');
  /** VMware virtual machines, through a backup gateway. */
  public static readonly VMWARE = ResourceType.known('VirtualMachine');
  /** SAP HANA databases on EC2. */
  public static readonly SAP_HANA = ResourceType.known('SAP HANA on Amazon EC2');

  private static known(name: string): ResourceType {
    const { arnPattern, lagMinutes } = typeNamed(name)!;
    return new ResourceType(name, arnPattern, lagMinutes);
  }

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
