import { type KeyOptions, parseCount, parseTime, withJson, withKey, withServer } from '../local/options.js';
import { printable } from '../local/printable.js';
import { readScope, type ScopeOptions, withScope } from '../local/scope.js';
import { printLines, screenWidth } from '../screen.js';
import type { Register } from './register.js';

interface CompareOptions extends KeyOptions, ScopeOptions {
  readonly server: string;
  readonly database?: string;
  readonly at?: Date;
  readonly sample?: number;
  readonly owner: boolean;
  readonly json?: boolean;
}

export const compare: Register = (program) => {
  const command = program
    .command('compare')
    .description('tell what a restore would undo: what the live database has become since an archive')
    .argument('<tenant>', "the tenant's name")
    .option(
      '--at <time>',
      'the newest archive at or before this time (ISO 8601, in UTC unless it names a zone)',
      parseTime,
    )
    .option('--sample <number>', 'how many keys of rows to name for each table (default: 5)', parseCount)
    .option('--no-owner', 'load without owners and grants, all owned by the user who compares');
  withJson(withKey(withScope(withServer(command))))
    .addHelpText(
      'after',
      `
The archive is loaded beside the live database, compared with it on the server, and dropped again. Rows are told apart
by their primary key; without one, a changed row is one removed and one added. Of rows, only keys are shown.
Of a tenant with rows in shared tables only its own rows are compared; they wait in temporary tables.

Exit code 0: nothing differs; 1: something does.

Examples:
  sovereign-backup compare acme --server postgres://admin@db:5432 --store /backup --key-file backup.key
  sovereign-backup compare acme --at 2026-11-20T15:00Z --sample 20 --server postgres://admin@db:5432 \\
    --store /backup --key-file backup.key --json`,
    )
    .action(async (tenant: string, options: CompareOptions) => {
      const {
        compareTenant,
        describeChanges,
        interruptible,
        openArchives,
        orElsewhere,
        parseServer,
        Terminal,
      } = await import('../local/parts.js');
      const scope = await readScope(options, tenant);
      const terminal = new Terminal();
      const result = await interruptible(async (signal) => {
        const opened = await openArchives(tenant, options, { mustExist: true });
        const compared = compareTenant({
          tenant,
          server: parseServer(options.server),
          ...(options.database === undefined ? {} : { database: options.database }),
          ...(scope === undefined ? {} : { scope }),
          ...opened,
          ...(options.at ? { at: options.at } : {}),
          ...(options.sample === undefined ? {} : { sample: options.sample }),
          noOwner: !options.owner,
          progress: terminal.progress,
          signal,
        });
        return orElsewhere(opened, tenant, compared);
      });
      terminal.endLine();
      if (options.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
      else
        printLines([
          `${printable(tenant)} now, and as of ${result.at}:`,
          ...describeChanges(result.tables, screenWidth()),
        ]);
      if (!result.same) process.exitCode = 1;
    });
};
