import { addsFindings, diffOf } from '../../lib/residency/diff.js';
import { InputError } from '../../lib/residency/input.js';
import { diffMarkdownOf, diffTableOf } from '../../lib/residency/output/diff.js';
import type { DiffCommandOptions } from '../commands/diff.js';
import { auditPaths } from './inputs.js';
import { write } from './write.js';

/** Audits both sides by the same policy at the same moment, and prints what differs. */
export function runDiff(old: string, now: string, options: DiffCommandOptions): void {
  if (old === '-' && now === '-') throw new InputError('diff: only one side can be standard input');
  const before = auditPaths([old], options);
  const after = auditPaths([now], { ...options, now: before.now.toISOString() });
  const diff = diffOf(before.result, after.result);
  const text =
    options.format === 'json'
      ? `${JSON.stringify(diff, undefined, 2)}\n`
      : options.format === 'markdown'
        ? diffMarkdownOf(diff)
        : diffTableOf(diff);
  write(text, options.out);
  process.exitCode = addsFindings(diff, options.strict) ? 1 : 0;
}
