import type { TimeLeft } from './deadline.js';
import { serveInvocations } from './runtime.js';
import { work } from './work.js';

/**
 * What the image runs. Lambda tells its own address in the environment, and then invocations are served from there;
 * anywhere else, as in a Fargate task, one event is worked on and its result printed.
 */
export async function runContainer(
  handler: (event: unknown, context: TimeLeft) => Promise<unknown>,
): Promise<void> {
  const runtime = process.env.AWS_LAMBDA_RUNTIME_API;
  if (runtime) {
    await serveInvocations(runtime, handler);
    return;
  }
  const stopped = new AbortController();
  // Fargate says so 30 seconds before it kills.
  process.once('SIGTERM', () => stopped.abort(new Error('the task was stopped from outside')));
  try {
    const result = await work(eventOfTask(), stopped.signal);
    process.stdout.write(`${JSON.stringify(result)}\n`);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = (error as Error).name === 'TenantInputError' ? 2 : 3;
  }
}

/** Step Functions sets the variable of a task; a person gives it as an argument. */
function eventOfTask(): unknown {
  const text = process.env.SOVEREIGN_EVENT ?? process.argv[2];
  try {
    return JSON.parse(text ?? '');
  } catch {
    return text;
  }
}
