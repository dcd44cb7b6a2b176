#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Help } from 'commander';
import { commands } from './commands/index.js';
import { exitCodeOf, messageOf } from './errors.js';
import { harmless } from './local/printable.js';
import { paragraphs } from './screen.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

const program = new Command('sovereign-backup')
  .description(
    'Backups that stay in their privacy regime: audit templates; dump, verify, restore and undo single tenants.',
  )
  .version(version)
  .showHelpAfterError('(add --help for the options)')
  .configureHelp({
    optionDescription(option) {
      const text = Help.prototype.optionDescription.call(this, option);
      return option.mandatory ? `${text} (required)` : text;
    },
  })
  .configureOutput({
    writeOut: (text) => process.stdout.write(paragraphs(text)),
    outputError: (text, write) =>
      write(
        /unknown option '-[^-]./.test(text)
          ? `${text}(a name that begins with a dash goes after --)\n`
          : text,
      ),
  })
  .exitOverride();

function fail(message: string): void {
  // On a terminal a line of progress may stand there, unfinished.
  process.stderr.write(`${process.stderr.isTTY ? '\r\x1b[K' : ''}sovereign-backup: ${harmless(message)}\n`);
}

// Node would end with 1, which says that something was looked at and not found good.
process.on('uncaughtException', (error) => {
  fail(messageOf(error));
  process.exit(3);
});

// A reader that has seen enough (`| head`) is no failure, and ends no dump; a result that cannot be written is one.
process.stderr.on('error', () => {});
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return;
  fail(`the result could not be written: ${error.message}`);
  process.exitCode = 3;
});

// The options of all commands take as long to set up as to read the one that is asked for.
const asked = commands.get(process.argv[2] ?? '');
for (const register of asked ? [asked] : commands.values()) register(program);

try {
  await program.parseAsync();
} catch (error) {
  // commander has already printed its own message; only its idea of the exit code differs from ours.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    fail(messageOf(error));
    process.exitCode = exitCodeOf(error);
  }
}
