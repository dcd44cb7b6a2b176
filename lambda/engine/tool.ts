import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Writable } from 'node:stream';
import { OperationError, reasonOf } from '../errors.js';

const KEPT_STDERR = 16 * 1024;

/** A client tool that runs. */
export interface Tool {
  readonly child: ChildProcess;
  /** Its exit code, 0 included; rejects only when it could not be started or was killed by a signal. */
  readonly exited: Promise<number>;
  /** The end of what it has said so far. */
  said(): string;
  kill(): void;
}

export function startTool(
  path: string,
  args: readonly string[],
  options: {
    readonly env: NodeJS.ProcessEnv;
    /** More of them are open files, which the tool finds by their number. */
    readonly stdio: ['ignore' | 'pipe', 'ignore' | 'pipe' | Writable, 'pipe', ...number[]];
    /** Ends with all processes that it starts. @default false */
    readonly group?: boolean;
    /** Writes more at once, which wakes whoever reads less often. @default false */
    readonly buffered?: boolean;
    readonly line?: (line: string) => void;
  },
): Tool {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const [command, ...given] = options.buffered ? buffered(path, args) : [path, ...args];
  const child = spawn(command, given, {
    env: options.env,
    stdio: options.stdio,
    detached: options.group ?? false,
  });
  let said = '';
  let rest = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-KEPT_STDERR);
    // What has no end yet is not looked through again: a line can be a whole statement.
    const [end = '', ...more] = text.split('\n');
    rest += end;
    for (const next of more) {
      options.line?.(rest);
      rest = next;
    }
  });
  const exited = (async () => {
    let ended: [number | null, NodeJS.Signals | null];
    try {
      ended = (await once(child, 'close')) as typeof ended;
    } catch (error) {
      throw new OperationError(`${name} could not be started: ${reasonOf(error)}`);
    }
    const [code, signal] = ended;
    if (code === null) throw new OperationError(`${name} was ended by ${signal}`);
    return code;
  })();
  exited.catch(() => {});
  const kill = () => {
    if (!options.group) child.kill('SIGKILL');
    else if (child.pid !== undefined && child.exitCode === null) {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has just ended, and all of its own with it.
      }
    }
  };
  return { child, exited, said: () => said, kill };
}

/** Enough that few are woken, and little enough that the first bytes do not keep anybody waiting. */
const BUFFER = '64K';

/** The tools write 4 KB at a time. GNU's coreutils make that more; where they are not, a tool runs as it is. */
function buffered(path: string, args: readonly string[]): [string, ...string[]] {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder.startsWith('/'));
  const stdbuf = folders.map((folder) => join(folder, 'stdbuf')).find((file) => existsSync(file));
  return stdbuf === undefined ? [path, ...args] : [stdbuf, `--output=${BUFFER}`, path, ...args];
}

/** What a tool writes that has nothing more to do than that. */
export function outputOf(path: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(path, args, { env }, (error, stdout) => (error ? reject(error) : resolve(stdout)));
  });
}

/**
 * Gives a tool all of a dump. The tool may end before, when it has all that it needs: the dump is read to its end all the
 * same, for only there it proves to be whole. Fails as the dump does; where the tool failed, it says so by its exit code.
 */
export async function feed(dump: AsyncIterable<Buffer>, { child }: Tool): Promise<void> {
  const input = child.stdin!;
  let wake = () => {};
  // Whatever is wrong with the pipe follows from the tool's own end, at which Node closes it.
  input
    .on('error', () => {})
    .on('drain', () => wake())
    .on('close', () => wake());
  for await (const chunk of dump) {
    // Nobody needs the rest.
    if (child.exitCode || child.signalCode) break;
    if (!input.destroyed && !input.write(chunk) && !input.destroyed)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  }
  input.end();
}
