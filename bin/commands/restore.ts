import {
  checksumsOption,
  parseCount,
  parseTime,
  parseWhole,
  withJson,
  withKey,
  withServer,
} from '../local/options.js';
import type { RestoreOptions } from '../local/restore.js';
import { withScope } from '../local/scope.js';
import type { Register } from './register.js';

export const restore: Register = (program) => {
  const command = program
    .command('restore')
    .description('restore one tenant: beside the live database, checked, then swapped in; `undo` reverts it')
    .argument('<tenant>', "the tenant's name")
    .option(
      '--at <time>',
      'the newest archive at or before this time (ISO 8601, in UTC unless it names a zone)',
      parseTime,
    )
    .option('--confirm <tenant>', "the tenant's name once more; without it, a terminal asks")
    .option('--no-owner', 'restore without owners and grants, all owned by the user who restores')
    .option('--show-changes', 'say what a swap would undo, table by table, before the name is asked for')
    .option(
      '--sample <number>',
      'with --show-changes: how many keys of rows to name for each table',
      parseCount,
    )
    .option(
      '--jobs <n>',
      'sessions that load at once, from a temporary file on local disk (default: one per processor, at most 4)',
      parseWhole(1, 64),
    )
    .addOption(
      checksumsOption(
        "what to compare of each table's rows: their number, or also their content (default: content)",
      ),
    )
    .option(
      '--statement-timeout <seconds>',
      'cancel a statement that takes longer, and give the restore up; rows of shared tables (default: no limit)',
      parseWhole(1, 31_536_000),
    )
    .option('--verify-only', 'restore beside the live database, check, report, and drop it again')
    .option(
      '--to <database>',
      'restore into a new database (of a schema: a new schema) of this name and leave the live one alone',
    )
    .option(
      '--to-file <file>',
      "write the dump, decrypted, as the database's own tool made it; needs no server",
    );
  withJson(withKey(withScope(withServer(command, { required: false }))))
    .addHelpText(
      'after',
      `
Until the swap the live database is not touched, whatever fails. The swap is one step, done whole or not at all (SQL
Server: two renames in one batch); what was live is kept under another name, to which \`undo\` returns. Nothing of it is dropped.
Of a PostgreSQL or SQL Server database the swap ends the sessions that are on the live one: applications have to connect anew.

--verify-only, --to and --to-file never touch the live database, and ask for no name. Exit code of --verify-only:
0 the archive restores; 1 it is damaged; 3 the server could not do it, which says nothing about the archive.

Examples:
  sovereign-backup restore acme --server postgres://admin@db:5432 --store /backup --key-file backup.key
  sovereign-backup restore acme --at 2026-11-20T15:00Z --confirm acme --server postgres://admin@db:5432 \\
    --store /backup --key-file backup.key --json
  sovereign-backup restore acme --to acme_friday --at 2026-11-20T15:00Z --server postgres://admin@db:5432 \\
    --store /backup --key-file backup.key
  sovereign-backup restore acme --to-file acme.dump --store /backup --key-file backup.key`,
    )
    .action(async (tenant: string, options: RestoreOptions) => {
      const { runRestore } = await import('../local/parts.js');
      await runRestore(tenant, options);
    });
};
