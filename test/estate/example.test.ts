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
/** Actions for which AWS knows no resource, or not yet when it checks them, each for that reason. */
const withoutResource =
  /^(ec2:(Create|Describe|Delete)NetworkInterfaces?|ec2:Describe(Subnets|Instances|Volumes|Snapshots)|ec2:(Una|A)ssignPrivateIpAddresses|xray:(PutTraceSegments|PutTelemetryRecords|GetSamplingRules|GetSamplingTargets)|logs:\w*(LogDeliver|ResourcePolic|LogGroups)\w*)$/;

test('the example has several regimes and a stack in each of its regions, and looks nothing up', () => {
  const manifest = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'));
  expect(manifest.missing).toBeUndefined();
  expect(templates.length).toBeGreaterThanOrEqual(7);
});

test('no role may do everything, or anything to everything', () => {
  let seen = 0;
  for (const { file, template } of templates) {
    for (const [id, resource] of Object.entries(template.Resources as Record<string, Resource>)) {
      if (!identityTypes.includes(resource.Type)) continue;
      for (const { Effect, Action, Resource: target } of statements(resource.Properties)) {
        seen++;
        const actions = [Action].flat();
        if (Effect === 'Allow')
          expect([file, id, actions]).not.toEqual([file, id, expect.arrayContaining(['*'])]);
        if (Effect !== 'Allow' || target !== '*') continue;
        for (const action of actions)
          expect([file, id, action]).toEqual([file, id, expect.stringMatching(withoutResource)]);
      }
    }
  }
  expect(seen).toBeGreaterThan(40);
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
