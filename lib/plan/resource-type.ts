import { TYPES } from '../objective/type-table';

/**
 * A type of resource that AWS Backup protects, as a selection names it.
 *
 * An enum-like class: `new ResourceType('MyType', 'service:*:*:thing/*')` names one that AWS adds later, or one of which AWS
 * can do more by then.
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
  /** Aurora DSQL clusters. */
  public static readonly AURORA_DSQL = ResourceType.known('Aurora DSQL');
  /** DocumentDB clusters; their ARNs have the form of Aurora's, so a selection by type takes those as well. */
  public static readonly DOCUMENTDB = ResourceType.known('DocumentDB');
  /** Neptune clusters; their ARNs have the form of Aurora's, so a selection by type takes those as well. */
  public static readonly NEPTUNE = ResourceType.known('Neptune');
  /** DynamoDB tables. */
  public static readonly DYNAMODB = ResourceType.known('DynamoDB');
  /** EFS file systems. */
  public static readonly EFS = ResourceType.known('EFS');
  /** FSx file systems for Windows, Lustre and OpenZFS. */
  public static readonly FSX = ResourceType.known('FSx');
  /** FSx for ONTAP volumes. Cannot be copied to another region or account. */
  public static readonly FSX_ONTAP = ResourceType.known('FSx', 'fsx:*:*:volume/*');
  /** S3 buckets, which must be versioned. Continuous backup is 15 minutes behind. */
  public static readonly S3 = ResourceType.known('S3');
  /** Redshift clusters. Cannot be copied to another region or account. */
  public static readonly REDSHIFT = ResourceType.known('Redshift');
  /** Redshift Serverless namespaces. */
  public static readonly REDSHIFT_SERVERLESS = ResourceType.known('Redshift Serverless');
  /** EKS clusters, with their persistent volumes. */
  public static readonly EKS = ResourceType.known('EKS');
  /** Timestream tables. */
  public static readonly TIMESTREAM = ResourceType.known('Timestream');
  /** CloudFormation stacks, with what is in them. */
  public static readonly CLOUDFORMATION = ResourceType.known('CloudFormation');
  /** VMware virtual machines, through a backup gateway. */
  public static readonly VMWARE = ResourceType.known('VirtualMachine');
  /** SAP HANA databases on EC2. */
  public static readonly SAP_HANA = ResourceType.known('SAP HANA on Amazon EC2');
  /** Volumes of a Storage Gateway. */
  public static readonly STORAGE_GATEWAY = ResourceType.known('Storage Gateway');

  private static known(name: string, pattern?: string): ResourceType {
    const { arnPattern, lagMinutes, copies } = TYPES.find(
      (type) => type.name === name && (pattern ?? type.arnPattern) === type.arnPattern,
    )!;
    return new ResourceType(name, arnPattern, lagMinutes, copies);
  }

  /**
   * @param name the name AWS Backup gives the type
   * @param arnPattern what its ARNs look like after the partition; asterisks where they differ
   * @param continuousLagMinutes how far behind continuous backup may be; undefined where the service has none
   * @param copyable whether recovery points can be copied to another region or account; undefined where AWS is not clear
   */
  constructor(
    public readonly name: string,
    public readonly arnPattern: string,
    public readonly continuousLagMinutes?: number,
    public readonly copyable?: boolean,
  ) {}

  /** The ARN pattern of a partition. */
  public arnIn(partition: string): string {
    return `arn:${partition}:${this.arnPattern}`;
  }
}
