import type { RetentionOptions, StoresOptions } from '../local/options.js';
import { withJson, withKeyOptions, withRetention, withStores } from '../local/options.js';
import type { Register } from './register.js';

interface PruneOptions extends StoresOptions, RetentionOptions {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export const prune: Register = (program) => {
  const command = program
    .command('prune')
    .description('delete the archives that no retention rule keeps, and what killed dumps left')
    .argument('[tenant]', 'only of this tenant')
    .option('--dry-run', 'say what would be deleted, and why the rest is kept; delete nothing');
  withJson(withKeyOptions(withRetention(withStores(command)), 'repeatable: former keys, too'))
    .addHelpText(
      'after',
      `
What one rule keeps is kept. Age is counted from the time of an archive's own snapshot. The newest good archive of a
tenant is never deleted, nor what is held (\`hold\`) or locked by its store: such archives are "retained".

Without a key archives are taken at their word: whoever may add to the store can put one there because of which another
goes. With keys an archive counts only when its seal opens. One that they do not prove counts as none, stays, is named, and
makes the exit code 3.

Examples:
  sovereign-backup prune --store /backup --dry-run
  sovereign-backup prune acme --store /backup --keep-daily 7 --keep-weekly 5 --keep-monthly 12 \\
    --key-file backup.key`,
    )
    .action(async (tenant: string | undefined, options: PruneOptions) => {
      const { runPrune } = await import('../local/parts.js');
      await runPrune(tenant, options, options);
    });
};
