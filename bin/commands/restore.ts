import { type KeyOptions, parseTime, withJson, withKey, withServer } from '../local/options.js';
import type { Register } from './index.js';

interface RestoreOptions extends KeyOptions {
  readonly server: string;
  readonly database?: string;
  readonly at?: Date;
  readonly confirm?: string;
  readonly owner: boolean;
  readonly json?: boolean;
}

export const restore: Register = (program) => {
  const command = program
    .command('restore')
    .description('restore one tenant: beside the live database, checked, then swapped in; `undo` reverts it')
    .argument('<tenant>', "the tenant's name")
    .option('--at <time>', 'the newest archive at or before this time (ISO 8601)', parseTime)
    .option('--confirm <tenant>', "the tenant's name once more; without it, a terminal asks")
    .option('--no-owner', 'restore without owners and grants, all owned by the user who restores');
  withJson(withKey(withServer(command)))
    .addHelpText(
      'after',
      `
Until the swap the live database is not touched, whatever fails. The swap is one transaction: sessions of the tenant
are ended, and the old database is kept under another name, to which \`undo\` returns. Nothing of it is dropped.

Examples:
  sovereign-backup restore acme --server postgres://admin@db:5432 --store /backup --key-file backup.key
  sovereign-backup restore acme --at 2026-11-20T15:00Z --confirm acme --server postgres://admin@db:5432 \\
    --store /backup --key-file backup.key --json`,
    )
    .action(async (tenant: string, options: RestoreOptions) => {
      const [
        { restoreTenant },
        { parseServer },
        { openArchives },
        { Terminal, size },
        { interruptible },
        { checkConfirm },
      ] = await Promise.all([
        import('../../lambda/archive/restore-tenant.js'),
        import('../../lambda/engine/server.js'),
        import('../local/open.js'),
        import('../local/terminal.js'),
        import('../local/interrupt.js'),
        import('../local/confirm.js'),
      ]);
      checkConfirm(tenant, options.confirm, 'restore');
      const terminal = new Terminal();
      const result = await interruptible(async (signal) =>
        restoreTenant({
          tenant,
          server: parseServer(options.server),
          ...(options.database === undefined ? {} : { database: options.database }),
          ...(await openArchives(options, { mustExist: true })),
          ...(options.at ? { at: options.at } : {}),
          noOwner: !options.owner,
          confirm: async (preview) =>
            options.confirm ??
            terminal.ask(
              `\nThe archive of ${preview.at} (${preview.tables.length} tables, ${size(preview.plainBytes)}) is ready beside ` +
                `database ${JSON.stringify(preview.database)}${preview.liveExists ? '' : ', which is not on the server'}.\n` +
                `Type the tenant's name to swap it in, anything else to leave all as it is: `,
            ),
          progress: terminal.progress,
          signal,
        }),
      );
      terminal.endLine();
      for (const warning of result.warnings) terminal.say(`warning: ${warning}`);
      if (options.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
      else {
        process.stdout.write(
          `${tenant} is as of ${result.at} again: ${result.tables.length} tables, ${result.seconds.toFixed(1)} s\n`,
        );
        if (result.undo)
          terminal.say(
            `the old database is kept as ${JSON.stringify(result.undo)}; \`sovereign-backup undo\` puts it back`,
          );
      }
    });
};
