import { Option } from 'commander';
import type { SettingsOptions } from '../settings/run.js';
import type { Register } from './register.js';
import { placeOptions } from './template-options.js';

const all = (given: string, before: readonly string[] = []): readonly string[] => [...before, given];

/** `settings [PATH...]`: the code behind it is loaded only when it runs. */
export const registerSettings: Register = (program) => {
  placeOptions(
    program
      .command('settings')
      .description(
        'show which settings of AWS Backup, which no template can have, the templates need in this account, and switch ' +
          'them on where asked to',
      )
      .argument(
        '[path...]',
        'a template, a folder of them, or a cdk.out; none where --type says what is needed',
      ),
  )
    .addOption(
      new Option('--type <name>', 'type of resource to be backed up, as in RDS, or all; repeatable')
        .argParser(all)
        .default([], 'none'),
    )
    .option('--cross-account', 'the organization has to allow copies to other accounts')
    .option('--apply', 'switch on what is needed; nothing is ever switched off')
    .option('--confirm <account>', 'with --apply: the account once more; without it, a terminal asks')
    .option('--json', 'print one JSON document on standard output')
    .addHelpText(
      'after',
      `
Uses the credentials of the AWS SDK's own chain (AWS_PROFILE, a role), and looks at their account only. Exit code 1 when
something that is needed is off.

Examples:
  sovereign-backup settings cdk.out
  sovereign-backup settings cdk.out --apply --confirm 111111111111
  sovereign-backup settings --region eu-central-1 --type RDS --type Aurora`,
    )
    .action(async (paths: string[], options: SettingsOptions) => {
      const { runSettings } = await import('../settings/run.js');
      await runSettings(paths, options);
    });
};
