import { spawn } from 'node:child_process';
import { CLI } from './cli';

// Node has no terminals of its own to give; Python, which the stand-in for AWS needs anyway, does.
const TERMINAL = `
import fcntl, os, pty, struct, sys, termios
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 40, int(sys.argv[1]), 0, 0))
    os.execv(sys.argv[2], sys.argv[2:])
while True:
    try:
        some = os.read(terminal, 65536)
    except OSError:
        break
    if not some:
        break
    sys.stdout.buffer.write(some)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
`;

export interface Seen {
  readonly code: number | null;
  readonly lines: readonly string[];
}

/** The command line as it is seen in a terminal of so many columns; both of its channels lead there. */
export function inTerminal(
  columns: number,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Seen> {
  const child = spawn('python3', ['-c', TERMINAL, String(columns), process.execPath, CLI, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let seen = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (seen += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, lines: seen.trimEnd().split('\r\n') }));
  });
}
