import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as rds from 'aws-cdk-lib/aws-rds';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge, acknowledgeWildcards, inPacks } from '../acknowledge';
import { addProblem } from '../problems';
import { PrivacyRegime } from '../regime';
import { homeRegionProblem } from '../regime/move-check';
import { regionProblem } from '../regime/region-check';
import { regionKey } from '../vault/vault-key';

/** Where RDS for SQL Server puts its backups for the moment until they are archives. */
export interface SqlServerStagingProps {
  /**
   * The regime that the instances are under.
   *
   * @default - the widest regime of the catalogue that holds the stack's region
   */
  readonly regime?: PrivacyRegime;

  /**
   * The key of this region with which the bucket encrypts.
   *
   * @default - a new key, rotated yearly
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * Whether RDS encrypts each backup under the key that the tenant's archives have, before it writes it: then it lies in
   * the bucket under that key, too, and nobody without it can read it there. The archive holds RDS's ciphertext within
   * ours: it can be restored to RDS only, in this region, while that key is there. The login needs nothing more; the role
   * may then use the key.
   *
   * @default false - the bucket encrypts with `encryptionKey`, and archives hold a backup that any SQL Server restores
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/SQLServer.Procedural.Importing.Native.Using.html
   */
  readonly encryptWithTenantKey?: boolean;

  /**
   * Identifiers of the instances whose backups pass through it. Only they can use its role.
   *
   * @default - every RDS instance of this account and region that has its option
   */
  readonly instanceIdentifiers?: string[];

  /**
   * Bucket for the access logs of the staging bucket.
   *
   * @default - none
   */
  readonly accessLogs?: s3.IBucket;

  /**
   * What happens to bucket and key when they are taken out of the stack. Nothing in the bucket is kept longer than a day
   * anyway.
   *
   * @default RemovalPolicy.DESTROY
   */
  readonly removalPolicy?: RemovalPolicy;
}

const PREFIX = 'stage/';
/** As RDS asks for. */
const USE_KEY = ['kms:DescribeKey', 'kms:GenerateDataKey', 'kms:Encrypt', 'kms:Decrypt'];
const PACKS = ['HIPAA.Security', 'NIST.800.53.R5', 'PCI.DSS.321'];

/**
 * RDS for SQL Server writes backups to S3 itself, and reads them from there: this is the bucket for it, in the region of
 * the instances, with the role that RDS takes on for it. The worker streams each backup from here into its archive, and
 * back, and deletes it; what a killed run leaves expires after a day.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/SQLServer.Procedural.Importing.Native.Enabling.html
 */
export class SqlServerStaging extends Construct {
  /** Holds backups on their way. */
  public readonly bucket: s3.Bucket;

  /** Encrypts them there. */
  public readonly encryptionKey: kms.IKey;

  /** What RDS becomes to write and read them. */
  public readonly role: iam.Role;

  private readonly encryptWithTenantKey: boolean;

  constructor(scope: Construct, id: string, props: SqlServerStagingProps = {}) {
    super(scope, id);
    const { region } = Stack.of(this);
    this.encryptWithTenantKey = props.encryptWithTenantKey ?? false;
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.DESTROY;
    const regime =
      props.regime ?? (regionProblem(region) ? PrivacyRegime.EU : PrivacyRegime.forRegion(region));
    const home = homeRegionProblem(region, regime);
    if (home) addProblem(this, `backups of SQL Server of '${regime.id}': ${home}`);
    this.encryptionKey =
      props.encryptionKey ??
      regionKey(this, 'Key', {
        description: `Backups of SQL Server on their way, ${regime.id}`,
        removalPolicy,
      });
    this.bucket = new s3.Bucket(this, 'Bucket', {
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: this.encryptionKey,
      bucketKeyEnabled: true,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      // A version that stays would be a backup that nobody counts and no tenant's key closes.
      versioned: false,
      serverAccessLogsBucket: props.accessLogs,
      serverAccessLogsPrefix: props.accessLogs ? 'sql-server-staging/' : undefined,
      removalPolicy,
      lifecycleRules: [
        {
          id: 'expire-leftovers',
          expiration: Duration.days(1),
          abortIncompleteMultipartUploadAfter: Duration.days(1),
        },
      ],
    });
    this.role = this.makeRole(props.instanceIdentifiers);
    acknowledgeWildcards(
      this,
      'RDS chooses no names of its own: the role is bound to the prefix of the staging bucket',
    );
    acknowledge(this, {
      ...inPacks(
        PACKS,
        'IAMNoInlinePolicy',
        'The policy belongs to this role and to nothing else, and goes with it',
      ),
      ...inPacks(
        PACKS,
        'S3BucketVersioningEnabled',
        'Backups on their way are deleted for good; the archives are versioned',
      ),
      ...inPacks(PACKS, 'S3BucketReplicationEnabled', 'Backups on their way stay where their instance is'),
      ...(props.accessLogs
        ? {}
        : {
            'AwsSolutions::AwsSolutions-S1':
              'Logged where CloudTrail records data events; give accessLogs for server access logs',
            ...inPacks(
              PACKS,
              'S3BucketLoggingEnabled',
              'Logged where CloudTrail records data events; give accessLogs for server access logs',
            ),
          }),
    });
  }

