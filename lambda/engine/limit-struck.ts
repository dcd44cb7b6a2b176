import { OperationError } from '../errors.js';

/** What became of a statement that took longer than it was allowed, in the same words whoever cancelled it. */
export function limitError(what: string, seconds: number, holds: string): OperationError {
  return new OperationError(
    `${what} took longer than the ${seconds} s of --statement-timeout and was cancelled; ${holds}: allow it more time, or find out what slows it down`,
  );
}

/** The same where a limit was asked for and struck; undefined where it is something else. */
export function limitStruck(
  struck: boolean,
  seconds: number | undefined,
  what: string,
  holds: string,
): OperationError | undefined {
  return struck && seconds !== undefined ? limitError(what, seconds, holds) : undefined;
}
