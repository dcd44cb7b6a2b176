import { type ArchivePlace, readManifest } from '../../lambda/archive/catalog.js';
import { proveManifest } from '../../lambda/archive/open-archive.js';
import { type Pruned, pruneArchives } from '../../lambda/archive/prune-archives.js';
import { type RetentionPolicy, ROLLING } from '../../lambda/archive/retention.js';
import { OperationError } from '../../lambda/errors.js';
import { count } from '../count.js';
import { printRecords } from '../screen.js';
import { interruptible } from './interrupt.js';
import { noArchives } from './no-archives.js';
import { openGivenKeys, openStores } from './open.js';
import type { RetentionOptions, StoresOptions } from './options.js';
import { harmless, printable } from './printable.js';

export async function runPrune(
  tenant: string | undefined,
  stores: StoresOptions,
  options: RetentionOptions & { readonly dryRun?: boolean; readonly json?: boolean },
): Promise<void> {
  const policy = policyOf(options);
  const all: (Pruned & { readonly store: string })[] = [];
  const opened = await openStores(stores);
  const keyOf = await openGivenKeys(stores);
  let fault: unknown;
  await interruptible(
    async (signal) => {
      for (const { store, regime } of opened) {
        const proofOf = async (whose: string) => {
          const key = await keyOf!(whose);
          return async (place: ArchivePlace) =>
            proveManifest({ store, key }, place, await readManifest(store, place));
        };
        const before = all.length;
        await pruneArchives({
          store,
          regime,
          ...(tenant === undefined ? {} : { tenant }),
          policy,
          ...(keyOf ? { proofOf } : {}),
          dryRun: options.dryRun ?? false,
          each: (done) => all.push({ ...done, store: store.location }),
          signal,
        });
        if (all.length === before)
          process.stderr.write(`${harmless(await noArchives({ store, regime }, tenant))}\n`);
      }
    },
    options.dryRun ? undefined : 'what was deleted until then is gone; run again for the rest',
  ).catch((error) => {
    // What was done before is told all the same.
    if (all.length === 0) throw error;
    fault = error;
  });
  if (options.json) process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
  else {
    printRecords(
      all.map(({ state, at, tenant: whose, archive, reasons }) => [
        state.padEnd(16),
        at ?? '-',
        printable(whose),
        archive ?? '-',
        harmless(reasons.join(', ')),
      ]),
      2,
    );
    const number = (state: string) => all.filter((each) => each.state === state).length;
    process.stderr.write(
      `${count(all.length, 'archive')}: ${number('deleted') + number('would be deleted')} ${options.dryRun ? 'would go' : 'deleted'}, ${number('retained')} retained although old, ${number('kept')} kept\n`,
    );
  }
  if (!keyOf && all.some(({ state }) => state === 'deleted' || state === 'would be deleted'))
    process.stderr.write(
      'without a key archives are taken at their word: whoever may add to the store can put one there because of which another goes; --key-file, --key-dir or --kms-key proves what is kept\n',
    );
  if (fault !== undefined) throw fault;
  const failed = all.filter(({ state }) => state === 'failed');
  const [first] = failed;
  if (first)
    throw new OperationError(
      `${count(failed.length, 'archive')} could not be deleted, read or proven, the first of ${JSON.stringify(first.tenant)}: ${first.reasons.join(', ')}; mend that, and run again`,
    );
}

export function policyOf({
  keepDays,
  keepDaily,
  keepWeekly,
  keepMonthly,
}: RetentionOptions): RetentionPolicy {
  const given = Object.entries({ keepDays, keepDaily, keepWeekly, keepMonthly }).filter(
    ([, value]) => value !== undefined,
  );
  return given.length === 0 ? ROLLING : Object.fromEntries(given);
}
