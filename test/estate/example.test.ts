import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isOfIdentity, isWhole, type Resource, statements, unreasoned } from '../support/iam';

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

test('the example has several regimes and a stack in each of its regions, and looks nothing up', () => {
  const manifest = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'));
  expect(manifest.missing).toBeUndefined();
  expect(templates.length).toBeGreaterThanOrEqual(7);
});

test('no role may do everything, or anything to everything', () => {
  let seen = 0;
  for (const { file, template } of templates) {
    for (const [id, resource] of Object.entries(template.Resources as Record<string, Resource>)) {
      if (!isOfIdentity(resource)) continue;
      seen += [...statements(resource.Properties)].length;
      expect([file, id, unreasoned(resource)]).toEqual([file, id, []]);
    }
  }
  expect(seen).toBeGreaterThan(40);
});

test('no policy of a resource grants a whole service, but that of a key to its own account', () => {
  let keys = 0;
  for (const { file, template } of templates) {
    for (const [id, resource] of Object.entries(template.Resources as Record<string, Resource>)) {
      if (isOfIdentity(resource)) continue;
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
      if (isOfIdentity(resource)) continue;
      for (const statement of statements(resource.Properties)) {
        if (statement.Effect !== 'Allow' || statement.Condition) continue;
        expect([file, id, statement.Principal]).not.toEqual([file, id, '*']);
        expect([file, id, statement.Principal]).not.toEqual([file, id, { AWS: '*' }]);
      }
    }
  }
});
