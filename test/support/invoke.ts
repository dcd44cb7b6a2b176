// Runs a handler of a built bundle as Lambda does: in a process of its own that knows only its environment.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

export interface Invocation {
  readonly result?: unknown;
  readonly error?: { readonly name: string; readonly message: string };
  /** All that the function wrote. */
  readonly log: string;
  /** The lines of the log that are JSON. */
  readonly records: Record<string, unknown>[];
}

const script = `
  import { writeSync } from 'node:fs';
  const { handler } = await import(process.env.TEST_BUNDLE);
  const left = Number(process.env.TEST_MILLIS);
  const end = Date.now() + left;
  const outcome = await handler(JSON.parse(process.env.TEST_EVENT), { getRemainingTimeInMillis: () => end - Date.now() }).then(
    (result) => ({ result }),
    (error) => ({ error: { name: error.name, message: error.message } }),
  );
  writeSync(3, JSON.stringify(outcome));
  process.exit(0);
`;

export async function invoke(
  name: string,
  event: unknown,
  environment: Record<string, string>,
  options: { readonly millis?: number; readonly signal?: AbortSignal } = {},
): Promise<Invocation> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH ?? '',
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '',
      ...environment,
      TEST_BUNDLE: join(__dirname, `../../dist/lambda/${name}/index.mjs`),
      TEST_EVENT: JSON.stringify(event),
      TEST_MILLIS: String(options.millis ?? 900_000),
    },
    ...(options.signal ? { signal: options.signal, killSignal: 'SIGKILL' as const } : {}),
  });
  child.on('error', () => {});
  const [out, errors, outcome] = await Promise.all([
    text(child.stdout as Readable),
    text(child.stderr as Readable),
    text(child.stdio[3] as Readable),
  ]);
  const log = out + errors;
  if (outcome === '' && !options.signal?.aborted)
    throw new Error(`the handler ended without an answer:\n${log}`);
  const records = log.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
  return { ...(outcome === '' ? {} : JSON.parse(outcome)), log, records };
}
