import { join } from 'node:path';
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledgeWildcards } from '../acknowledge';
import type { BoundValidator } from './restore-validator';

export interface ValidationFunctionProps {
  readonly planName: string;
  readonly validators: BoundValidator[];
  readonly vpc?: ec2.IVpc;
  readonly vpcSubnets?: ec2.SubnetSelection;
  readonly securityGroups?: ec2.ISecurityGroup[];
}

/** The shipped function that judges restored resources, with the permissions of one selection's validators and no more. */
export class ValidationFunction extends Construct {
  public readonly function: lambda.Function;

  constructor(scope: Construct, id: string, props: ValidationFunctionProps) {
    super(scope, id);
    const logGroup = new logs.LogGroup(this, 'Log', {
      retention: logs.RetentionDays.ONE_YEAR,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const role = new iam.Role(this, 'Role', {
      description: 'Judges restored resources and tells AWS Backup',
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    });
    // A policy of its own, complete before the function is made: the function's default one would come too late.
    const own = [
      // Restore jobs have no ARN; both actions accept no narrower resource.
      statement(['backup:DescribeRestoreJob', 'backup:PutRestoreValidationResult'], ['*']),
      statement(['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroup.logGroupArn]),
    ];
    for (const needed of [...own, ...props.validators.flatMap(({ statements }) => statements)]) {
      role.addToPolicy(needed);
    }
    if (props.vpc) {
      // Lambda asks before the interface exists: these accept no narrower resource.
      role.addToPolicy(statement(VPC_ACTIONS, ['*']));
    }
    for (const { grant } of props.validators) grant?.(role);
    acknowledgeWildcards(role, WILDCARDS);
    this.function = new lambda.Function(this, 'Function', {
      description: `Judges what the restore testing plan ${props.planName} has restored`,
      code: lambda.Code.fromAsset(join(__dirname, '../../lambda/validate-restore')),
      handler: 'index.handler',
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      memorySize: 1024,
      timeout: Duration.minutes(15),
      role,
      logGroup,
      environment: {
        DRILL_PLAN: props.planName,
        // Lambda keeps the authorities of RDS there, and Node.js reads them only when told to.
        NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem',
      },
      vpc: props.vpc,
      vpcSubnets: props.vpcSubnets,
      securityGroups: props.securityGroups,
    });
  }
}

const VPC_ACTIONS = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

const WILDCARDS =
  'Restore jobs have no ARN and describe calls of EC2 accept none; resources restored as a test have generated names ' +
  'of which only the beginning is known; any object of a bucket, version of a function or table may be the one under test';

const statement = (actions: string[], resources: string[]) => new iam.PolicyStatement({ actions, resources });
