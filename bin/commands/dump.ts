import { type KeyOptions, withJson, withKey, withServer } from '../local/options.js';
import { readScope, type ScopeOptions, withScope } from '../local/scope.js';
import type { Register } from './index.js';

interface DumpOptions extends KeyOptions, ScopeOptions {
  readonly server: string;
  readonly database?: string;
  readonly json?: boolean;
}

export const dump: Register = (program) => {
  const command = program
    .command('dump')
    .description("dump one tenant's database into a new archive, encrypted and checked")
    .argument('<tenant>', "the tenant's name");
  withJson(withKey(withScope(withServer(command))))
    .addHelpText(
      'after',
      `
The dump is read in one snapshot, read back while it is written, and its rows are counted in the same snapshot.
Only when all of that agrees is there an archive; what fails on the way leaves none.

The password comes from PGPASSWORD or ~/.pgpass. A name that begins with a dash goes after --.

Examples:
  sovereign-backup dump acme --server postgres://backup@127.0.0.1:5432 --store /backup --key-file backup.key
  sovereign-backup dump acme --database acme_prod --server postgres://backup@db:5432 --store /backup --key-file backup.key --json`,
    )
    .action(async (tenant: string, options: DumpOptions) => {
      const [{ dumpTenant }, { parseServer }, { openArchives }, { Terminal, size }, { interruptible }] =
        await Promise.all([
          import('../../lambda/archive/dump-tenant.js'),
          import('../../lambda/engine/server.js'),
          import('../local/open.js'),
          import('../local/terminal.js'),
          import('../local/interrupt.js'),
        ]);
      const scope = await readScope(options, tenant);
      const terminal = new Terminal();
      const result = await interruptible(async (signal) =>
        dumpTenant({
          tenant,
          server: parseServer(options.server),
          ...(options.database === undefined ? {} : { database: options.database }),
          ...(scope === undefined ? {} : { scope }),
          ...(await openArchives(options)),
          progress: terminal.progress,
          signal,
        }),
      );
      terminal.endLine();
      if (options.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
      else
        process.stdout.write(
          `${result.archive}  ${result.tables.length} tables, ${size(result.plainBytes)} dumped, ${size(result.bytes)} kept, ${result.seconds.toFixed(1)} s\n`,
        );
    });
};