  /** Where the worker tells the server to write: `s3://bucket/prefix`. */
  public get url(): string {
    return `s3://${this.bucket.bucketName}/${PREFIX}`;
  }

  /**
   * The option `SQLSERVER_BACKUP_RESTORE` for the option group of the instances, without which they have no procedures
   * for backups.
   */
  public option(): rds.OptionConfiguration {
    return { name: 'SQLSERVER_BACKUP_RESTORE', settings: { IAM_ROLE_ARN: this.role.roleArn } };
  }

  /**
   * Lets somebody, such as the worker, put backups there, read and delete them.
   *
   * @param grantee who
   */
  public grantUse(grantee: iam.IGrantable): iam.Grant {
    const objects = iam.Grant.addToPrincipal({
      grantee,
      actions: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'],
      resourceArns: [this.bucket.arnForObjects(`${PREFIX}*`)],
    });
    const bucket = iam.Grant.addToPrincipal({
      grantee,
      actions: ['s3:ListBucket', 's3:ListBucketMultipartUploads'],
      resourceArns: [this.bucket.bucketArn],
    });
    const key = iam.Grant.addToPrincipal({
      grantee,
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resourceArns: [this.encryptionKey.keyArn],
    });
    return objects.combine(bucket).combine(key);
  }

  /**
   * What the URL of a server says of it.
   *
   * @internal
   */
  public get _urlOptions(): string {
    return `?staging=${this.url}${this.encryptWithTenantKey ? '&kms_key=tenant' : ''}`;
  }

  /**
   * Lets RDS encrypt under the keys of archives, where it is to.
   *
   * @param keys the key, or all that have this tag
   * @internal
   */
  public _letEncrypt(
    keys: { readonly key: kms.IKey } | { readonly tag: string; readonly value: string },
  ): void {
    if (!this.encryptWithTenantKey) return;
    const { partition, region, account } = Stack.of(this);
    this.role.addToPolicy(
      new iam.PolicyStatement({
        sid: 'KeysOfTenants',
        actions: USE_KEY,
        resources: ['key' in keys ? keys.key.keyArn : `arn:${partition}:kms:${region}:${account}:key/*`],
        ...('tag' in keys
          ? { conditions: { StringEquals: { [`aws:ResourceTag/${keys.tag}`]: keys.value } } }
          : {}),
      }),
    );
  }

  private makeRole(instances: string[] | undefined): iam.Role {
    const { partition, region, account } = Stack.of(this);
    const arn = (kind: string, name: string) => `arn:${partition}:rds:${region}:${account}:${kind}:${name}`;
    const role = new iam.Role(this, 'SqlServerBackupRole', {
      description: 'RDS for SQL Server: native backups to and from the staging bucket',
      // Without these conditions any account that knows the role could let its own RDS use it.
      assumedBy: new iam.ServicePrincipal('rds.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': account },
          ArnLike: {
            'aws:SourceArn': [...(instances ?? ['*']).map((name) => arn('db', name)), arn('og', '*')],
          },
        },
      }),
    });
    role.addToPolicy(
      new iam.PolicyStatement({
        sid: 'FindBucket',
        actions: ['s3:ListBucket', 's3:GetBucketLocation', 's3:GetBucketAcl'],
        resources: [this.bucket.bucketArn],
      }),
    );
    role.addToPolicy(
      new iam.PolicyStatement({
        sid: 'BackupsOnTheirWay',
        actions: [
          's3:GetObject',
          's3:GetObjectAttributes',
          's3:PutObject',
          's3:ListMultipartUploadParts',
          's3:AbortMultipartUpload',
        ],
        resources: [this.bucket.arnForObjects(`${PREFIX}*`)],
      }),
    );
    role.addToPolicy(
      new iam.PolicyStatement({
        sid: 'KeyOfTheBucket',
        actions: USE_KEY,
        resources: [this.encryptionKey.keyArn],
      }),
    );
    return role;
  }
}
