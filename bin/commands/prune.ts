import type { RetentionOptions, StoresOptions } from '../local/options.js';
import { withJson, withRetention, withStores } from '../local/options.js';
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
  withJson(withRetention(withStores(command)))
    .addHelpText(
      'after',
      `
What one rule keeps is kept. Age is counted from the time of an archive's own snapshot. The newest good archive of a
tenant is never deleted, nor what is held (\`hold\`) or locked by its store: such archives are "retained".

Examples:
  sovereign-backup prune --store /backup --dry-run
  sovereign-backup prune acme --store /backup --keep-daily 7 --keep-weekly 5 --keep-monthly 12`,
    )
    .action(async (tenant: string | undefined, options: PruneOptions) => {
      const { runPrune } = await import('../local/parts.js');
      await runPrune(tenant, options, options);
    });
};
