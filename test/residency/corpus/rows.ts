/** From a row to values that make its edge, and to look-alikes that do not. */
import { readFileSync } from 'node:fs';
import type { PropertyForm, PropertyRule } from '../../../lib/residency/model';
import { specProperties } from '../../../scripts/residency-candidates.mts';

export const HERE = { region: 'eu-west-1', account: '111111111111' };
export const THERE = { region: 'us-east-1', account: '222222222222' };

/** Names without a region, which the policy file of the corpus gives one. */
export const PLACES = {
  buckets: { 'corpus-there': THERE.region, 'corpus-here': HERE.region },
  globalClusters: { 'corpus-global': [THERE.region, HERE.region], 'corpus-local': [HERE.region] },
};

export const MOVING: readonly PropertyRule[] = (
  JSON.parse(readFileSync('lib/residency/data/properties.json', 'utf8')) as PropertyRule[]
).filter((row) => row.class === 'moves-data');

/** Region null: a place that nobody can know. Account undefined: whatever it is. */
export interface Expected {
  readonly region: string | null;
  readonly account?: string;
  /** Of a place outside AWS: in a regime of its own in the corpus. */
  readonly country?: string;
}

export interface Example {
  readonly value: string;
  readonly at: Expected;
}

const arnIn = (region: string, account: string) => `arn:aws:service:${region}:${account}:thing/name`;

/** Values by which data goes elsewhere. */
export function examples(row: PropertyRule): readonly Example[] {
  const own = (row.when?.path === row.path ? row.when.in : undefined)?.map((value) => ({
    value: String(value),
    at: { region: null },
  }));
  if (own !== undefined) return own;
  return EXAMPLES[row.form!] ?? [];
}

const ARNS: Example[] = [
  { value: arnIn(THERE.region, HERE.account), at: { region: THERE.region, account: HERE.account } },
  { value: arnIn(HERE.region, THERE.account), at: { region: HERE.region, account: THERE.account } },
];

const EXAMPLES: Partial<Record<PropertyForm, Example[]>> = {
  region: [{ value: THERE.region, at: { region: THERE.region } }],
  az: [{ value: `${THERE.region}b`, at: { region: THERE.region } }],
  arn: ARNS,
  'kms-key': ARNS,
  account: [{ value: THERE.account, at: { region: HERE.region, account: THERE.account } }],
  bucket: [
    { value: 'corpus-there', at: { region: THERE.region } },
    { value: 'arn:aws:s3:::corpus-there/prefix', at: { region: THERE.region } },
  ],
  's3-uri': [
    { value: 's3://corpus-there/prefix', at: { region: THERE.region } },
    { value: 'corpus-there/prefix', at: { region: THERE.region } },
  ],
  'global-id': [{ value: 'corpus-global', at: { region: THERE.region } }],
  host: [
    { value: `https://thing.${THERE.region}.amazonaws.com/path`, at: { region: THERE.region } },
    { value: arnIn(THERE.region, HERE.account), at: { region: THERE.region, account: HERE.account } },
  ],
  switch: [{ value: 'true', at: { region: null } }],
  'account-switch': [{ value: 'true', at: { region: HERE.region } }],
  model: [
    { value: 'us.vendor.model-v1', at: { region: null } },
    {
      value: `arn:aws:bedrock:${HERE.region}:${HERE.account}:inference-profile/global.vendor.model-v1`,
      at: { region: null },
    },
    {
      value: `arn:aws:bedrock:${THERE.region}::foundation-model/vendor.model-v1`,
      at: { region: THERE.region },
    },
  ],
  policy: [
    {
      value: JSON.stringify({ DestinationArn: arnIn(THERE.region, HERE.account) }),
      at: { region: THERE.region },
    },
    {
      value: JSON.stringify({
        plans: {
          p: {
            rules: {
              r: { copy_actions: { [`arn:aws:backup:${THERE.region}:$account:backup-vault:v`]: {} } },
            },
          },
        },
      }),
      at: { region: THERE.region },
    },
  ],
  'sdk-call': [
    {
      value: JSON.stringify({
        service: 'Backup',
        action: 'startCopyJob',
        parameters: { DestinationBackupVaultArn: arnIn(THERE.region, HERE.account) },
      }),
      at: { region: THERE.region },
    },
  ],
  'external-stores': [
    {
      value: JSON.stringify([{ url: 's3://copies/?region=r&country=US', secretArn: 'arn' }]),
      at: { region: null, country: 'US' },
    },
    {
      value: JSON.stringify([{ url: 's3://copies/', secretArn: 'arn' }]),
      at: { region: null },
    },
  ],
  pipeline: [
    {
      value: `p:\n  sink:\n    - opensearch:\n        aws:\n          region: ${THERE.region}\n`,
      at: { region: THERE.region },
    },
  ],
};

