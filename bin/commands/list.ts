import { OperationError } from '../../lambda/errors.js';
import { count } from '../count.js';
import { type StoreOptions, withJson, withStore } from '../local/options.js';
import { printable } from '../local/printable.js';
import { printRecords } from '../screen.js';
import type { Register } from './register.js';

interface ListOptions extends StoreOptions {
  readonly json?: boolean;
}

export const list: Register = (program) => {
  const command = program
    .command('list')
    .description('list archives, newest first')
    .argument('[tenant]', 'only of this tenant');
  withJson(withStore(command))
    .addHelpText(
      'after',
      `
Needs no key, and so takes the archives at their word: \`verify\` proves one. Times are in UTC. What cannot be read (rights,
a disk that is not mounted) is named on standard error, and the exit code is 3: the list lacks it.
What is dated more than an hour in the future is no backup: it is named there, too, and is no failure.

Examples:
  sovereign-backup list --store /backup
  sovereign-backup list acme --store /backup --json`,
    )
    .action(async (tenant: string | undefined, options: ListOptions) => {
      const { listArchives, noArchives, openStore, size, Terminal } = await import('../local/parts.js');
      const opened = await openStore(options, { mustExist: true });
      const { archives, unreadable, unseen } = await listArchives({
        ...opened,
        ...(tenant === undefined ? {} : { tenant }),
      });
      const terminal = new Terminal();
      for (const { tenant: whose, archive, problem } of unreadable)
        terminal.say(`archive ${archive} of ${JSON.stringify(whose)} cannot be listed: ${problem}`);
      for (const { tenant: whose, archive, error } of unseen)
        terminal.say(
          `${archive === undefined ? 'archives' : `archive ${archive}`} of ${JSON.stringify(whose)} cannot be read: ${error.message}`,
        );
      if (archives.length + unreadable.length + unseen.length === 0)
        terminal.say(await noArchives(opened, tenant));
      if (options.json) process.stdout.write(`${JSON.stringify(archives, null, 2)}\n`);
      else
        printRecords(
          archives.map(({ at, tenant: whose, bytes, tables, archive }) => [
            at,
            printable(whose),
            size(bytes),
            count(tables.length, 'table'),
            archive,
          ]),
        );
      if (unseen.length > 0)
        throw new OperationError(
          `the list lacks what could not be read in ${count(unseen.length, 'place')}, named above`,
        );
    });
};
