import { Arn, ArnFormat, type Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { aws_kms } from 'aws-cdk-lib/interfaces';

/** What a restored instance has to do. */
export interface InstanceBootsOptions {
  /**
   * A TCP port that must accept connections on the private address; the selection then needs a `vpc`.
   *
   * @default - the two status checks of EC2 are enough
   */
  readonly port?: number;
}

/** What a restored PostgreSQL database must have. */
export interface DatabaseAnswersOptions {
  /**
   * Name and password as JSON (`username`, `password`), valid at the time of the recovery point: after a rotation the
   * database restored from before it still has the old password. A user with CONNECT and SELECT is enough.
   */
  readonly credentials: ISecret;

  /** The database to connect to. */
  readonly databaseName: string;

  /**
   * Tables that must exist, as `schema.table`, or `table` for what the search path finds.
   *
   * @default - none
   */
  readonly tables?: string[];

  /**
   * Tables that must exist and have rows.
   *
   * @default - none
   */
  readonly filledTables?: string[];
}

/** How thoroughly restored objects are looked at. */
export interface ObjectsMatchOptions {
  /**
   * How many objects, chosen at random, are read whole.
   *
   * @default 20
   */
  readonly sample?: number;

  /**
   * Fewer objects than this is a failure. 0 allows an empty bucket.
   *
   * @default 1
   */
  readonly minimumObjects?: number;

  /**
   * Whether the sample is compared, by SHA-256, with the versions that the source bucket had when the recovery point
   * was taken. The selection must then name its buckets, so that the function may read these and no others.
   *
   * @default true
   */
  readonly compareWithSource?: boolean;

  /**
   * Customer managed keys of the buckets.
   *
   * @default - the buckets are encrypted by keys of S3
   */
  readonly keys?: aws_kms.IKeyRef[];
}

/** How many items a restored table must have. */
export interface HasItemsOptions {
  /**
   * Fewer items than this is a failure.
   *
   * @default 1
   */
  readonly minimumItems?: number;

  /**
   * Share of the items that the source table has now, 0 to 1, that must be there.
   *
   * @default - not compared with the source
   */
  readonly shareOfSource?: number;

  /**
   * Customer managed keys of the tables.
   *
   * @default - the tables are encrypted by keys of DynamoDB
   */
  readonly keys?: aws_kms.IKeyRef[];
}

/** @internal What a validator asks of the selection that uses it. */
export interface ValidatorTarget {
  readonly stack: Stack;
  /** ARNs of the selection; empty when it takes all resources of its type. */
  readonly sources: readonly string[];
  readonly inVpc: boolean;
}

/** @internal What a validator needs to run. */
export interface BoundValidator {
  readonly check: { readonly kind: string; readonly [setting: string]: unknown };
  readonly statements: PolicyStatement[];
  readonly grant?: (role: import('aws-cdk-lib/aws-iam').IGrantable) => void;
  readonly problems: string[];
}

/** AWS Backup names everything that it restores as a test like this. */
const RESTORED = 'awsbackup-restore-test*';

/**
 * A way to tell whether what was restored is worth anything. Several may judge one restored resource; all must agree.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing-validation.html
 */
export class RestoreValidator {
  /** An EC2 instance boots and passes both status checks, and answers on a port when one is named. */
  public static instanceBoots(options: InstanceBootsOptions = {}): RestoreValidator {
    return new RestoreValidator(['EC2'], ({ inVpc }) => ({
      check: { kind: 'instance', port: options.port },
      // EC2's describe calls accept no narrower resource.
      statements: [allow(['ec2:DescribeInstances', 'ec2:DescribeInstanceStatus'], ['*'])],
      problems:
        options.port !== undefined && !inVpc
          ? [
              `instanceBoots({ port: ${options.port} }) can reach no private address from outside a VPC: ` +
                'give the selection the vpc that instances are restored into, or leave port out',
            ]
          : [],
    }));
  }

  /**
   * A PostgreSQL database on RDS answers SQL over verified TLS and has the expected tables. A restored Aurora cluster
   * has no instance and so cannot answer: judge it with a function of your own.
   */
  public static databaseAnswers(options: DatabaseAnswersOptions): RestoreValidator {
    return new RestoreValidator(['RDS'], ({ stack, inVpc }) => ({
      check: {
        kind: 'database',
        secret: options.credentials.secretArn,
        database: options.databaseName,
        tables: options.tables ?? [],
        filledTables: options.filledTables ?? [],
      },
      statements: [
        allow(
          ['rds:DescribeDBInstances'],
          [arnIn(stack, 'rds', 'db', RESTORED, ArnFormat.COLON_RESOURCE_NAME)],
        ),
      ],
      grant: (role) => void options.credentials.grantRead(role),
      problems: inVpc
        ? []
        : [
            'databaseAnswers() reaches the database over its network: give the selection a vpc that leads there',
          ],
    }));
  }

  /** A sample of restored objects can be read whole and equals, by SHA-256, what had been backed up. */
  public static objectsMatch(options: ObjectsMatchOptions = {}): RestoreValidator {
    const compare = options.compareWithSource ?? true;
    return new RestoreValidator(['S3'], ({ stack, sources }) => {
      const restored = `arn:${stack.partition}:s3:::${RESTORED}`;
      return {
        check: {
          kind: 'objects',
          sample: options.sample ?? 20,
          minimumObjects: options.minimumObjects ?? 1,
          compareWithSource: compare,
        },
        statements: [
          allow(['s3:ListBucket'], [restored]),
          allow(['s3:GetObject'], [`${restored}/*`]),
          ...(compare && sources.length > 0
            ? [
                allow(['s3:ListBucketVersions'], [...sources]),
                allow(
                  ['s3:GetObject', 's3:GetObjectVersion'],
                  sources.map((arn) => `${arn}/*`),
                ),
              ]
            : []),
          ...decrypt(stack, 's3', options.keys),
        ],
        problems: [
          ...(compare && sources.length === 0
            ? [
                'objectsMatch() compares with the source buckets, and the selection takes all: name its buckets in ' +
                  'resources, or write objectsMatch({ compareWithSource: false })',
              ]
            : []),
          ...countProblems('objectsMatch', 'sample', options.sample, 1),
          ...countProblems('objectsMatch', 'minimumObjects', options.minimumObjects, 0),
        ],
      };
    });
  }

  /** A DynamoDB table is active and has as many items as it should. */
  public static hasItems(options: HasItemsOptions = {}): RestoreValidator {
    const { shareOfSource: share } = options;
    return new RestoreValidator(['DynamoDB'], ({ stack, sources }) => ({
      check: { kind: 'items', minimumItems: options.minimumItems ?? 1, shareOfSource: share },
      statements: [
        allow(['dynamodb:DescribeTable', 'dynamodb:Scan'], [arnIn(stack, 'dynamodb', 'table', RESTORED)]),
        ...(share === undefined
          ? []
          : [
              allow(
                ['dynamodb:DescribeTable'],
                // A selection of all tables may have any of this account and region as its source.
                sources.length > 0 ? [...sources] : [arnIn(stack, 'dynamodb', 'table', '*')],
              ),
            ]),
        ...decrypt(stack, 'dynamodb', options.keys),
      ],
      problems: [
        ...countProblems('hasItems', 'minimumItems', options.minimumItems, 0),
        ...(share !== undefined && !(share > 0 && share <= 1)
          ? [`hasItems({ shareOfSource: ${share} }): a share is more than 0 and at most 1`]
          : []),
      ],
    }));
  }

  /**
   * A function of your own judges, for every type. It is called with `restoreJobId`, `resourceType`, `arn`,
   * `sourceArn`, `recoveryPointArn` and `recoveryPointAt`, and answers `{ "passed": true, "message": "why" }` or
   * `{ "passed": false, "message": "why not" }`; an error that it throws is a failed drill. It has about 14 minutes.
   */
  public static judgedBy(judge: IFunction): RestoreValidator {
    return new RestoreValidator(undefined, () => ({
      check: { kind: 'hook', function: judge.functionArn },
      statements: [],
      grant: (role) => void judge.grantInvoke(role),
      problems: [],
    }));
  }

  private constructor(
    private readonly types: string[] | undefined,
    private readonly make: (target: ValidatorTarget) => BoundValidator,
  ) {}

  /** @internal */
  public _bind(type: string, target: ValidatorTarget): BoundValidator {
    const bound = this.make(target);
    if (!this.types || this.types.includes(type)) return bound;
    const problem = `its ${bound.check.kind} validator judges ${this.types.join(', ')}, not ${type}: take another, or RestoreValidator.judgedBy()`;
    return { ...bound, problems: [...bound.problems, problem] };
  }
}

const allow = (actions: string[], resources: string[]) => new PolicyStatement({ actions, resources });

function arnIn(
  stack: Stack,
  service: string,
  resource: string,
  resourceName: string,
  arnFormat = ArnFormat.SLASH_RESOURCE_NAME,
): string {
  return Arn.format({ service, resource, resourceName, arnFormat }, stack);
}

function decrypt(stack: Stack, service: string, keys: aws_kms.IKeyRef[] = []): PolicyStatement[] {
  if (keys.length === 0) return [];
  return [
    new PolicyStatement({
      actions: ['kms:Decrypt'],
      resources: keys.map((key) => key.keyRef.keyArn),
      // The domain differs by partition.
      conditions: { StringLike: { 'kms:ViaService': `${service}.${stack.region}.*` } },
    }),
  ];
}

function countProblems(what: string, name: string, count: number | undefined, least: number): string[] {
  if (count === undefined || (Number.isInteger(count) && count >= least)) return [];
  return [`${what}({ ${name}: ${count} }): it must be a whole number of at least ${least}`];
}
