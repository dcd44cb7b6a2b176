import type { TenantsOf } from '../../lambda/engine/find-tenants.js';
import { UsageError } from '../errors.js';
import { withJson } from '../local/options.js';
import { printable } from '../local/printable.js';
import { readTenancyFile } from '../local/scope.js';
import { printRecords } from '../screen.js';
import type { Register } from './register.js';

interface TenantsOptions {
  readonly server: string;
  readonly like: string;
  readonly database?: string;
  readonly tenancyFile?: string;
  readonly json?: boolean;
}

export const tenants: Register = (program) => {
  const command = program
    .command('tenants')
    .description('list the tenants that a server has now, and about how large each is')
    .requiredOption(
      '--server <url>',
      'engine, user, host and port: postgres://app@127.0.0.1:5432?sslmode=verify-full (no password in it)',
    )
    .option(
      '--like <pattern>',
      'whose names are like this SQL pattern: % is anything, _ any one character, \\ takes them literally',
      '%',
    )
    .option(
      '--database <name>',
      'schemas of this database instead; with --tenancy-file, the tenants in its tables',
    )
    .option('--tenancy-file <file>', 'whose the rows of shared tables are, as `tenancy infer` writes it');
  withJson(command)
    .addHelpText(
      'after',
      `
The server's own databases, copies that a restore has kept and copies beside are not among them. Sizes are what the
server says, with indexes; of rows of shared tables nobody knows. Exit code 3 where there is nobody: then the pattern or
the rights of the user are wrong.

Examples:
  sovereign-backup tenants --server postgres://backup@db:5432 --like 'tenant\\_%'
  sovereign-backup tenants --server postgres://backup@db:5432 --json | jq -r '.[].tenant' |
    while IFS= read -r tenant; do
      sovereign-backup dump --server postgres://backup@db:5432 --store /backup --key-dir /keys -- "$tenant"
    done
  sovereign-backup tenants --server postgres://backup@db:5432 --database app --tenancy-file tenancy.yaml`,
    )
    .action(async (options: TenantsOptions) => {
      const { engineFor, findTenants, parseServer, size, Terminal, withSizes } = await import(
        '../local/parts.js'
      );
      const of = await tenantsOf(options);
      const server = parseServer(options.server);
      const engine = await engineFor(server);
      const found = await withSizes(engine, server, of, await findTenants(engine, server, of), (reason) =>
        new Terminal().say(`the sizes of the tenants could not be told: ${reason}`),
      );
      if (options.json) process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
      else
        printRecords(
          found.map(({ tenant, bytes }) =>
            bytes === undefined ? [printable(tenant)] : [printable(tenant), size(bytes)],
          ),
        );
    });
};

async function tenantsOf({ like, database, tenancyFile }: TenantsOptions): Promise<TenantsOf> {
  if (tenancyFile !== undefined) {
    if (database === undefined)
      throw new UsageError(
        '--tenancy-file is of tables that tenants share: name their database, too (--database)',
      );
    return { tenancy: 'rows', database, description: await readTenancyFile(tenancyFile) };
  }
  return database === undefined
    ? { tenancy: 'database', pattern: like }
    : { tenancy: 'schema', database, pattern: like };
}
