// A synthesized template as it would be once deployed: every reference is an ARN or a name, and roles have their policies.

export const REGION = 'eu-central-1';
/** The account of the stand-in for AWS. */
export const ACCOUNT = '123456789012';

export interface Deployed {
  readonly id: string;
  readonly type: string;
  readonly arn: string;
  // biome-ignore lint/suspicious/noExplicitAny: properties of any resource type
  readonly properties: Record<string, any>;
}

const PSEUDO: Readonly<Record<string, unknown>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': REGION,
  'AWS::AccountId': ACCOUNT,
  'AWS::URLSuffix': 'amazonaws.com',
  'AWS::NoValue': undefined,
  'AWS::StackName': 'Stack',
};

/** What follows `arn:aws:` of the resources that others refer to. */
const ARNS: Readonly<Record<string, (name: string) => string>> = {
  'AWS::S3::Bucket': (name) => `s3:::${name}`,
  'AWS::IAM::Role': (name) => `iam::${ACCOUNT}:role/${name}`,
  'AWS::KMS::Key': (name) => `kms:${REGION}:${ACCOUNT}:key/${name}`,
  'AWS::SecretsManager::Secret': (name) => `secretsmanager:${REGION}:${ACCOUNT}:secret:${name}`,
  'AWS::Lambda::Function': (name) => `lambda:${REGION}:${ACCOUNT}:function:${name}`,
  'AWS::StepFunctions::StateMachine': (name) => `states:${REGION}:${ACCOUNT}:stateMachine:${name}`,
  'AWS::Logs::LogGroup': (name) => `logs:${REGION}:${ACCOUNT}:log-group:${name}:*`,
  'AWS::SNS::Topic': (name) => `sns:${REGION}:${ACCOUNT}:${name}`,
  'AWS::ECS::Cluster': (name) => `ecs:${REGION}:${ACCOUNT}:cluster/${name}`,
  'AWS::ECS::TaskDefinition': (name) => `ecs:${REGION}:${ACCOUNT}:task-definition/${name}:1`,
  'AWS::Events::Rule': (name) => `events:${REGION}:${ACCOUNT}:rule/${name}`,
  'AWS::Backup::BackupVault': (name) => `backup:${REGION}:${ACCOUNT}:backup-vault:${name}`,
  'AWS::CloudWatch::Alarm': (name) => `cloudwatch:${REGION}:${ACCOUNT}:alarm:${name}`,
};
const REF_IS_ARN =
  /^AWS::(SNS::Topic|StepFunctions::StateMachine|SecretsManager::Secret|ECS::TaskDefinition)$/;

interface Resources {
  readonly [id: string]: { readonly Type: string; readonly Properties?: Record<string, unknown> };
}

/** `names`: physical names of resources, by their logical ids; the others are called as their ids. */
export function deploy(resources: Resources, names: Readonly<Record<string, string>> = {}): Deployed[] {
  const nameOf = (id: string): string => {
    const { Type, Properties = {} } = resources[id]!;
    if (names[id] !== undefined) return names[id];
    if (Type === 'AWS::ECS::TaskDefinition') return String(Properties.Family);
    // A bucket takes no capitals.
    return Type === 'AWS::S3::Bucket' ? id.toLowerCase().slice(0, 63) : id;
  };
  const arnOf = (id: string) => {
    const { Type } = resources[id]!;
    return `arn:aws:${ARNS[Type]?.(nameOf(id)) ?? `unknown:${REGION}:${ACCOUNT}:${Type}/${id}`}`;
  };
  const ref = (id: string): unknown => {
    if (id in PSEUDO) return PSEUDO[id];
    if (!(id in resources)) return id;
    return REF_IS_ARN.test(resources[id]!.Type) ? arnOf(id) : nameOf(id);
  };
  const attribute = ([id, name]: [string, string]) =>
    /Arn$/.test(name) ? arnOf(id) : /Name$/.test(name) ? nameOf(id) : `${id}.${name}`;

  function resolve(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(resolve);
    if (typeof value !== 'object' || value === null) return value;
    const [[key, argument] = ['', undefined], ...more] = Object.entries(value);
    if (more.length > 0 || !/^(Ref$|Fn::)/.test(key))
      return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, resolve(each)]));
    if (key === 'Ref') return ref(argument as string);
    if (key === 'Fn::GetAtt') return attribute(argument as [string, string]);
    const given = resolve(argument);
    if (key === 'Fn::Join') return (given as [string, string[]])[1].join((given as [string, string[]])[0]);
    if (key === 'Fn::Split') return (given as [string, string])[1].split((given as [string, string])[0]);
    if (key === 'Fn::Select')
      return (given as [number, string[]])[1][Number((given as [number, string[]])[0])];
    if (key === 'Fn::Sub')
      return (given as string).replace(/\$\{([\w:]+)\}/g, (_, id: string) => String(ref(id)));
    throw new Error(`nobody here knows what ${key} becomes: teach it to test/support/deployed.ts`);
  }

  return Object.entries(resources).map(([id, { Type, Properties = {} }]) => ({
    id,
    type: Type,
    arn: arnOf(id),
    properties: resolve(Properties) as Deployed['properties'],
  }));
}

export function one(all: readonly Deployed[], type: string, id: RegExp): Deployed {
  const found = all.filter((each) => each.type === type && id.test(each.id));
  if (found.length !== 1)
    throw new Error(`${found.length} of ${type} are like ${id}: ${found.map((each) => each.id)}`);
  return found[0]!;
}

/** What the role that an ARN names may do, and who may take it on. */
export function policiesOf(all: readonly Deployed[], roleArn: string) {
  const role = all.find(({ type, arn }) => type === 'AWS::IAM::Role' && arn === roleArn);
  if (!role) throw new Error(`${roleArn} is no role of the template`);
  const name = roleArn.slice(roleArn.indexOf('/') + 1);
  const attached = all.filter(
    ({ type, properties }) => type === 'AWS::IAM::Policy' && properties.Roles?.includes(name),
  );
  return {
    identity: [
      ...attached.map(({ properties }) => properties.PolicyDocument as object),
      ...(role.properties.Policies ?? []).map((policy: { PolicyDocument: object }) => policy.PolicyDocument),
    ],
    trust: role.properties.AssumeRolePolicyDocument as object,
  };
}
