import { Size } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import {
  DatabaseServer,
  ExternalStore,
  type LargeTenants,
  TenantBackups,
  type TenantBackupsProps,
  TenantDrill,
  TenantSource,
} from 'cdk-sovereign-backup';
import { lint } from '../support/cfn-lint';
import { withAwsSolutions } from '../support/nag';
import { type Definition, definitionOf } from '../support/states';
import { appWith, complaint, stackIn } from '../synth';

function backups(
  largeTenants: LargeTenants | undefined,
  props: Partial<TenantBackupsProps> = {},
  region = 'eu-central-1',
) {
  const app = appWith();
  const stack = stackIn(region, app);
  const server = DatabaseServer.fromEndpoint({
    host: 'db.example.internal',
    user: 'backup',
    secret: Secret.fromSecretNameV2(stack, 'Login', 'db/backup'),
  });
  const vpc = Vpc.fromVpcAttributes(stack, 'Vpc', {
    vpcId: 'vpc-0123456789abcdef0',
    availabilityZones: [`${region}a`],
    privateSubnetIds: ['subnet-0123456789abcdef0'],
    privateSubnetRouteTableIds: ['rtb-0123456789abcdef0'],
  });
  const made = new TenantBackups(stack, 'Tenants', {
    source: TenantSource.discover(server, 'tenant\\_%'),
    vpc,
    largeTenants,
    ...props,
  });
  return { app, stack, made, server, template: () => Template.fromStack(stack) };
}

interface Statement {
  readonly Sid?: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}
const statementsOf = (template: Template): Statement[] =>
  Object.values(template.findResources('AWS::IAM::Policy')).flatMap(
    (policy) => policy.Properties.PolicyDocument.Statement as Statement[],
  );
const { stack, made, template } = backups({});
new TenantDrill(stack, 'Drill', { backups: made });
const whole = template();

const machines = Object.values(whole.findResources('AWS::StepFunctions::StateMachine')).map(definitionOf);
const runs = machines.filter(({ States }) => 'EachTenant' in States);

