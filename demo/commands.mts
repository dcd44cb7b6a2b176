// Runs the commands that the demo shows. Everything runs as it would for a user: in a process of its own.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const running = new Set<ReturnType<typeof spawn>>();

/** Ends the commands that still run, when the demo itself is ended. */
export function endCommands(): void {
  for (const child of running) child.kill('SIGTERM');
}

/** Runs a command to its end, whatever its exit code. */
export function attempt(
  program: string,
  args: string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => (stdout += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk) => (stderr += chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      running.delete(child);
      if (signal) reject(new Error(`${program} was ended by ${signal}`));
      else resolve({ code: code ?? 3, stdout, stderr });
    });
  });
}

/** Runs a command that has to succeed. */
export async function run(program: string, args: string[], env?: NodeJS.ProcessEnv): Promise<string> {
  const { code, stdout, stderr } = await attempt(program, args, env);
  if (code === 0) return stdout;
  throw new Error(`${[program, ...args].join(' ')}\nended with exit code ${code}:\n${stderr || stdout}`);
}

const cli = join(root, 'dist/bin/sovereign-backup.mjs');

/** `npx sovereign-backup ARGS`, without npx's own half second. */
export const backup = (...args: string[]): Promise<string> => run(process.execPath, [cli, ...args]);
export const attemptBackup = (...args: string[]): Promise<Outcome> =>
  attempt(process.execPath, [cli, ...args]);
/** `npx cdk ARGS`. */
export const cdk = (...args: string[]): Promise<string> =>
  run(process.execPath, [join(root, 'node_modules/aws-cdk/bin/cdk'), ...args]);
