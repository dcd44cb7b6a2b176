// The built command line as a child process, as a user runs it.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

export const CLI = join(__dirname, '../../dist/bin/sovereign-backup.mjs');

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What was printed as JSON; where nothing was, what was said instead is the failure. */
  json<T>(): T;
}

/** What must have succeeded; else its own words are the failure. */
export function ok(ran: Ran): Ran {
  if (ran.code !== 0) throw new Error(ran.stderr);
  return ran;
}

export interface RunOptions {
  readonly env?: Record<string, string | undefined>;
  /** Sees the process as soon as it runs. */
  readonly started?: (child: ChildProcess) => void;
}

export function runCli(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const env = { ...process.env, PGPASSWORD: undefined, ...options.env };
  const child = spawn(process.execPath, [CLI, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  options.started?.(child);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) =>
      resolve({
        code,
        signal,
        stdout,
        stderr,
        json() {
          if (stdout === '') throw new Error(`no JSON, exit code ${code}, signal ${signal}: ${stderr}`);
          return JSON.parse(stdout);
        },
      }),
    );
  });
}
