// What throwaway servers of every kind share: whom they run as, a free port, and their end.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** Database servers refuse to run as root; everybody else runs them as themselves. */
export function runAs(account = 'postgres'): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const accounts = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of [account, 'nobody']) {
    const [, , uid, gid] = accounts.find((line) => line.startsWith(`${name}:`))?.split(':') ?? [];
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(`The server cannot run as root, and there is no user ${account} or nobody to run it as.`);
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}

export async function run(
  command: string,
  args: string[],
  options: { uid?: number; gid?: number; cwd?: string } = {},
) {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} failed (exit code ${code}):\n${output}`);
}

/**
 * Waits for the end of this process, whichever way that comes, and then stops the server and removes its
 * folder, if it has one: its standard input is a pipe that only we hold. It has a session of its own, so that Ctrl-C does
 * not reach it.
 */
export function guard(pid: number, folder = ''): ChildProcess {
  const script = `cat >/dev/null
    for signal in QUIT KILL; do
      kill -$signal "$1" 2>/dev/null
      for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$1" 2>/dev/null || break 2; sleep 0.2; done
    done
    [ -z "$2" ] || rm -rf -- "$2"`;
  const child = spawn('sh', ['-c', script, 'guard', String(pid), folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  return child;
}
