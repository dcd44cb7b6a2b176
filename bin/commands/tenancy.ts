import type { Register } from './register.js';

interface InferOptions {
  readonly server: string;
  readonly database: string;
  readonly column: string;
  readonly out?: string;
}

interface CheckOptions {
  readonly server: string;
  readonly database: string;
  readonly json?: boolean;
}

const SERVER = 'engine, user, host and port: postgres://app@127.0.0.1:5432 (no password in it)';

export const tenancy: Register = (program) => {
  const family = program
    .command('tenancy')
    .description(
      'say whose the rows of shared tables are: infer it from a live database, or check what is written',
    );
  family
    .command('infer')
    .description('conclude from a live database whose the rows of its tables are, and write that for review')
    .requiredOption('--server <url>', SERVER)
    .requiredOption('--database <name>', 'the database that the tenants share')
    .requiredOption('--column <name>', 'the column that holds the tenant, as in tenant_id')
    .option('--out <file>', 'where to write it; never over a file that is there (default: standard output)')
    .addHelpText(
      'after',
      `
A table with the column is the tenants'. One without it is reached through a foreign key to such a table, or is shared,
where tenants' tables refer to it; what nothing speaks for is left undecided, and then a dump refuses to run. Comments
say why. It is a proposal: read it before you use it.

Example:
  sovereign-backup tenancy infer --server postgres://app@db:5432 --database app --column tenant_id --out tenancy.yaml`,
    )
    .action(async (options: InferOptions) => {
      const { inferCommand } = await import('../local/parts.js');
      await inferCommand(options);
    });
  family
    .command('check')
    .description('hold a tenancy description against a live database: exit code 1 where they disagree')
    .argument('<file>', 'the description, YAML or JSON')
    .requiredOption('--server <url>', SERVER)
    .requiredOption('--database <name>', 'the database that the tenants share')
    .option('--json', 'print one JSON document on standard output')
    .addHelpText(
      'after',
      `
Example:
  sovereign-backup tenancy check tenancy.yaml --server postgres://app@db:5432 --database app`,
    )
    .action(async (file: string, options: CheckOptions) => {
      const { checkCommand } = await import('../local/parts.js');
      await checkCommand(file, options);
    });
};
