/**
 * Exit codes of the command line: 0 fine, 1 findings, 2 bad input, 3 the operation failed.
 *
 * An error that a user can do something about carries its own `exitCode`; lib/ and lambda/ throw such
 * errors without knowing each other or this file. Anything else is a bug of ours, and says so.
 */
export function exitCodeOf(error: unknown): number {
  const code = (error as { exitCode?: unknown })?.exitCode;
  return code === 1 || code === 2 || code === 3 ? code : 3;
}

/** What a person is told: the message alone for a user's mistake, and the stack only on request. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (process.env.SOVEREIGN_BACKUP_DEBUG) return error.stack ?? error.message;
  if ('exitCode' in error) return error.message;
  return `unexpected failure: ${error.message} (set SOVEREIGN_BACKUP_DEBUG=1 for the stack, and please report it)`;
}

/** A mistake in what the user gave: an option, a path, a file. */
export class UsageError extends Error {
  public readonly exitCode = 2;
}
