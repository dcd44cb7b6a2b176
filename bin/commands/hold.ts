import type { Command } from 'commander';
import type { Hold } from '../../lambda/archive/holds.js';
import { parseTime, type StoresOptions, withJson, withStores } from '../local/options.js';
import { printable } from '../local/printable.js';
import type { Register } from './register.js';

interface HoldOptions extends StoresOptions {
  readonly at?: Date;
  readonly reason?: string;
  readonly json?: boolean;
}

const withPlace = (command: Command) =>
  withJson(
    withStores(
      command
        .argument('<tenant>', "the tenant's name")
        .option(
          '--at <time>',
          'only the newest archive at or before this time (ISO 8601, in UTC unless it names a zone); without it all, future ones too',
          parseTime,
        ),
    ),
  );

export const hold: Register = (program) => {
  withPlace(program.command('hold').description("keep a tenant's archives from `prune`, whatever their age"))
    .requiredOption('--reason <text>', 'why, noted beside the archives')
    .addHelpText(
      'after',
      `
In a bucket with object lock every object that is there gets a legal hold, too, so that nobody can delete it.

Examples:
  sovereign-backup hold acme --reason 'case 2026-118' --store /backup
  sovereign-backup hold acme --at 2026-11-20T15:00Z --reason 'audit' --store 's3://archives/?region=eu-central-1' --regime eu`,
    )
    .action((tenant: string, options: HoldOptions) => run(tenant, options, 'hold'));
};

export const release: Register = (program) => {
  withPlace(program.command('release').description('take a hold off again'))
    .addHelpText(
      'after',
      `
Example:
  sovereign-backup release acme --store /backup`,
    )
    .action((tenant: string, options: HoldOptions) => run(tenant, options, 'release'));
};

async function run(tenant: string, options: HoldOptions, what: 'hold' | 'release'): Promise<void> {
  const { holdArchives, openStores, orElsewhere, releaseArchives, Terminal } = await import(
    '../local/parts.js'
  );
  const terminal = new Terminal();
  const done: (Hold & { readonly store: string })[] = [];
  try {
    for (const { store, regime } of await openStores(options)) {
      const request = {
        store,
        regime,
        tenant,
        ...(options.at ? { at: options.at } : {}),
        say: (message: string) => terminal.say(message),
      };
      const result =
        what === 'hold' ? holdArchives({ ...request, reason: options.reason! }) : releaseArchives(request);
      done.push({ ...(await orElsewhere(request, tenant, result)), store: store.location });
    }
  } finally {
    // What was done before another store failed is told all the same.
    if (done.length > 0) tell(tenant, done, options.json, what);
  }
}

function tell(
  tenant: string,
  done: readonly (Hold & { readonly store: string })[],
  json: boolean | undefined,
  what: 'hold' | 'release',
): void {
  if (json) process.stdout.write(`${JSON.stringify(done, null, 2)}\n`);
  else
    for (const { archive, store } of done)
      process.stdout.write(
        `${archive === 'all' ? 'all archives' : archive} of ${printable(tenant)} in ${store}: ${what === 'hold' ? 'held' : 'released'}\n`,
      );
}
