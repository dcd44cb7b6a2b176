import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource?: unknown;
  readonly Principal?: unknown;
  readonly Condition?: unknown;
}
interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, never>;
}

const out = mkdtempSync(join(tmpdir(), 'estate-'));
afterAll(() => rmSync(out, { recursive: true, force: true }));

const { app, context } = JSON.parse(readFileSync('cdk.json', 'utf8'));
const [, ...args] = (app as string).split(' ');
// No account, no network, no Docker: an empty PATH has none of their tools.
execFileSync(process.execPath, args, {
  env: { CDK_OUTDIR: out, CDK_CONTEXT_JSON: JSON.stringify(context), PATH: '', HOME: out },
  stdio: 'pipe',
});
const templates = readdirSync(out)
  .filter((file) => file.endsWith('.template.json'))
  .map((file) => ({ file, template: JSON.parse(readFileSync(join(out, file), 'utf8')) }));

/** Every statement anywhere in the templates: of roles, keys, buckets, topics and vaults. */
function* statements(value: unknown): Generator<Statement> {
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

test('the example has several regimes and a stack in each of its regions, and looks nothing up', () => {
  const manifest = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'));
  expect(manifest.missing).toBeUndefined();
  expect(templates.length).toBeGreaterThanOrEqual(7);
});

/** Everything, or everything of a service. */
const isWhole = (action: string) => /^(\*|[\w-]+:\*)$/.test(action);

test('no role may do everything, or anything to everything', () => {
  let seen = 0;
  for (const { file, template } of templates) {
    for (const [id, resource] of Object.entries(template.Resources as Record<string, Resource>)) {
      if (!identityTypes.includes(resource.Type)) continue;
      for (const { Effect, Action, Resource: target } of statements(resource.Properties)) {
        seen++;
        const actions = [Action].flat();
        if (Effect === 'Allow') expect([file, id, actions.filter(isWhole)]).toEqual([file, id, []]);
        if (Effect !== 'Allow' || target !== '*') continue;
        for (const action of actions)
          expect([file, id, action, reasonFor(action)]).toEqual([file, id, action, expect.any(String)]);
      }
    }
  }
  expect(seen).toBeGreaterThan(40);
});

test('no policy of a resource grants a whole service, but that of a key to its own account', () => {
  let keys = 0;
  for (const { file, template } of templates) {
    for (const [id, resource] of Object.entries(template.Resources as Record<string, Resource>)) {
      if (identityTypes.includes(resource.Type)) continue;
      for (const statement of statements(resource.Properties)) {
        const whole = [statement.Action].flat().filter(isWhole);
        if (statement.Effect !== 'Allow' || whole.length === 0) continue;
        keys++;
        expect([file, id, resource.Type, whole]).toEqual([file, id, 'AWS::KMS::Key', ['kms:*']]);
        expect(JSON.stringify(statement.Principal)).toMatch(/:iam::\d{12}:root"/);
      }
    }
  }
  expect(keys).toBeGreaterThan(5);
});

test('no policy of a key, bucket, topic or vault lets just anybody in', () => {
  for (const { file, template } of templates) {
    for (const [id, resource] of Object.entries(template.Resources as Record<string, Resource>)) {
      if (identityTypes.includes(resource.Type)) continue;
      for (const statement of statements(resource.Properties)) {
        if (statement.Effect !== 'Allow' || statement.Condition) continue;
        expect([file, id, statement.Principal]).not.toEqual([file, id, '*']);
        expect([file, id, statement.Principal]).not.toEqual([file, id, { AWS: '*' }]);
      }
    }
  }
});