/** Values of the same kind by which nothing leaves: own region and account, a resource of the same stack. */
export function lookAlikes(row: PropertyRule): readonly unknown[] {
  if (row.when?.path === row.path) return ['SOMETHING_ELSE'];
  const ownArn = {
    'Fn::Sub': `arn:\${AWS::Partition}:service:\${AWS::Region}:\${AWS::AccountId}:thing/name`,
  };
  const sameStack = { 'Fn::GetAtt': ['Neighbour', 'Arn'] };
  switch (row.form) {
    case 'region':
      return [HERE.region, { Ref: 'AWS::Region' }];
    case 'az':
      return [`${HERE.region}a`, { 'Fn::Sub': `\${AWS::Region}a` }];
    case 'account':
      return [HERE.account, { Ref: 'AWS::AccountId' }];
    case 'bucket':
      return ['corpus-here', { Ref: 'OwnBucket' }, { 'Fn::GetAtt': ['OwnBucket', 'Arn'] }];
    case 's3-uri':
      return ['s3://corpus-here/x', { 'Fn::Sub': `s3://\${OwnBucket}/x` }];
    case 'global-id':
      return ['corpus-local'];
    case 'host':
      return [{ 'Fn::Sub': `https://thing.\${AWS::Region}.\${AWS::URLSuffix}/` }, sameStack, ownArn];
    case 'switch':
    case 'account-switch':
      return [false, 'false'];
    case 'model':
      return [
        'vendor.model-v1',
        { 'Fn::Sub': `arn:aws:bedrock:\${AWS::Region}::foundation-model/vendor.model-v1` },
      ];
    case 'policy':
      return [{ Statement: [{ Resource: arnIn(THERE.region, HERE.account) }] }, '{"plans":{}}'];
    case 'sdk-call':
      return [`{"service":"SSM","action":"getParameter","parameters":{"Name":"${THERE.region}"}}`];
    case 'external-stores':
      return ['[]'];
    case 'pipeline':
      return [
        `p:\n  source:\n    http: {}\n  sink:\n    - opensearch:\n        aws:\n          region: ${HERE.region}\n`,
      ];
    default:
      return [ownArn, sameStack, arnIn(HERE.region, HERE.account), 'a-name'];
  }
}

const spec = specProperties();

/** The properties of a resource with the value at the row's path and its conditions met. */
export function propertiesOf(
  row: PropertyRule,
  value: unknown,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  const properties: Record<string, unknown> = {};
  if (row.when !== undefined && row.when.path !== row.path)
    put(properties, row.type, row.when.path, row.when.in?.[0] ?? 'set');
  for (const [path, text] of Object.entries(more)) put(properties, row.type, path, text);
  put(properties, row.type, row.path, value);
  return properties;
}

function put(properties: Record<string, unknown>, type: string, path: string, value: unknown): void {
  const steps = path.split('.');
  let node = properties;
  steps.forEach((step, i) => {
    const kinds = [...step.matchAll(/\[\]|\{\}/g)].map(([kind]) => kind);
    const name = step.replace(/(\[\]|\{\})+$/, '');
    const last = i === steps.length - 1;
    if (last) {
      const listed = spec.get(`${type} ${path}`)?.kind.endsWith('in a list or map') === true;
      node[name] = listed ? [value] : value;
      return;
    }
    // Walks into the one element of a list, or the one value of a map, that the corpus ever writes.
    let at: Record<string, unknown> = node;
    let key = name;
    for (const kind of kinds) {
      at[key] ??= kind === '[]' ? [] : {};
      at = at[key] as Record<string, unknown>;
      key = kind === '[]' ? '0' : 'Key';
    }
    at[key] ??= {};
    node = at[key] as Record<string, unknown>;
  });
}

/** The path of the edge in what `propertiesOf` wrote. */
export function pathIn(row: PropertyRule): RegExp {
  const steps = row.path.split(/(\[\]|\{\})/).map((step) => {
    if (step === '[]') return '\\[0\\]';
    return step === '{}' ? '\\.Key' : step.replace(/[.*+?^$()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${steps.join('')}(\\[0\\])?($|\\.)`);
}
