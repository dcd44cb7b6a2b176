import { withJson, withServer } from '../local/options.js';
import { readScope, type ScopeOptions, withScope } from '../local/scope.js';
import type { Register } from './register.js';

interface UndoOptions extends ScopeOptions {
  readonly server: string;
  readonly database?: string;
  readonly confirm?: string;
  readonly json?: boolean;
}

export const undo: Register = (program) => {
  const command = program
    .command('undo')
    .description('put back what the last restore put aside; a second undo reverts the first')
    .argument('<tenant>', "the tenant's name")
    .option('--confirm <tenant>', "the tenant's name once more; without it, a terminal asks");
  withJson(withScope(withServer(command)))
    .addHelpText(
      'after',
      `
One step, as the restore's swap; what is live now is kept in its turn. Kept copies stay until you drop them.
Of a PostgreSQL or SQL Server database it ends the sessions that are on the live one: applications have to connect anew.

Examples:
  sovereign-backup undo acme --server postgres://admin@db:5432 --confirm acme
  sovereign-backup undo acme --server postgres://admin@db:5432 --database app --tenancy rows`,
    )
    .action(async (tenant: string, options: UndoOptions) => {
      const { checkConfirm, interruptible, parseServer, size, Terminal, undoRestore } = await import(
        '../local/parts.js'
      );
      checkConfirm(tenant, options.confirm, 'undo');
      const server = parseServer(options.server);
      const scope = await readScope(options, tenant);
      const terminal = new Terminal();
      const result = await interruptible((signal) =>
        undoRestore({
          tenant,
          server,
          ...(options.database === undefined ? {} : { database: options.database }),
          ...(scope === undefined ? {} : { scope }),
          confirm:
            options.confirm ??
            (({ database, copy, keptSince, bytes }) =>
              terminal.ask(
                `\nWhat was put aside at ${keptSince} is kept as ${JSON.stringify(copy)}${bytes === undefined ? '' : ` (${size(bytes)} on disk)`} ` +
                  `and comes back to database ${JSON.stringify(database)}; what is live now is kept in its turn.\n` +
                  `Type the tenant's name to put it back, anything else to leave all as it is: `,
                signal,
              )),
          progress: terminal.progress,
          signal,
        }),
      );
      if (options.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
      else {
        process.stdout.write(`${tenant} is again what was put aside at ${result.keptSince}\n`);
        if (result.undo)
          terminal.say(
            `what was live until now is kept as ${JSON.stringify(result.undo)}; undo again to return to it`,
          );
      }
    });
};
