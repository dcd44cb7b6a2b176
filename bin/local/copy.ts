import { type CopiedOne, type CopyRequest, copyArchives } from '../../lambda/archive/copy-archives.js';
import { OperationError } from '../../lambda/errors.js';
import { count } from '../count.js';
import { UsageError } from '../errors.js';
import { printRecords } from '../screen.js';
import { interruptible } from './interrupt.js';
import { orElsewhere } from './no-archives.js';
import { openStore } from './open.js';
import { harmless, printable } from './printable.js';
import { checkResidency } from './residency.js';
import { size, Terminal } from './terminal.js';

export interface CopyOptions {
  readonly from: string;
  readonly to: string;
  readonly regime: string;
  readonly policy?: string;
  readonly at?: Date;
  readonly archive?: string;
  readonly all?: boolean;
  readonly limitRate?: number;
  readonly json?: boolean;
}

export async function runCopy(tenant: string | undefined, options: CopyOptions): Promise<void> {
  const { regime } = options;
  const which = whichOf(tenant, options);
  await checkResidency(options, options.to);
  const open = (place: string, option: string, mustExist: boolean) =>
    openStore({ store: place, regime }, { mustExist, option });
  const { store: from } = await open(options.from, '--from', true);
  const { store: to } = await open(options.to, '--to', false);
  if (from.location === to.location)
    throw new UsageError(`--from and --to are the same store, ${from.location}`);
  for (const { writeOnly, location } of [from, to])
    if (writeOnly)
      throw new UsageError(
        `copy looks at what is in a store, and ${location} has write-only=true; give credentials that may list and read`,
      );
  const terminal = new Terminal();
  const copied: CopiedOne[] = [];
  let fault: unknown;
  await interruptible((signal) => {
    const copying = copyArchives({
      from,
      to,
      regime,
      which,
      ...(tenant === undefined ? {} : { tenant }),
      ...(options.limitRate === undefined ? {} : { bytesPerSecond: options.limitRate }),
      progress: terminal.progress,
      each: (one) => copied.push(one),
      signal,
    });
    return orElsewhere({ store: from, regime }, tenant, copying);
  }, 'give the same command again, and it goes on from there').catch((error) => {
    // What was copied before is told all the same.
    if (copied.length === 0) throw error;
    fault = error;
  });
  terminal.endLine();
  if (options.json) process.stdout.write(`${JSON.stringify(copied, null, 2)}\n`);
  else printRecords(copied.map(cellsOf), 2);
  const inKms = copied.find(({ key }) => key?.startsWith('arn:'));
  if (inKms && options.to.includes('endpoint='))
    terminal.say(
      `note: the copy opens with ${inKms.key} alone, so it does not survive the loss of that key's account; a dump to several stores can give each a key of its own`,
    );
  const notHeld = copied.filter((each) => each.notHeld);
  if (notHeld.length > 0)
    terminal.say(
      `note: ${count(notHeld.length, 'archive')} of these ${notHeld.length === 1 ? 'is' : 'are'} held in ${from.location} and not in ${to.location}, where \`prune\` and \`erase\` do not spare them; ` +
        `\`sovereign-backup hold\` with --store ${options.to} holds them there, too: ${notHeld.map(({ tenant, at }) => `${JSON.stringify(tenant)} of ${at}`).join(', ')}`,
    );
  if (fault !== undefined) throw fault;
  const failed = copied.filter(({ state }) => state === 'failed');
  if (failed.length > 0)
    throw new OperationError(
      `${failed.length} of ${copied.length} archives were not copied: ${failed[0]!.archive ?? 'those'} of ${JSON.stringify(failed[0]!.tenant)}: ${failed[0]!.problem}`,
    );
}

function whichOf(tenant: string | undefined, { at, archive, all }: CopyOptions): CopyRequest['which'] {
  const given = [at && '--at', archive !== undefined && '--archive', all && '--all'].filter(Boolean);
  if (given.length > 1) throw new UsageError(`${given.join(' and ')} say different things; give one of them`);
  if (archive !== undefined) {
    if (tenant === undefined)
      throw new UsageError('--archive names an archive of one tenant; name the tenant, too');
    return { archive };
  }
  if (at) return { at };
  return all ? 'all' : 'newest';
}

function cellsOf({ state, at, tenant, archive, bytes, kept, problem, sameBy, seconds }: CopiedOne): string[] {
  const start = [state.padEnd(7), at ?? '-', printable(tenant), archive ?? '-'];
  if (state === 'failed') return [...start, harmless(problem!)];
  const rest = kept ? `, ${size(kept)} of it from an earlier run` : '';
  const how = state === 'copied' ? `${rest}, ${seconds.toFixed(1)} s` : `, the same by ${sameBy}`;
  return [...start, size(bytes!) + how];
}
