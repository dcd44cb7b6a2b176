import { Option } from 'commander';
import type { DiffOptions } from '../audit/run-diff.js';
import type { Register } from './register.js';
import { inputOptions } from './template-options.js';

/** `diff OLD NEW`: what a change does to where data goes. */
export const registerDiff: Register = (program) => {
  inputOptions(
    program
      .command('diff')
      .description('show what changes in where data goes between two sets of templates')
      .argument('<old>', 'a template, a folder of them or a cdk.out, as it was')
      .argument('<new>', 'the same as it is now'),
  )
    .option('--strict', 'count what cannot be determined as a finding')
    .addOption(
      new Option('--format <format>', 'how to print the result')
        .choices(['table', 'markdown', 'json'])
        .default('table'),
    )
    .option('--json', 'short for --format json')
    .option('--out <file>', 'write the result to a file instead of standard output')
    .addHelpText(
      'after',
      `
Exit code 1 when the new side adds what \`audit\` would stop for.

Example:
  sovereign-backup diff main/cdk.out cdk.out --format markdown`,
    )
    .action(async (old: string, now: string, options: DiffOptions & { json?: true }) => {
      const { runDiff } = await import('../audit/run-diff.js');
      runDiff(old, now, options.json ? { ...options, format: 'json' } : options);
    });
};
