import { readFileSync } from 'node:fs';
import { type App, Stack, Tags, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks } from 'cdk-nag';
import { CacheSnapshots } from 'cdk-sovereign-backup';
import { complaint } from '../synth';

test('every pack of cdk-nag, and CDK itself, is content with the whole example estate', () => {
  const { context } = JSON.parse(readFileSync('cdk.json', 'utf8'));
  process.env.CDK_CONTEXT_JSON = JSON.stringify({ ...context, 'aws:cdk:version-reporting': false });
  const { app } = require('../../bin/estate') as { app: App };
  // What an estate may have besides, in a stack of its own.
  const more = new Stack(app, 'More', { env: { account: '111111111111', region: 'eu-central-1' } });
  new CacheSnapshots(more, 'Caches', { replicationGroups: ['sessions'], serverlessCaches: ['carts'] });
  Tags.of(app).add('owner', 'platform');
  Validations.of(app).addPlugins(
    new AwsSolutionsChecks(),
    new HIPAASecurityChecks(),
    new NIST80053R5Checks(),
    new PCIDSS321Checks(),
  );
  expect(complaint(app)).toBe('');
});
