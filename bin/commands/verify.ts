import { type KeyOptions, parseTime, withJson, withKey } from '../local/options.js';
import { printable } from '../local/printable.js';
import { printLines } from '../screen.js';
import type { Register } from './register.js';

interface VerifyOptions extends KeyOptions {
  readonly at?: Date;
  readonly json?: boolean;
}

export const verify: Register = (program) => {
  const command = program
    .command('verify')
    .description('read every byte of an archive and prove that it is whole, unchanged and of this tenant')
    .argument('<tenant>', "the tenant's name")
    .option(
      '--at <time>',
      'the newest archive at or before this time (ISO 8601, in UTC unless it names a zone)',
      parseTime,
    );
  withJson(withKey(command))
    .addHelpText(
      'after',
      `
Exit code 0: the archive is good; 1: it is not, and the problems are named; 2 or 3: nobody can tell, because the key is not
the archive's, or the store or the key could not be reached.

Examples:
  sovereign-backup verify acme --store /backup --key-file backup.key
  sovereign-backup verify acme --at 2026-11-20T15:00Z --store /backup --key-file backup.key --json`,
    )
    .action(async (tenant: string, options: VerifyOptions) => {
      const { interruptible, openArchives, orElsewhere, Terminal, verifyArchive } = await import(
        '../local/parts.js'
      );
      const terminal = new Terminal();
      const result = await interruptible(async (signal) => {
        const opened = await openArchives(tenant, options, { mustExist: true });
        const verified = verifyArchive({
          tenant,
          ...opened,
          ...(options.at ? { at: options.at } : {}),
          progress: terminal.progress,
          signal,
        });
        return orElsewhere(opened, tenant, verified);
      });
      terminal.endLine();
      if (options.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
      else if (result.ok) process.stdout.write(`${result.archive} is good\n`);
      else printLines(result.problems.map((problem) => `${result.archive}: ${printable(problem)}`));
      if (!result.ok) process.exitCode = 1;
    });
};
