import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { bundleFolder } from '../bundles';

export interface TenantTaskOptions {
  readonly environment: { [name: string]: string };
  readonly vpc: ec2.IVpc;
  readonly vpcSubnets?: ec2.SubnetSelection;
  readonly securityGroups: ec2.ISecurityGroup[];
  readonly cpu: number;
  readonly memoryLimitMiB: number;
  readonly ephemeralStorageGiB: number;
}

/** Of the container, and what its log streams begin with: the report names them by it. */
const NAME = 'worker';

/** The worker as a task of Fargate: the same image, one event, no limit of time. */
export class TenantTask extends Construct implements iam.IGrantable {
  public readonly cluster: ecs.Cluster;
  public readonly definition: ecs.FargateTaskDefinition;
  /** The task's own role; another one pulls the image and writes the log. */
  public readonly grantPrincipal: iam.IPrincipal;
  public readonly role: iam.Role;
  private readonly executionRole: iam.Role;
  private readonly container: ecs.ContainerDefinition;
  private readonly network: object;
  private readonly log: logs.LogGroup;

  constructor(scope: Construct, id: string, options: TenantTaskOptions) {
    super(scope, id);
    const { vpc, environment } = options;
    const { region, account, partition } = Stack.of(this);
    this.cluster = new ecs.Cluster(this, 'Cluster', { vpc });
    this.role = new iam.Role(this, 'Role', {
      description: 'Works on large tenants; reaches archives only as one tenant at a time',
      assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': account },
          ArnLike: { 'aws:SourceArn': `arn:${partition}:ecs:${region}:${account}:*` },
        },
      }),
    });
    this.grantPrincipal = this.role;
    this.executionRole = new iam.Role(this, 'ExecutionRole', {
      description: 'Fetches the image of the worker and writes its log',
      assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com'),
    });
    this.definition = new ecs.FargateTaskDefinition(this, 'Definition', {
      cpu: options.cpu,
      memoryLimitMiB: options.memoryLimitMiB,
      ephemeralStorageGiB: options.ephemeralStorageGiB,
      runtimePlatform: {
        cpuArchitecture: ecs.CpuArchitecture.ARM64,
        operatingSystemFamily: ecs.OperatingSystemFamily.LINUX,
      },
      taskRole: this.role,
      executionRole: this.executionRole,
    });
    // As the function's: the same folder and platform make the same image, which is built and stored once.
    const image = new DockerImageAsset(this, 'Image', {
      directory: bundleFolder('worker'),
      platform: Platform.LINUX_ARM64,
    });
    this.log = new logs.LogGroup(this, 'Log', {
      retention: logs.RetentionDays.ONE_YEAR,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.container = this.definition.addContainer(NAME, {
      image: ecs.ContainerImage.fromDockerImageAsset(image),
      environment: { ...environment, AWS_REGION: region },
      // To abort an upload, drop a side database and say what happened; Fargate gives no more.
      stopTimeout: Duration.seconds(120),
      logging: ecs.LogDrivers.awsLogs({
        streamPrefix: NAME,
        logGroup: this.log,
      }),
    });
    this.network = {
      AwsvpcConfiguration: {
        Subnets: vpc.selectSubnets(options.vpcSubnets).subnetIds,
        SecurityGroups: options.securityGroups.map(({ securityGroupId }) => securityGroupId),
        AssignPublicIp: 'DISABLED',
      },
    };
  }

  public addEnvironment(name: string, value: string): void {
    this.container.addEnvironment(name, value);
  }

  /** Arguments of `RunTask`, as Step Functions takes them; the event is a path or a function of States. */
  public runWith(event: string): object {
    return {
      Cluster: this.cluster.clusterArn,
      // The newest revision: what a run began with may have been replaced meanwhile.
      TaskDefinition: this.definition.family,
      LaunchType: 'FARGATE',
      NetworkConfiguration: this.network,
      Overrides: {
        ContainerOverrides: [{ Name: NAME, Environment: [{ Name: 'SOVEREIGN_EVENT', 'Value.$': event }] }],
      },
    };
  }

  /** Lets the report of a run read what a task said last: it has nothing but an exit code to give otherwise. */
  public tellReason(report: lambda.Function): void {
    const { partition, region, account } = Stack.of(this);
    const { logGroupName } = this.log;
    report.addEnvironment('SOVEREIGN_TASK_LOG_GROUP', logGroupName);
    iam.Grant.addToPrincipal({
      grantee: report,
      actions: ['logs:GetLogEvents'],
      resourceArns: [
        `arn:${partition}:logs:${region}:${account}:log-group:${logGroupName}:log-stream:${NAME}/*`,
      ],
    });
  }

  /** What whoever starts the task and waits for it has to be allowed, and nothing more. */
  public runStatements(): iam.PolicyStatement[] {
    const { region, account, partition } = Stack.of(this);
    return [
      new iam.PolicyStatement({
        sid: 'RunLargeTenants',
        actions: ['ecs:RunTask'],
        // Any revision: a deployment makes the next one before this policy could name it.
        resources: [`arn:${partition}:ecs:${region}:${account}:task-definition/${this.definition.family}:*`],
        conditions: { ArnEquals: { 'ecs:cluster': this.cluster.clusterArn } },
      }),
      new iam.PolicyStatement({
        sid: 'FollowLargeTenants',
        actions: ['ecs:DescribeTasks', 'ecs:StopTask'],
        resources: [`arn:${partition}:ecs:${region}:${account}:task/${this.cluster.clusterName}/*`],
      }),
      new iam.PolicyStatement({
        sid: 'GiveTheTaskItsRoles',
        actions: ['iam:PassRole'],
        resources: [this.role.roleArn, this.executionRole.roleArn],
        conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
      }),
      new iam.PolicyStatement({
        sid: 'HearOfTheTasksEnd',
        actions: ['events:PutTargets', 'events:PutRule', 'events:DescribeRule'],
        // Step Functions' own rule, one of the whole account.
        resources: [`arn:${partition}:events:${region}:${account}:rule/StepFunctionsGetEventsForECSTaskRule`],
      }),
    ];
  }
}
