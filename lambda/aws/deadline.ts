import { OperationError } from '../errors.js';

/** Enough to abort an upload, drop a side database and say what happened. */
const reserveMillis = 20_000;

/** The function has to end. Nothing else was wrong: where there is no such limit, the same work may succeed. */
export class OutOfTimeError extends OperationError {
  constructor() {
    super(
      "the function's time is over before the work was done, and Lambda gives 15 minutes at most: " +
        'declare largeTenants, then tenants of this size are worked on by a Fargate task, which has no limit',
    );
  }
}

/** Of Lambda's context: how long until the function is killed without a word. */
export interface TimeLeft {
  getRemainingTimeInMillis(): number;
}

/** Gives up cleanly shortly before the function would be killed: then nothing half-done is left to the next run. */
export function deadline(context: TimeLeft | undefined): { signal: AbortSignal; clear(): void } {
  const controller = new AbortController();
  const left = context?.getRemainingTimeInMillis();
  if (left === undefined) return { signal: controller.signal, clear: () => {} };
  const timer = setTimeout(
    () => controller.abort(new OutOfTimeError()),
    Math.max(0, left - Math.min(reserveMillis, left * 0.2)),
  );
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}
