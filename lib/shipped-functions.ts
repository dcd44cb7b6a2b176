import { type Duration, RemovalPolicy, type Size } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { bundleFolder, type ZipBundle } from './bundles';
import { ShippedCode } from './shipped-code';

export interface FunctionOptions {
  readonly description: string;
  readonly environment: { [name: string]: string };
  readonly memorySize: number;
  readonly ephemeralStorageSize?: Size;
  readonly timeout: Duration;
  readonly vpc?: ec2.IVpc;
  readonly vpcSubnets?: ec2.SubnetSelection;
  readonly securityGroups?: ec2.ISecurityGroup[];
  /** What it may do beyond writing its log; more can be granted to its role. */
  readonly statements?: iam.PolicyStatement[];
}

/** A function with a log group and a role of its own; the role may write that log and, in a VPC, have its interfaces. */
class OwnRole extends Construct {
  public readonly role: iam.Role;
  public readonly logGroup: logs.LogGroup;

  constructor(scope: Construct, id: string, { vpc, statements = [] }: FunctionOptions) {
    super(scope, id);
    this.logGroup = new logs.LogGroup(this, 'Log', {
      retention: logs.RetentionDays.ONE_YEAR,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.role = new iam.Role(this, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    this.role.addToPolicy(
      new iam.PolicyStatement({
        sid: 'OwnLog',
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [this.logGroup.logGroupArn],
      }),
    );
    for (const statement of statements) this.role.addToPolicy(statement);
    if (vpc) {
      this.role.addToPolicy(
        new iam.PolicyStatement({
          sid: 'Interfaces',
          // Lambda checks these before it knows the interface: it accepts no narrower resource.
          actions: [
            'ec2:CreateNetworkInterface',
            'ec2:DescribeNetworkInterfaces',
            'ec2:DescribeSubnets',
            'ec2:DeleteNetworkInterface',
            'ec2:AssignPrivateIpAddresses',
            'ec2:UnassignPrivateIpAddresses',
          ],
          resources: ['*'],
        }),
      );
    }
  }
}

/** A shipped function that runs as it is, from a zip. */
export function zipFunction(
  scope: Construct,
  id: string,
  bundle: ZipBundle,
  options: FunctionOptions,
): lambda.Function {
  const own = new OwnRole(scope, `${id}Own`, options);
  return new lambda.Function(scope, id, {
    ...options,
    role: own.role,
    logGroup: own.logGroup,
    code: new ShippedCode(bundleFolder(bundle)),
    handler: 'index.handler',
    runtime: lambda.Runtime.NODEJS_24_X,
    architecture: lambda.Architecture.ARM_64,
  });
}

/** The worker, whose image has the database client tools; it is built when the app is deployed, not when synthesized. */
export function workerFunction(
  scope: Construct,
  id: string,
  options: FunctionOptions,
): lambda.DockerImageFunction {
  const own = new OwnRole(scope, `${id}Own`, options);
  const code = lambda.DockerImageCode.fromImageAsset(bundleFolder('worker'), {
    platform: Platform.LINUX_ARM64,
  });
  return new lambda.DockerImageFunction(scope, id, {
    ...options,
    role: own.role,
    logGroup: own.logGroup,
    code,
    architecture: lambda.Architecture.ARM_64,
  });
}
