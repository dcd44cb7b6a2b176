// What services ask of IAM when they do what a template tells them: state machines, schedules, rules, alarms, tasks.
import { ACCOUNT, type Deployed, one, REGION } from './deployed';
import { type IamRequest, TLS } from './iam-requests';

export interface ByService extends IamRequest {
  readonly by: string;
  /** The role that the service has taken on; without one it asks in its own name. */
  readonly role?: string;
  readonly service?: string;
}

const here = (service: string, rest: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`;
const ask = (action: string, resource: string, context: IamRequest['context'] = {}): IamRequest => ({
  action,
  resource,
  context,
});

/** Every request of every service, by what makes it. */
export function byServices(all: readonly Deployed[]): ByService[] {
  return all.flatMap((each): ByService[] => {
    const { id: by, properties } = each;
    const as = (role: string, requests: readonly IamRequest[]) => requests.map((r) => ({ by, role, ...r }));
    switch (each.type) {
      case 'AWS::Lambda::Function':
        return as(properties.Role, ofFunction(each));
      case 'AWS::StepFunctions::StateMachine':
        return as(properties.RoleArn, ofMachine(each, all));
      case 'AWS::Scheduler::Schedule':
        return as(properties.Target.RoleArn, [starting(properties.Target.Arn)]);
      case 'AWS::ECS::TaskDefinition':
        return as(properties.ExecutionRoleArn, ofTask(each));
      case 'AWS::CloudWatch::Alarm':
        return [
          ...new Set<string>([...(properties.AlarmActions ?? []), ...(properties.OKActions ?? [])]),
        ].flatMap((topic) =>
          publishing(by, 'cloudwatch.amazonaws.com', topic, all, {
            'aws:SourceAccount': ACCOUNT,
            'aws:SourceArn': each.arn,
          }),
        );
      case 'AWS::Backup::BackupVault':
        return properties.Notifications
          ? publishing(by, 'backup.amazonaws.com', properties.Notifications.SNSTopicArn, all, {
              'aws:SourceAccount': ACCOUNT,
            })
          : [];
      case 'AWS::Events::Rule':
        return (properties.Targets as { Arn: string }[]).flatMap(({ Arn }) =>
          Arn.includes(':sns:')
            ? // Of EventBridge, SNS says that the conditions on a key must not name the source.
              publishing(by, 'events.amazonaws.com', Arn, all, {})
            : [
                {
                  by,
                  service: 'events.amazonaws.com',
                  ...ask('lambda:InvokeFunction', Arn, { 'AWS:SourceArn': each.arn }),
                },
              ],
        );
      default:
        return [];
    }
  });
}

/** Which service takes on which role, with what it tells of itself. */
export function trusting(all: readonly Deployed[]): ByService[] {
  const taken = (service: string, resource: string, by: Deployed): ByService => ({
    by: by.id,
    service: `${service}.amazonaws.com`,
    ...ask('sts:AssumeRole', resource, { 'aws:SourceAccount': ACCOUNT, 'aws:SourceArn': by.arn }),
  });
  return all.flatMap((each) => {
    const { properties } = each;
    switch (each.type) {
      case 'AWS::Lambda::Function':
        return [taken('lambda', properties.Role, each)];
      case 'AWS::StepFunctions::StateMachine':
        return [taken('states', properties.RoleArn, each)];
      case 'AWS::Scheduler::Schedule':
        return [taken('scheduler', properties.Target.RoleArn, each)];
      case 'AWS::ECS::TaskDefinition':
        return [properties.TaskRoleArn, properties.ExecutionRoleArn].map((role) =>
          taken('ecs-tasks', role, each),
        );
      case 'AWS::DLM::LifecyclePolicy':
        return [taken('dlm', properties.ExecutionRoleArn, each)];
      case 'AWS::Backup::BackupSelection':
        return [taken('backup', properties.BackupSelection.IamRoleArn, each)];
      case 'AWS::Backup::RestoreTestingSelection':
        return [taken('backup', properties.IamRoleArn, each)];
      default:
        return [];
    }
  });
}

function writing(log: string): IamRequest[] {
  const stream = here('logs', `log-group:${log}:log-stream:a`);
  return [ask('logs:CreateLogStream', stream), ask('logs:PutLogEvents', stream)];
}

function ofFunction({ properties }: Deployed): IamRequest[] {
  const interfaces = [
    'CreateNetworkInterface',
    'DescribeNetworkInterfaces',
    'DescribeSubnets',
    'DeleteNetworkInterface',
    'AssignPrivateIpAddresses',
    'UnassignPrivateIpAddresses',
  ];
  return [
    ...writing(properties.LoggingConfig.LogGroup),
    ...(properties.VpcConfig
      ? interfaces.map((name) =>
          ask(`ec2:${name}`, /^Describe/.test(name) ? '*' : here('ec2', 'network-interface/eni-0123')),
        )
      : []),
  ];
}

function ofTask({ properties }: Deployed): IamRequest[] {
  return (properties.ContainerDefinitions as Deployed['properties'][]).flatMap((container) => {
    const [registry, repository] = container.Image.split(/[/:@]/);
    const [, account, region] = /^(\d{12})\.dkr\.ecr\.([\w-]+)\./.exec(registry)!;
    const image = `arn:aws:ecr:${region}:${account}:repository/${repository}`;
    const log = container.LogConfiguration.Options['awslogs-group'];
    return [
      ask('ecr:GetAuthorizationToken', '*'),
      ...['BatchCheckLayerAvailability', 'GetDownloadUrlForLayer', 'BatchGetImage'].map((name) =>
        ask(`ecr:${name}`, image),
      ),
      ...writing(log),
    ];
  });
}

function starting(arn: string): IamRequest {
  return ask(arn.includes(':states:') ? 'states:StartExecution' : 'lambda:InvokeFunction', arn);
}

interface State {
  readonly Type: string;
  readonly Resource?: string;
  readonly Parameters?: Record<string, string>;
  readonly ItemProcessor?: { readonly ProcessorConfig?: { Mode?: string }; readonly States: States };
  readonly ItemReader?: { readonly Parameters: Record<string, string> };
  readonly ResultWriter?: { readonly Parameters: Record<string, string> };
  readonly Label?: string;
}
type States = Readonly<Record<string, State>>;

function ofMachine(machine: Deployed, all: readonly Deployed[]): IamRequest[] {
  const { properties, arn } = machine;
  const delivery = [
    'CreateLogDelivery',
    'GetLogDelivery',
    'UpdateLogDelivery',
    'DeleteLogDelivery',
    'ListLogDeliveries',
    'PutResourcePolicy',
    'DescribeResourcePolicies',
    'DescribeLogGroups',
  ];
  const traces = ['PutTraceSegments', 'PutTelemetryRecords', 'GetSamplingRules', 'GetSamplingTargets'];
  return [
    ...ofStates(JSON.parse(properties.DefinitionString).States, arn, all),
    ...(properties.LoggingConfiguration ? delivery.map((name) => ask(`logs:${name}`, '*')) : []),
    ...(properties.TracingConfiguration?.Enabled ? traces.map((name) => ask(`xray:${name}`, '*')) : []),
  ];
}

function ofStates(states: States, machine: string, all: readonly Deployed[]): IamRequest[] {
  return Object.values(states).flatMap((state): IamRequest[] => {
    if (state.Type === 'Map') return ofMap(state, machine, all);
    if (state.Type !== 'Task') {
      if (/^(Pass|Choice|Succeed|Fail|Wait)$/.test(state.Type)) return [];
      throw new Error(`nobody here knows what a state of type ${state.Type} asks`);
    }
    if (state.Resource!.includes(':lambda:')) {
      const name = state.Parameters?.FunctionName ?? state.Resource!;
      return [ask('lambda:InvokeFunction', name)];
    }
    if (state.Resource!.endsWith(':ecs:runTask.sync')) return runningTask(state.Parameters!, all);
    throw new Error(
      `nobody here knows what ${state.Resource} asks: teach it to test/support/service-requests.ts`,
    );
  });
}

/** @see https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html */
function ofMap(state: State, machine: string, all: readonly Deployed[]): IamRequest[] {
  const inner = ofStates(state.ItemProcessor!.States, machine, all);
  if (state.ItemProcessor!.ProcessorConfig?.Mode !== 'DISTRIBUTED') return inner;
  const execution = machine.replace(':stateMachine:', ':execution:');
  const objects = (bucket: string | undefined, key: string, ...actions: string[]) =>
    actions.map((name) => ask(`s3:${name}`, `arn:aws:s3:::${bucket}/${key}`, TLS));
  const read = state.ItemReader!.Parameters;
  const write = state.ResultWriter!.Parameters;
  // What comes with the input is a list that the functions have written to the bucket of the results.
  const [bucket, key] = read.Key ? [read.Bucket, read.Key] : [write.Bucket, 'runs/r1/tenants.json'];
  const results = `${write.Prefix}/0123/SUCCEEDED_0.json`;
  return [
    ...inner,
    ask('states:StartExecution', machine),
    ask('states:DescribeExecution', `${execution}:0123`),
    ask('states:StopExecution', `${execution}:0123`),
    ...objects(bucket, key!, 'GetObject'),
    ...objects(
      write.Bucket,
      results,
      'PutObject',
      'GetObject',
      'ListMultipartUploadParts',
      'AbortMultipartUpload',
    ),
  ];
}

function runningTask(
  { Cluster, TaskDefinition }: Record<string, string>,
  all: readonly Deployed[],
): IamRequest[] {
  const definition = one(all, 'AWS::ECS::TaskDefinition', /./);
  const { Family, TaskRoleArn, ExecutionRoleArn } = definition.properties;
  if (TaskDefinition !== Family)
    throw new Error(`${TaskDefinition} is not the task of the template, ${Family}`);
  const task = here('ecs', `task/${Cluster!.slice(Cluster!.indexOf('/') + 1)}/0123`);
  const rule = here('events', 'rule/StepFunctionsGetEventsForECSTaskRule');
  return [
    // The newest revision, which a deployment under way may just have made.
    ...[1, 2].map((revision) =>
      ask('ecs:RunTask', here('ecs', `task-definition/${Family}:${revision}`), { 'ecs:cluster': Cluster! }),
    ),
    ...['DescribeTasks', 'StopTask'].map((name) => ask(`ecs:${name}`, task, { 'ecs:cluster': Cluster! })),
    ...['PutTargets', 'PutRule', 'DescribeRule'].map((name) => ask(`events:${name}`, rule)),
    ...[TaskRoleArn, ExecutionRoleArn].map((role) =>
      ask('iam:PassRole', role, { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' }),
    ),
  ];
}

/** @see https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html */
function publishing(
  by: string,
  service: string,
  topicArn: string,
  all: readonly Deployed[],
  context: IamRequest['context'],
): ByService[] {
  const topic = all.find(({ arn }) => arn === topicArn);
  if (!topic) throw new Error(`${by} tells ${topicArn}, which is not in the template`);
  const key = topic.properties.KmsMasterKeyId as string | undefined;
  const used = { ...context, 'kms:EncryptionContext:aws:sns:topicArn': topicArn };
  return [
    ask('sns:Publish', topicArn, { ...context, 'aws:SecureTransport': 'true' }),
    ...(key ? [ask('kms:GenerateDataKey', key, used), ask('kms:Decrypt', key, used)] : []),
  ].map((request) => ({ by, service, ...request }));
}
