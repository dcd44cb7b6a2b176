import type { Duration, RemovalPolicy, Size, TimeZone } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type { PrivacyRegime } from '../regime';
import type { DumpSettings } from './dump-settings';
import type { ExternalStore } from './external-store';
import type { LargeTenants } from './large-tenants';
import type { TenantKeys } from './tenant-keys';
import type { TenantSource } from './tenant-source';

/** Archives that are kept beyond the retention: the newest of each of the last periods that have any, in UTC. */
export interface ArchiveGenerations {
  /**
   * For so many days.
   *
   * @default 0
   */
  readonly daily?: number;

  /**
   * For so many weeks, which begin on Monday.
   *
   * @default 0
   */
  readonly weekly?: number;

  /**
   * For so many months.
   *
   * @default 0
   */
  readonly monthly?: number;
}

/** Which tenants, when, and how long their archives are kept. */
export interface TenantBackupsProps {
  /** Which tenants there are, and on which server. */
  readonly source: TenantSource;

  /**
   * The network from which the server is reached. Its subnets need a way to S3, KMS, Secrets Manager, STS and CloudWatch
   * Logs: endpoints of these services, or a NAT gateway.
   *
   * @default - none: the server is reached over the internet
   */
  readonly vpc?: ec2.IVpc;

  /**
   * The subnets of the worker.
   *
   * @default - private subnets, as CDK chooses them
   */
  readonly vpcSubnets?: ec2.SubnetSelection;

  /**
   * When tenants are dumped: a cron or rate expression.
   *
   * @default 'cron(0 2 * * ? *)'
   */
  readonly schedule?: string;

  /**
   * The time zone of the schedule.
   *
   * @default TimeZone.ETC_UTC
   */
  readonly timeZone?: TimeZone;

  /**
   * How long every archive is kept. What is older goes once a day, by its own time; the newest good archive of a tenant
   * stays in any case, and so does what is held or locked.
   *
   * @default Duration.days(7)
   */
  readonly retention?: Duration;

  /**
   * Which older archives are kept besides: grandfather, father, son.
   *
   * @default - none
   */
  readonly generations?: ArchiveGenerations;

  /**
   * Under which keys archives are encrypted.
   *
   * @default TenantKeys.sharedKey(encryptionKey)
   */
  readonly keys?: TenantKeys;

  /**
   * Storage of other providers to which every dump goes, too.
   *
   * @default - none
   */
  readonly externalStores?: ExternalStore[];

  /**
   * How long an archive cannot be deleted or overwritten, except by principals that may bypass the governance of Object
   * Lock.
   *
   * @default Duration.days(7)
   */
  readonly immutableFor?: Duration;

  /**
   * How dumps are taken: from a replica, at which level, by how many sessions, within which limits.
   *
   * @default - from the server, at level 2, by one session, with checksums of content and without limits
   */
  readonly dumps?: DumpSettings;

  /**
   * How many tenants are dumped at a time. Each takes one connection to the server, and its reading speed.
   *
   * @default 10; of SQL Server 2, as many as RDS works on
   */
  readonly maxConcurrency?: number;

  /**
   * How long a whole run may take. A run that has not succeeded after schedule and this time raises the alarm.
   *
   * @default Duration.hours(6)
   */
  readonly maxDuration?: Duration;

  /**
   * Memory of the worker in MiB, which also decides its share of processor time and network.
   *
   * @default 2048
   */
  readonly workerMemory?: number;

  /**
   * Disk of the worker, 512 MiB to 10 GiB. Dumps by one session need none; by several (`dumps.jobs`) the size that the
   * tenant has on the server. A restore or a drill puts the dump there to load it in several
   * sessions at once; one that does not fit is loaded in one.
   *
   * @default Size.gibibytes(10)
   * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html
   */
  readonly workerStorage?: Size;

  /**
   * Lets tasks of AWS Fargate work on tenants that take longer than the 15 minutes of a function; needs `vpc`.
   *
   * @default - none: a tenant that takes longer fails, and with it the run
   */
  readonly largeTenants?: LargeTenants;

  /**
   * The regime that the archives are under.
   *
   * @default - the widest regime of the catalogue that holds the stack's region
   */
  readonly regime?: PrivacyRegime;

  /**
   * The key of this region under which archives are encrypted, bound to their tenant.
   *
   * @default - a new key, rotated yearly and retained
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * Where alarms go.
   *
   * @default - a new topic, encrypted with the key
   */
  readonly alarmTopic?: sns.ITopic;

  /**
   * Bucket for the access logs of the archives' bucket.
   *
   * @default - none
   */
  readonly accessLogs?: s3.IBucket;

  /**
   * What happens to bucket and key when they are taken out of the stack.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}
