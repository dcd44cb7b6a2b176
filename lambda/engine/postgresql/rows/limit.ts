import { reasonOf } from '../../../errors.js';

/** The server's own setting is a whole number of milliseconds, in 32 bits. */
const LONGEST = 2_147_483;

/** The server cancels what takes longer, waiting for locks and for us included; 0 lets every statement take its time. */
export function statementLimit(seconds: number | undefined): string[] {
  return seconds === undefined ? [] : [`set statement_timeout = '${Math.min(seconds, LONGEST)}s'`];
}

/** Whether it is that limit which ended a statement, and not somebody who cancelled it. */
export function isLimit(error: unknown): boolean {
  return (error as { code?: string }).code === '57014' && !/user request/.test(reasonOf(error));
}
