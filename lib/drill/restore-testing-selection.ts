import { Duration, Names, Stack } from 'aws-cdk-lib';
import { CfnRestoreTestingSelection } from 'aws-cdk-lib/aws-backup';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import { EventField, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type { aws_backup } from 'aws-cdk-lib/interfaces';
import { Construct } from 'constructs';
import { acknowledge, acknowledgeManagedPolicies, CONTROL_PACKS, inPacks } from '../acknowledge';
import type { ResourceType } from '../plan';
import { addProblem, addWarning } from '../problems';
import { selectionProblems } from './drill-check';
import type { RestoreValidator } from './restore-validator';
import { validationFunction } from './validation-function';

/** Which resources are restored as a test, and how the result is judged. */
export interface RestoreTestingSelectionOptions {
  /**
   * The type of the resources: Aurora, DocumentDB, DynamoDB, EBS, EC2, EFS, FSx, Neptune, RDS or S3. Another type
   * replaces the selection.
   */
  readonly resourceType: ResourceType;

  /**
   * ARNs of the resources, at most 30, without wildcards. One recovery point of each is restored in every run.
   *
   * @default - all resources of the type
   */
  readonly resources?: string[];

  /**
   * Only resources whose newest recovery point has all of these tags. Not together with `resources`.
   *
   * @default - whatever their tags
   */
  readonly tags?: { [key: string]: string };

  /**
   * Who judges what was restored. All of them must be content.
   *
   * @default - nobody: that the restore itself succeeded is all that is known
   */
  readonly validators?: RestoreValidator[];

  /**
   * How long the restored resource is kept for the validators; AWS Backup deletes it after the verdict in any case.
   * Whole hours, up to 168.
   *
   * @default Duration.hours(8) with validators, otherwise deleted at once
   */
  readonly validationWindow?: Duration;

  /**
   * What is restored otherwise than AWS Backup infers, as `{ dbSubnetGroupName: 'drills' }`: restore into a network
   * that reaches nothing live.
   *
   * @default - as inferred from the recovery point
   * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing-inferred-metadata.html
   */
  readonly restoreMetadata?: { [key: string]: string };

  /**
   * The role that AWS Backup restores with.
   *
   * @default - a new role with the managed policies for restores. To restore instances that have an instance profile,
   * let `restoreRole` pass its role: `profileRole.grantPassRole(selection.restoreRole)`
   */
  readonly role?: iam.IRole;

  /**
   * The network of the validating function. It needs a way to AWS Backup, and to the services the validators ask.
   *
   * @default - none
   */
  readonly vpc?: ec2.IVpc;

  /**
   * Subnets of the validating function.
   *
   * @default - private ones
   */
  readonly vpcSubnets?: ec2.SubnetSelection;

  /**
   * Security groups of the validating function; the restored resources must let them in.
   *
   * @default - a new one
   */
  readonly securityGroups?: ec2.ISecurityGroup[];
}

/** A selection on its own; usually made with `plan.addSelection()`. */
export interface RestoreTestingSelectionProps extends RestoreTestingSelectionOptions {
  /** The plan whose schedule it follows. */
  readonly plan: aws_backup.IRestoreTestingPlanRef;
}

/** Resources of one type that a restore testing plan restores and has judged. */
export class RestoreTestingSelection extends Construct {
  /** The role that AWS Backup restores with. */
  public readonly restoreRole: iam.IRole;

  /** The function that judges; undefined without validators. */
  public readonly validationFunction?: lambda.Function;

  /** @internal */
  public readonly _takes: { readonly type: string; readonly all: boolean };

  constructor(scope: Construct, id: string, props: RestoreTestingSelectionProps) {
    super(scope, id);
    const resources = props.resources ?? [];
    const tags = Object.entries(props.tags ?? {});
    const validators = props.validators ?? [];
    const window = props.validationWindow ?? (validators.length > 0 ? Duration.hours(8) : undefined);
    const name = Names.uniqueResourceName(this, {
      maxLength: 50,
      separator: '_',
      allowedSpecialCharacters: '_',
    });
    const type = props.resourceType.name;
    this._takes = { type, all: resources.length === 0 };
    const declaration = {
      name,
      type,
      resources,
      tags: tags.length,
      validationWindow: window,
      validated: validators.length > 0,
    };
    for (const problem of selectionProblems(declaration)) addProblem(this, problem);

    this.restoreRole = props.role ?? restoreRole(this, type);
    const { restoreTestingPlanName, restoreTestingPlanArn } = props.plan.restoreTestingPlanRef;
    new CfnRestoreTestingSelection(this, 'Resource', {
      restoreTestingPlanName,
      restoreTestingSelectionName: name,
      protectedResourceType: type,
      protectedResourceArns: resources.length > 0 ? resources : ['*'],
      protectedResourceConditions:
        tags.length > 0
          ? { stringEquals: tags.map(([key, value]) => ({ key: `aws:ResourceTag/${key}`, value })) }
          : undefined,
      restoreMetadataOverrides: props.restoreMetadata,
      validationWindowHours: window?.toHours(),
      iamRoleArn: this.restoreRole.roleArn,
    });
    if (validators.length === 0) {
      addWarning(
        this,
        'drill-not-judged',
        'nobody looks at what it restores: give it validators, such as RestoreValidator.judgedBy(yourFunction)',
      );
      return;
    }
    this.validationFunction = this.judge(props, restoreTestingPlanName, restoreTestingPlanArn);
  }

  private judge(props: RestoreTestingSelectionProps, planName: string, planArn: string): lambda.Function {
    const sources = props.resources ?? [];
    const type = props.resourceType.name;
    const target = { stack: Stack.of(this), sources, inVpc: props.vpc !== undefined };
    const bound = props.validators!.map((validator) => validator._bind(type, target));
    for (const problem of bound.flatMap(({ problems }) => problems)) addProblem(this, problem);
    const handler = validationFunction(this, 'Validation', {
      planName,
      validators: bound,
      vpc: props.vpc,
      vpcSubnets: props.vpcSubnets,
      securityGroups: props.securityGroups,
    });
    new Rule(this, 'Restored', {
      description: `Judges the ${type} resources that a restore test has restored`,
      eventPattern: {
        source: ['aws.backup'],
        detailType: ['Restore Job State Change'],
        detail: {
          restoreTestingPlanArn: [planArn],
          resourceType: [type],
          // The documentation says `status` for restore jobs, and that some events say `state`.
          $or: [{ status: ['COMPLETED'] }, { state: ['COMPLETED'] }],
        },
      },
      targets: [
        new LambdaFunction(handler, {
          event: RuleTargetInput.fromObject({
            restoreJobId: EventField.fromPath('$.detail.restoreJobId'),
            ...(sources.length > 0 ? { sources } : {}),
            checks: bound.map(({ check }) => check),
          }),
          maxEventAge: Duration.hours(4),
        }),
      ],
    });
    acknowledge(this, {
      ...inPacks(CONTROL_PACKS, 'IAMNoInlinePolicy', 'Each policy belongs to one role and goes with it'),
      ...inPacks(CONTROL_PACKS, 'LambdaConcurrency', 'A run restores a known number of resources, each once'),
      ...inPacks(CONTROL_PACKS, 'LambdaDLQ', 'AWS Backup tells of every restore that was not judged in time'),
      ...inPacks(
        CONTROL_PACKS,
        'LambdaInsideVPC',
        'Inside the network of what it judges, where it needs one',
      ),
      ...inPacks(
        CONTROL_PACKS,
        'CloudWatchLogGroupEncrypted',
        'CloudWatch encrypts logs; these name resources only',
      ),
    });
    return handler;
  }
}

function restoreRole(scope: Construct, type: string): iam.Role {
  const names = ['service-role/AWSBackupServiceRolePolicyForRestores'];
  if (type === 'S3') names.push('AWSBackupServiceRolePolicyForS3Restore');
  const role = new iam.Role(scope, 'RestoreRole', {
    description: 'AWS Backup restores resources as a test, and deletes them again',
    assumedBy: new iam.ServicePrincipal('backup.amazonaws.com'),
    managedPolicies: names.map((name) => iam.ManagedPolicy.fromAwsManagedPolicyName(name)),
  });
  acknowledgeManagedPolicies(
    role,
    'AWS keeps the policy in step with what AWS Backup restores; a copy of it would fall behind, and restores with it',
  );
  return role;
}
