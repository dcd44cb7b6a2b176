import type { CopyOptions } from '../local/copy.js';
import { parseRate, parseTime, withJson, withPolicy, withRegime } from '../local/options.js';
import type { Register } from './register.js';

export const copy: Register = (program) => {
  const command = program
    .command('copy')
    .description(
      'copy finished archives from one store to another, going on where an earlier run was cut off',
    )
    .argument('[tenant]', 'only of this tenant')
    .requiredOption('--from <place>', 'store to read: a folder, or a bucket as for --store of `dump`')
    .requiredOption('--to <place>', 'store to write; its credentials must be able to list and read, too')
    .option(
      '--at <time>',
      'the newest archive of a tenant at or before this time (ISO 8601, in UTC unless it names a zone)',
      parseTime,
    )
    .option('--archive <id>', 'this one, as `list` names it')
    .option('--all', 'every archive instead of the newest of each tenant')
    .option('--limit-rate <rate>', 'bytes per second to read at most: 500k, 20M', parseRate);
  withJson(withPolicy(withRegime(command)))
    .addHelpText(
      'after',
      `
Needs no key: the bytes stay as they are, and the key that opens the archive opens its copy. They are held against the
checksum in the manifest while they are read, and the manifest is written last: there is a whole copy, or none.

Give the same command again after a run that was cut off. Parts that have reached a bucket stay there, invisible; each is
compared by size and checksum, and only what is missing or differs is sent. In a folder the file is begun anew.

Examples:
  sovereign-backup copy acme --from /backup --to 's3://archives/?region=eu-central-1'
  sovereign-backup copy --all --regime eu --from 's3://archives/?region=eu-central-1&credentials=aws' \\
    --to 's3://copies/?region=fr-par&country=FR&endpoint=https://s3.fr-par.scw.cloud&part-limit=1000&credentials=scaleway'`,
    )
    .action(async (tenant: string | undefined, options: CopyOptions) => {
      const { runCopy } = await import('../local/parts.js');
      await runCopy(tenant, options);
    });
};
