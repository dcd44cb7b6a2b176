import { runContainer } from '../aws/container.js';
import { deadline, type TimeLeft } from '../aws/deadline.js';
import { work } from '../aws/work.js';

/** One action for one tenant; what it returns is what the command line prints with --json. */
export async function handler(event: unknown, context?: TimeLeft): Promise<unknown> {
  const limit = deadline(context);
  try {
    return await work(event, limit.signal);
  } finally {
    limit.clear();
  }
}

/** Entry of the image, in Lambda and out of it. */
export const main = (): Promise<void> => runContainer(handler);
