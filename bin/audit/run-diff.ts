import { addsFindings, diffOf } from '../../lib/residency/diff.js';
import { InputError } from '../../lib/residency/input.js';
import { diffMarkdownOf, diffTableOf } from '../../lib/residency/output/diff.js';
import { screenWidth } from '../screen.js';
import { auditPaths } from './inputs.js';
import { write } from './write.js';

export interface DiffOptions {
  readonly policy?: string;
  readonly region?: string;
  readonly account?: string;
  readonly param: Readonly<Record<string, string>>;
  readonly now?: string;
  readonly strict?: true;
  readonly format: 'table' | 'markdown' | 'json';
  readonly out?: string;
}

/** Audits both sides by the same policy at the same moment, and prints what differs. */
export function runDiff(old: string, now: string, options: DiffOptions): void {
  if (old === '-' && now === '-') throw new InputError('diff: only one side can be standard input');
  const before = auditPaths([old], options);
  const after = auditPaths([now], { ...options, now: before.now.toISOString() });
  const diff = diffOf(before.result, after.result);
  const text =
    options.format === 'json'
      ? `${JSON.stringify(diff, undefined, 2)}\n`
      : options.format === 'markdown'
        ? diffMarkdownOf(diff)
        : diffTableOf(diff, screenWidth(options.out));
  write(text, options.out);
  process.exitCode = addsFindings(diff, options.strict ?? false) ? 1 : 0;
}
