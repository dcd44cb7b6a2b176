import { Option } from 'commander';
import type { ObjectivesOptions } from '../objectives/run.js';
import type { Register } from './register.js';
import { templateOptions } from './template-options.js';

/** `objectives PATH...`: the code behind it is loaded only when it runs. */
export const registerObjectives: Register = (program) => {
  templateOptions(
    program
      .command('objectives')
      .description(
        'work out from templates what each protected resource can lose, how far back it reaches, where its copies are and ' +
          'whether restores are tested',
      )
      .argument(
        '<path...>',
        'a template (JSON or YAML), a folder of them, a cdk.out, or - for standard input',
      ),
  )
    .option('--max-data-loss <duration>', 'the most that may be lost at the worst moment, as in 2h')
    .option('--retention <duration>', 'how far one must be able to go back, as in 7d')
    .option('--copies <number>', 'in how many vaults, accounts or regions a copy must be')
    .option('--immutable', 'one copy must be under a lock that nobody can remove')
    .option('--restore-test <duration>', 'the longest time between two tested restores, as in 7d')
    .option('--strict', 'count what cannot be determined as a missed objective')
    .addOption(new Option('--format <format>', 'how to print').choices(['table', 'json']).default('table'))
    .option('--json', 'short for --format json')
    .option('--out <file>', 'write the result to a file instead of standard output')
    .addHelpText(
      'after',
      `
Without an objective here, that of the policy counts, and without one there what an estate has written into its templates.
Exit code 1 when an objective is missed.

Example:
  sovereign-backup objectives cdk.out --max-data-loss 2h --retention 7d --copies 2`,
    )
    .action(async (paths: string[], options: ObjectivesOptions & { json?: true }) => {
      const { runObjectives } = await import('../objectives/run.js');
      runObjectives(paths, options.json ? { ...options, format: 'json' } : options);
    });
};
