import { OperationError } from '../errors.js';

/** Enough to abort an upload, drop a side database and say what happened. */
const reserveMillis = 20_000;

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
    () => {
      controller.abort(
        new OperationError(
          "the function's time is over before the work was done; give it more time (15 minutes at most), or let this tenant be worked on by a Fargate task, which has no limit",
        ),
      );
    },
    Math.max(0, left - Math.min(reserveMillis, left * 0.2)),
  );
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}
