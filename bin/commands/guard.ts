import { Option } from 'commander';
import type { GuardOptions } from '../guard/run.js';
import type { Register } from './register.js';

const all = (given: string, before: readonly string[] = []): readonly string[] => [...before, given];

/** `guard`: the code behind it is loaded only when it runs. */
export const registerGuard: Register = (program) => {
  program
    .command('guard')
    .description(
      'print the policies that keep an account in its regime: service control policies, and policies of vaults, buckets and keys',
    )
    .requiredOption('--regime <id>', 'the regime in which the data of the account stays')
    .option('--policy <file>', 'the policy of the audit: regimes and exceptions (YAML or JSON)')
    .option(
      '--deployer <arn>',
      'role that may set up replication of which IAM cannot see the destination; repeatable (default: the CDK bootstrap’s)',
      all,
    )
    .option('--no-deployers', 'let nobody set up such replication')
    .addOption(
      new Option('--exempt <arn>', 'role to which nothing applies, such as break-glass access; repeatable')
        .argParser(all)
        .default([], 'none'),
    )
    .option('--bucket <name>', 'bucket of the bucket policy', 'REPLACE-WITH-BUCKET-NAME')
    .addOption(new Option('--format <format>', 'how to print').choices(['table', 'json']).default('table'))
    .option('--json', 'short for --format json')
    .option('--out <folder>', 'write each policy into a file of its own')
    .addHelpText(
      'after',
      `
Nothing is sent to AWS. Attach the policies to accounts whose data belongs to this one regime, to a test account first.

Examples:
  sovereign-backup guard --regime eu
  sovereign-backup guard --regime eu --policy policy.yaml --out policies`,
    )
    .action(async (options: GuardOptions & { json?: true }) => {
      const { runGuard } = await import('../guard/run.js');
      runGuard(options.json ? { ...options, format: 'json' } : options);
    });
};
