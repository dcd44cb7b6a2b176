import type { EraseOptions } from '../local/erase.js';
import { parseCount, withJson, withKeyOptions, withStores } from '../local/options.js';
import type { Register } from './register.js';

export const erase: Register = (program) => {
  const command = program
    .command('erase')
    .description("destroy a tenant's own key, so that nobody can read its archives again; for good")
    .argument('<tenant>', "the tenant's name")
    .requiredOption('--certificate <file>', 'where to write the certificate of erasure; never over a file')
    .option(
      '--waiting-days <number>',
      'of a KMS key: days in which the deletion can be cancelled, 7 to 30 (default: 30)',
      parseCount,
    )
    .option('--confirm <tenant>', "the tenant's name once more; without it, a terminal asks");
  withJson(withKeyOptions(withStores(command), 'cannot be erased for one tenant'))
    .addHelpText(
      'after',
      `
Refused when the key opens archives of another tenant in these stores, or when archives are held. Archives of the
tenant under other keys stay readable, and the certificate lists them. The live database is not touched.

Examples:
  sovereign-backup erase acme --store /backup --key-dir /keys --certificate acme-erased.json
  sovereign-backup erase acme --store 's3://archives/?region=eu-central-1' --regime eu --waiting-days 7 \\
    --kms-key arn:aws:kms:eu-central-1:111111111111:key/… --certificate acme-erased.json`,
    )
    .action(async (tenant: string, options: EraseOptions) => {
      const { runErase } = await import('../local/parts.js');
      await runErase(tenant, options);
    });
};

interface RekeyOptions {
  readonly keyDir: string;
  readonly json?: boolean;
}

export const rekey: Register = (program) => {
  withJson(
    program
      .command('rekey')
      .description(
        'give a tenant a new key: what is written from now on is under it; older archives keep theirs',
      )
      .argument('<tenant>', "the tenant's name")
      .requiredOption('--key-dir <folder>', 'folder with the keys of each tenant'),
  )
    .addHelpText(
      'after',
      `
Former keys stay in the folder, for they open the older archives; \`prune\` takes those in time. A key in AWS KMS is
rotated there, and keeps its ARN.

Example:
  sovereign-backup rekey acme --key-dir /keys`,
    )
    .action(async (tenant: string, options: RekeyOptions) => {
      const { addTenantKey, tellOfKey } = await import('../local/parts.js');
      const { file, id } = await addTenantKey(options.keyDir, tenant);
      tellOfKey({ id, file });
      if (options.json) process.stdout.write(`${JSON.stringify({ tenant, key: id, file }, null, 2)}\n`);
      else process.stdout.write(`${tenant} has the new key ${id} in ${file}\n`);
    });
};
