import type { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type { RegimeBackupPlan } from '../plan';
import type { PrivacyRegime } from '../regime';

/** What AWS Backup reports every day. */
export enum AuditReport {
  /** Which controls are kept. */
  CONTROLS = 'CONTROL_COMPLIANCE_REPORT',
  /** Which resources keep the controls. */
  RESOURCES = 'RESOURCE_COMPLIANCE_REPORT',
  /** All backup jobs. */
  BACKUP_JOBS = 'BACKUP_JOB_REPORT',
  /** All copies: the evidence of where data went. */
  COPY_JOBS = 'COPY_JOB_REPORT',
  /** All restores and restore tests: the evidence that backups can be restored. */
  RESTORE_JOBS = 'RESTORE_JOB_REPORT',
}

/** What a report is written as. */
export enum ReportFormat {
  /** For spreadsheets. */
  CSV = 'CSV',
  /** For programs. */
  JSON = 'JSON',
}

/** Quotas that AWS has raised for the account. */
export interface AuditQuotas {
  /**
   * Frameworks of an account and region.
   *
   * @default 10
   */
  readonly frameworks?: number;

  /**
   * Controls of an account and region, over all frameworks.
   *
   * @default 50
   */
  readonly controls?: number;

  /**
   * Report plans of an account and region.
   *
   * @default 20
   */
  readonly reportPlans?: number;
}

/** What is audited, and where the reports go. */
export interface BackupAuditProps {
  /** The regime whose backups are audited. */
  readonly regime: PrivacyRegime;

  /**
   * The plans that say how often, how long, where to and under which lock. What several of them promise is asked as the least of it.
   */
  readonly plans: RegimeBackupPlan[];

  /**
   * Letters, digits and underscores, beginning with a letter; different within account and region.
   *
   * @default - a name made of the construct's path
   */
  readonly frameworkName?: string;

  /**
   * How long a restore may take; a whole number of minutes.
   *
   * @default - not audited
   */
  readonly restoreWithin?: Duration;

  /**
   * Up to five roles that may delete recovery points all the same.
   *
   * @default - nobody may
   */
  readonly exemptRoles?: IRole[];

  /**
   * What is reported every day.
   *
   * @default - all of it
   */
  readonly reports?: AuditReport[];

  /**
   * What reports are written as.
   *
   * @default [ReportFormat.CSV, ReportFormat.JSON]
   */
  readonly formats?: ReportFormat[];

  /**
   * Where reports go: a bucket of this stack's region and account, that lets AWS Backup write.
   *
   * @default - a new one, encrypted, versioned and closed to the public
   */
  readonly bucket?: s3.IBucket;

  /**
   * Encrypts the new bucket.
   *
   * @default - a key of S3
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * How long the new bucket keeps reports. Whole days.
   *
   * @default - three years
   */
  readonly retention?: Duration;

  /**
   * Where access to the new bucket is logged.
   *
   * @default - not logged
   */
  readonly accessLogs?: s3.IBucket;

  /**
   * What happens to the new bucket when it is taken out of the stack.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * Quotas that were raised.
   *
   * @default - those of AWS
   */
  readonly quotas?: AuditQuotas;
}
