import { OperationError } from '../../lambda/errors.js';
import { count } from '../count.js';
import { type StoreOptions, withJson, withStore } from '../local/options.js';
import { printable } from '../local/printable.js';
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
a disk that is not mounted) is named after the others, in --json with its \`problem\`, and the exit code is 3.

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
      const problems = unseen.map(({ tenant: whose, archive = null, at, error }) => {
        terminal.say(
          `${archive === null ? 'archives' : `archive ${archive}`} of ${JSON.stringify(whose)} cannot be read: ${error.message}`,
        );
        return { tenant: whose, archive, at: at?.toISOString() ?? null, problem: error.message };
      });
      if (archives.length + unreadable.length + unseen.length === 0)
        terminal.say(await noArchives(opened, tenant));
      if (options.json) process.stdout.write(`${JSON.stringify([...archives, ...problems], null, 2)}\n`);
      else
        for (const { at, tenant: whose, bytes, tables, archive } of archives) {
          process.stdout.write(
            `${at}  ${printable(whose)}  ${size(bytes)}  ${count(tables.length, 'table')}  ${archive}\n`,
          );
        }
      if (unseen.length > 0)
        throw new OperationError(
          `the list lacks what could not be read in ${count(unseen.length, 'place')}, named above`,
        );
    });
};
