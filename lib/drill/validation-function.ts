import { Duration } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { acknowledgeWildcards } from '../acknowledge';
import { zipFunction } from '../shipped-functions';
import type { BoundValidator } from './restore-validator';

export interface ValidationFunctionProps {
  readonly planName: string;
  readonly validators: BoundValidator[];
  readonly vpc?: ec2.IVpc;
  readonly vpcSubnets?: ec2.SubnetSelection;
  readonly securityGroups?: ec2.ISecurityGroup[];
}

const WILDCARDS =
  'Restore jobs have no ARN and describe calls of EC2 accept none; resources restored as a test have generated names ' +
  'of which only the beginning is known; any object of a bucket, version of a function or table may be the one under test';

/** The shipped function that judges restored resources, with the permissions of one selection's validators and no more. */
export function validationFunction(
  scope: Construct,
  id: string,
  { planName, validators, ...network }: ValidationFunctionProps,
): lambda.Function {
  const handler = zipFunction(scope, id, 'validate-restore', {
    description: `Judges what the restore testing plan ${planName} has restored`,
    memorySize: 1024,
    timeout: Duration.minutes(15),
    statements: [
      // Restore jobs have no ARN; both actions accept no narrower resource.
      new iam.PolicyStatement({
        actions: ['backup:DescribeRestoreJob', 'backup:PutRestoreValidationResult'],
        resources: ['*'],
      }),
      ...validators.flatMap(({ statements }) => statements),
    ],
    environment: {
      DRILL_PLAN: planName,
      // Lambda keeps the authorities of RDS there, and Node.js reads them only when told to.
      NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem',
    },
    ...network,
  });
  for (const { grant } of validators) grant?.(handler.role!);
  acknowledgeWildcards(handler.role!, WILDCARDS);
  return handler;
}
