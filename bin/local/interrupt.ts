import { OperationError } from '../../lambda/errors.js';

/** Ends what runs in order, so that nothing is left behind, when the process is told to stop; a second time at once. */
export async function interruptible<T>(
  run: (signal: AbortSignal) => Promise<T>,
  holds = 'nothing was changed',
): Promise<T> {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(3);
    controller.abort(new OperationError(`stopped by ${name}; ${holds}`));
  };
  process.on('SIGINT', stop).on('SIGTERM', stop).on('SIGHUP', stop);
  try {
    return await run(controller.signal);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop).off('SIGHUP', stop);
  }
}
