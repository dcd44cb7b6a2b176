import { readFileSync } from 'node:fs';
import type { App } from 'aws-cdk-lib';
import { withEveryPack } from '../support/nag';
import { complaint } from '../synth';

test('every pack of cdk-nag, and CDK itself, is content with the whole example estate', () => {
  const { context } = JSON.parse(readFileSync('cdk.json', 'utf8'));
  process.env.CDK_CONTEXT_JSON = JSON.stringify({ ...context, 'aws:cdk:version-reporting': false });
  const { app } = require('../../bin/estate') as { app: App };
  expect(complaint(withEveryPack(app))).toBe('');
});
