// The statements of policies in templates, and what may be granted on everything.

export interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource?: unknown;
  readonly Principal?: unknown;
  readonly Condition?: unknown;
}
export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, never>;
}

/** Every statement anywhere in the templates: of roles, keys, buckets, topics and vaults. */
export function* statements(value: unknown): Generator<Statement> {
  if (Array.isArray(value)) for (const item of value) yield* statements(item);
  else if (value && typeof value === 'object') {
    const record = value as Record<string, unknown>;
    if (typeof record.Effect === 'string' && record.Action) yield record as unknown as Statement;
    else for (const item of Object.values(record)) yield* statements(item);
  }
}

const identityTypes = ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy', 'AWS::IAM::Role'];
/** Every action that any role may do to every resource, with the reason. */
const withoutResource: readonly (readonly [actions: RegExp, reason: string])[] = [
  [
    /^ssm:(GetCommandInvocation|ListCommands|DescribeInstanceInformation)$/,
    'Systems Manager knows no resource for looking at commands and instances',
  ],
  [
    /^ec2:Describe(Instances|InstanceStatus|Volumes|Snapshots|Subnets|NetworkInterfaces)$/,
    'EC2 knows no resource for it',
  ],
  [
    /^ec2:(Create|Delete)NetworkInterface$/,
    'a function in a VPC: the interface is not there when Lambda checks it',
  ],
  [/^ec2:(Una|A)ssignPrivateIpAddresses$/, 'a function in a VPC: as before'],
  [
    /^xray:(PutTraceSegments|PutTelemetryRecords|GetSamplingRules|GetSamplingTargets)$/,
    'X-Ray knows no resource',
  ],
  [
    /^logs:\w*(LogDeliver|ResourcePolic|LogGroups)\w*$/,
    'the delivery of logs of Step Functions knows no resource',
  ],
  [
    /^backup:(DescribeRestoreJob|PutRestoreValidationResult|List(Backup|Copy|Restore)Jobs)$/,
    'AWS Backup knows no resource for jobs',
  ],
  [
    /^(backup:ListRecoveryPointsByResource|tag:GetResources)$/,
    'what is protected is not known before it is asked',
  ],
];
const reasonFor = (action: string) => withoutResource.find(([actions]) => actions.test(action))?.[1];

/** Everything, or everything of a service. */
export const isWhole = (action: string) => /^(\*|[\w-]+:\*)$/.test(action);

/** Whether the resource says what somebody may do, and not who may do something to it. */
export const isOfIdentity = ({ Type }: Resource) => identityTypes.includes(Type);

/** What a role may do that nobody has given a reason for: whole services, and actions on everything. */
export function unreasoned(resource: Resource): string[] {
  return [...statements(resource.Properties)]
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap(({ Action, Resource: target }) =>
      [Action].flat().filter((action) => isWhole(action) || (target === '*' && !reasonFor(action))),
    );
}