test('the reports of runs and of drills may read what a task said last, and nothing else of logs', () => {
  const statements = Object.values(whole.findResources('AWS::IAM::Policy'))
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
    .filter(({ Action }) => /logs:(Get|Filter)\w*Event/.test(String(Action)));
  expect(statements).toHaveLength(2);
  for (const { Action, Resource } of statements) {
    expect(Action).toBe('logs:GetLogEvents');
    expect(JSON.stringify(Resource)).toMatch(/LargeTenantsLog\w+"\},":log-stream:worker\/\*"/);
  }
});

test.each([
  ['Dump', 'dump'],
  ['Drill', 'drill'],
])(
  '%s: who is large goes to a task, who is not to the function, and to a task when its time is over',
  (state, action) => {
    const found = runs.find(({ States }) => state in (States.EachTenant!.ItemProcessor as Definition).States);
    const { StartAt, States } = found!.States.EachTenant!.ItemProcessor as Definition;
    expect(StartAt).toBe('IsLarge');
    expect(States.IsLarge).toMatchObject({
      Type: 'Choice',
      Choices: [
        {
          And: [
            { Variable: '$.bytes', IsPresent: true },
            { Variable: '$.bytes', NumericGreaterThanEquals: 10 * 1024 ** 3 },
          ],
          Next: 'EventOfTask',
        },
      ],
      Default: state,
    });
    expect(States[state]).toMatchObject({
      Catch: [
        {
          ErrorEquals: ['TenantTimeError', 'Sandbox.Timedout'],
          ResultPath: '$.outOfTime',
          Next: 'EventOfTask',
        },
      ],
    });
    expect((States[state]!.Retry as object[]).at(-2)).toMatchObject({
      ErrorEquals: ['TenantTimeError', 'Sandbox.Timedout'],
      MaxAttempts: 0,
    });
    expect(States.EventOfTask).toMatchObject({
      Parameters: { action, 'tenant.$': '$.tenant', 'database.$': '$.database' },
      ResultPath: '$.event',
      Next: 'RunTask',
    });
    expect(States.RunTask).toMatchObject({
      Resource: 'arn:aws:states:::ecs:runTask.sync',
      Parameters: {
        LaunchType: 'FARGATE',
        NetworkConfiguration: {
          AwsvpcConfiguration: { Subnets: ['subnet-0123456789abcdef0'], AssignPublicIp: 'DISABLED' },
        },
        Overrides: {
          ContainerOverrides: [
            {
              Name: 'worker',
              // A tenant's name is data: made JSON by Step Functions, never pasted into a text.
              Environment: [{ Name: 'SOVEREIGN_EVENT', 'Value.$': 'States.JsonToString($.event)' }],
            },
          ],
        },
      },
      ResultSelector: { 'exitCode.$': 'States.ArrayGetItem($.Containers[*].ExitCode, 0)' },
      Next: 'EndedWell',
    });
    expect(States.EndedWell).toMatchObject({
      Choices: [{ Variable: '$.exitCode', NumericEquals: 0, Next: 'Done' }],
      Default: 'TaskFailed',
    });
  },
);

test('the task is the function in another place: its image, its settings, its security group', () => {
  const [task] = Object.values(whole.findResources('AWS::ECS::TaskDefinition'));
  const functions = Object.values(whole.findResources('AWS::Lambda::Function'));
  const worker = functions.find(({ Properties }) => Properties.PackageType === 'Image')!.Properties;
  const [container] = task!.Properties.ContainerDefinitions;
  expect(container.Image).toEqual(worker.Code.ImageUri);
  const environment = Object.fromEntries(
    container.Environment.map(({ Name, Value }: { Name: string; Value: unknown }) => [Name, Value]),
  );
  // The function alone has a task that goes on for it.
  const { SOVEREIGN_TASK_FOLLOWS, ...told } = worker.Environment.Variables;
  expect(SOVEREIGN_TASK_FOLLOWS).toBe('true');
  expect(environment).toEqual({ ...told, AWS_REGION: 'eu-central-1' });
  expect(task!.Properties).toMatchObject({
    RequiresCompatibilities: ['FARGATE'],
    RuntimePlatform: { CpuArchitecture: 'ARM64', OperatingSystemFamily: 'LINUX' },
    Cpu: '2048',
    Memory: '4096',
    EphemeralStorage: { SizeInGiB: 100 },
  });
  expect(container).toMatchObject({ StopTimeout: 120, LogConfiguration: { LogDriver: 'awslogs' } });
  const { SecurityGroupIds } = worker.VpcConfig;
  for (const { States } of runs) {
    const { RunTask } = (States.EachTenant!.ItemProcessor as Definition).States;
    const network = (RunTask!.Parameters as { NetworkConfiguration: { AwsvpcConfiguration: object } })
      .NetworkConfiguration.AwsvpcConfiguration;
    expect(network).toMatchObject({ SecurityGroups: [SecurityGroupIds[0]['Fn::GetAtt'].join('.')] });
  }
  const groups = Object.values(whole.findResources('AWS::Logs::LogGroup'));
  expect(groups.every(({ Properties }) => Properties.RetentionInDays === 365)).toBe(true);
});

test('task and function may the same, by roles of their own', () => {
  const policies = Object.values(whole.findResources('AWS::IAM::Policy')).map(({ Properties }) => Properties);
  const becoming = policies.filter(({ PolicyDocument }) =>
    PolicyDocument.Statement.some(({ Sid }: Statement) => Sid === 'BecomeOneTenant'),
  );
  const own = ['OwnLog', 'Interfaces'];
  const [first, second] = becoming.map(({ PolicyDocument }) =>
    PolicyDocument.Statement.filter(({ Sid }: Statement) => !own.includes(Sid ?? '')),
  );
  expect(becoming).toHaveLength(2);
  expect(first).toEqual(second);
  const [task] = Object.values(whole.findResources('AWS::ECS::TaskDefinition'));
  const { TaskRoleArn, ExecutionRoleArn } = task!.Properties;
  expect(TaskRoleArn).not.toEqual(ExecutionRoleArn);
  // Who fetches the image can reach no archive and no secret.
  const fetching = policies.find(({ Roles }) => Roles[0].Ref === ExecutionRoleArn['Fn::GetAtt'][0]);
  const actions = fetching!.PolicyDocument.Statement.flatMap(({ Action }: Statement) => Action);
  expect(actions.every((action: string) => /^(ecr|logs):/.test(action))).toBe(true);
});

test('who starts the task may start this one, with its two roles, for ECS alone', () => {
  const statements = statementsOf(whole);
  const of = (sid: string) => statements.filter(({ Sid }) => Sid === sid);
  const [cluster] = Object.keys(whole.findResources('AWS::ECS::Cluster'));
  const [task] = Object.values(whole.findResources('AWS::ECS::TaskDefinition'));
  // Dumps, drills and operators.
  expect(of('RunLargeTenants')).toHaveLength(3);
  expect(of('RunLargeTenants')[0]).toMatchObject({
    Action: 'ecs:RunTask',
    Condition: { ArnEquals: { 'ecs:cluster': { 'Fn::GetAtt': [cluster, 'Arn'] } } },
  });
  // A deployment that is under way has made a newer revision than the one that it tells of.
  expect(JSON.stringify(of('RunLargeTenants')[0]!.Resource)).toContain(
    `:task-definition/${task!.Properties.Family}:*`,
  );
  expect(of('GiveTheTaskItsRoles')[0]).toMatchObject({
    Action: 'iam:PassRole',
    Resource: [task!.Properties.TaskRoleArn, task!.Properties.ExecutionRoleArn],
    Condition: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
  });
  expect(JSON.stringify(of('FollowLargeTenants')[0]!.Resource)).toContain(
    `:task/",{"Ref":"${cluster}"},"/*"`,
  );
  expect(JSON.stringify(of('HearOfTheTasksEnd')[0]!.Resource)).toContain(
    ':rule/StepFunctionsGetEventsForECSTaskRule',
  );
  const passing = statements.filter(({ Action }) => [Action].flat().includes('iam:PassRole'));
  expect(passing.every(({ Sid }) => Sid === 'GiveTheTaskItsRoles')).toBe(true);
  const everywhere = statements.filter(({ Resource }) => Resource === '*').flatMap(({ Action }) => Action);
  expect(everywhere.filter((action) => /^(ecs|iam|s3|kms|sts|events):/.test(action))).toEqual([]);
});

test('operators have a large tenant restored by an execution, whose input is the event', () => {
  const operating = machines.find(({ StartAt }) => StartAt === 'RunTask')!;
  expect(operating.States.RunTask!.Parameters).toMatchObject({
    Overrides: {
      ContainerOverrides: [
        { Environment: [{ Name: 'SOVEREIGN_EVENT', 'Value.$': 'States.JsonToString($)' }] },
      ],
    },
  });
  // Nothing is restored twice because of an error.
  expect(operating.States.RunTask!.Retry).toHaveLength(1);
  const fresh = backups({});
  const operator = new Role(fresh.stack, 'Operator', {
    assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
  });
  fresh.made.grantOperate(operator).assertSuccess();
  const actions = statementsOf(fresh.template()).flatMap(({ Action }) => Action);
  expect(actions).toContain('states:StartExecution');
  expect(fresh.made.largeTenantWorker).toBeDefined();
});

test('a tenant of a list has a size, too: the server is asked for it', () => {
  const listed = backups({ threshold: Size.gibibytes(40) });
  new TenantBackups(listed.stack, 'Listed', {
    source: TenantSource.list(listed.server, [{ tenant: 'a' }]),
    vpc: Vpc.fromVpcAttributes(listed.stack, 'Other', {
      vpcId: 'vpc-0123456789abcdef0',
      availabilityZones: ['eu-central-1a'],
      privateSubnetIds: ['subnet-0123456789abcdef0'],
    }),
    largeTenants: {},
  });
  const made = listed.template();
  const variables = Object.values(made.findResources('AWS::Lambda::Function')).map(
    ({ Properties }) => Properties.Environment?.Variables ?? {},
  );
  expect(variables.filter((each) => each.SOVEREIGN_MEASURE_SIZES === 'true')).toHaveLength(2);
  expect(variables.filter((each) => 'SOVEREIGN_LIST_KEY' in each)).toHaveLength(1);
  expect(JSON.stringify(made.findResources('AWS::StepFunctions::StateMachine'))).toContain(
    `NumericGreaterThanEquals\\":${40 * 1024 ** 3}`,
  );
  expect(complaint(listed.app)).toBe('');
});

test('with several stores a failed task is not tried again: some of them may have the archive', () => {
  const retriesOf = (props: Partial<TenantBackupsProps>) => {
    const [run] = Object.values(
      backups({}, props).template().findResources('AWS::StepFunctions::StateMachine'),
    )
      .map(definitionOf)
      .filter(({ States }) => 'EachTenant' in States);
    const { RunTask } = (run!.States.EachTenant!.ItemProcessor as Definition).States;
    return RunTask!.Retry as { ErrorEquals: string[] }[];
  };
  expect(retriesOf({}).at(-1)!.ErrorEquals).toEqual(['States.ALL']);
  const store = ExternalStore.s3Compatible({
    endpoint: 'https://s3.fr-par.scw.cloud',
    bucket: 'acme-copies',
    region: 'fr-par',
    country: 'FR',
    credentials: Secret.fromSecretNameV2(stackIn('eu-central-1'), 'Scaleway', 'scaleway'),
  });
  const [only, ...more] = retriesOf({ externalStores: [store] });
  expect(more).toEqual([]);
  expect(only!.ErrorEquals).toContain('ECS.ThrottlingException');
});

test('without it nothing of ECS is there, and the function is all there is', () => {
  const without = backups(undefined);
  expect(JSON.stringify(without.template().toJSON())).not.toMatch(/ecs[:-]|AWS::ECS|MEASURE_SIZES/);
  expect(without.made.largeTenantWorker).toBeUndefined();
});

test.each([
  [{ cpu: 3000 }, /largeTenants.cpu is 3000: Fargate gives 256, 512, 1024/],
  [{ memoryLimitMiB: 2048 }, /memoryLimitMiB is 2048: with 2048 CPU units, Fargate gives 4096 to 16384 MiB/],
  [{ cpu: 256, memoryLimitMiB: 1536 }, /memoryLimitMiB is 1536/],
  [{ ephemeralStorageGiB: 20 }, /ephemeralStorageGiB is 20: Fargate gives a whole number from 21 to 200/],
])('%p is refused', (large, message) => {
  expect(complaint(backups(large).app)).toMatch(message);
});

test.each([
  [{ threshold: Size.gibibytes(9) }, undefined, ''],
  [{}, undefined, ''],
  [
    { threshold: Size.gibibytes(10) },
    undefined,
    /of up to 10240 MiB .* disk of 10240 MiB.*lower the threshold to 9984 MiB or less/,
  ],
  [{ threshold: Size.gibibytes(2) }, Size.gibibytes(2), /disk of 2048 MiB/],
  [{ threshold: Size.gibibytes(2) }, Size.gibibytes(3), ''],
] as const)('several jobs need room for whoever the function begins: %j', (large, workerStorage, said) => {
  const found = complaint(backups(large, { dumps: { jobs: 2 }, workerStorage }).app);
  if (said === '') expect(found).toBe('');
  else expect(found).toMatch(said);
});

test.each([
  [undefined, 9984],
  [Size.gibibytes(2), 1792],
] as const)(
  'with several jobs and %j of disk, whoever does not fit there is large',
  (workerStorage, mebibytes) => {
    const { template } = backups({}, { dumps: { jobs: 2 }, workerStorage });
    expect(JSON.stringify(template().toJSON())).toContain(
      `NumericGreaterThanEquals\\":${mebibytes * 1024 ** 2}`,
    );
  },
);

test('outside of a VPC it is refused', () => {
  expect(complaint(backups({}, { vpc: undefined }).app)).toContain(
    '[Stack/Tenants] largeTenants is given and vpc is not',
  );
});

test.each(['us-gov-west-1', 'cn-north-1', 'eusc-de-east-1'])('in another partition: %s', (region) => {
  const elsewhere = backups({}, {}, region);
  expect(complaint(elsewhere.app)).toBe('');
  expect(JSON.stringify(elsewhere.template().toJSON())).not.toContain('arn:aws:');
});

test('cdk-nag and cfn-lint are content', async () => {
  // Nothing is asked of an app that was synthesized already.
  const fresh = backups({});
  new TenantDrill(fresh.stack, 'Drill', { backups: fresh.made });
  expect(complaint(withAwsSolutions(fresh.app))).toBe('');
  expect(await lint(fresh.app, fresh.stack)).toBe('');
});
