// Runs a program and tells how long it took and how much memory it and its children had at most.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';

export interface Measured {
  readonly program: string;
  readonly seconds: number;
  /** Peak resident memory of the process itself, where the system tells (Linux). */
  readonly peakMegabytes: number;
  /** The same of the programs that it started, each on its own, by name. */
  readonly children: Record<string, number>;
  readonly stdout: string;
}

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export function spread(values: number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (i: number) => sorted[i] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  const median = (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2;
  return { min: at(0), median, max: at(sorted.length - 1) };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function childrenOf(pid: number): number[] {
  let tasks: string[] = [];
  try {
    tasks = readdirSync(`/proc/${pid}/task`);
  } catch {
    // It has just ended.
  }
  const lists = tasks.map((task) => read(`/proc/${pid}/task/${task}/children`));
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
}

/** The kernel keeps the highest mark itself, so a look now and then is enough. */
function highest(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024;
}

function programOf(pid: number): string {
  const words = read(`/proc/${pid}/cmdline`).split('\0');
  return (
    (words.find((word) => /\/(pg_\w+|zstd|psql)(\.real)?$/.test(word)) ?? words[0] ?? '').split('/').pop() ??
    ''
  );
}

export async function measure(
  program: string,
  args: string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Measured> {
  const since = performance.now();
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk) => (stderr += chunk));
  let peakMegabytes = 0;
  const children: Record<string, number> = {};
  const look = () => {
    if (!child.pid) return;
    peakMegabytes = Math.max(peakMegabytes, highest(child.pid));
    const family = childrenOf(child.pid);
    for (const pid of family) {
      family.push(...childrenOf(pid));
      const name = programOf(pid);
      // Not yet, or no longer, a program of its own.
      if (name === '' || name === programOf(child.pid)) continue;
      children[name] = Math.max(children[name] ?? 0, highest(pid));
    }
  };
  const clock = setInterval(look, 25);
  const ended = once(child, 'close');
  const [code] = await ended;
  clearInterval(clock);
  const seconds = (performance.now() - since) / 1000;
  if (code !== 0) throw new Error(`${[program, ...args].join(' ')} ended with exit code ${code}:\n${stderr}`);
  return { program, seconds, peakMegabytes, children, stdout };
}
