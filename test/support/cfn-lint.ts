// The templates of an app, judged by cfn-lint.
import { join } from 'node:path';
import type { App, Stack } from 'aws-cdk-lib';
import { CfnLint } from '../../scripts/cfn-lint.mts';

/** One for all test files of a worker. */
const shared = globalThis as { cfnLint?: CfnLint };

/** What cfn-lint complains about in one stack's template for its region; '' when it does not. */
export async function lint(app: App, stack: Stack, region = stack.region): Promise<string> {
  shared.cfnLint ??= new CfnLint(join(__dirname, '../..'));
  const template = join(app.synth().directory, stack.templateFile);
  // W3005: CDK's own L2s state dependencies that references imply already. W3010: CDK's stand-ins for looked-up zones.
  const found = await shared.cfnLint.lint(template, region, ['W3005', 'W3010']);
  return found
    .map(({ Rule, Message, Location }) => `${Rule.Id} ${(Location.Path ?? []).join('/')}: ${Message}`)
    .join('\n');
}
