// The templates of an app, judged by cfn-lint.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { App, Stack } from 'aws-cdk-lib';

const program = join(__dirname, '../../.cache/venv/bin/cfn-lint');

/** What cfn-lint complains about in one stack's template for its region; '' when it does not. */
export function lint(app: App, stack: Stack, region = stack.region): string {
  if (!existsSync(program)) {
    throw new Error(
      `cfn-lint is missing (${program}); get it with: node scripts/setup.mts test ` +
        '(or: python3 -m venv .cache/venv && .cache/venv/bin/pip install cfn-lint)',
    );
  }
  const template = join(app.synth().directory, stack.templateFile);
  // W3005: CDK's own L2s state dependencies that references imply already. W3010: CDK's stand-ins for looked-up zones.
  const ignored = ['--ignore-checks', 'W3005', 'W3010'];
  const args = ['--non-zero-exit-code', 'warning', '--regions', region, ...ignored, '--', template];
  try {
    execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    return '';
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return stdout + stderr;
  }
}
