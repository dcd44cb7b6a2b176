import { readFileSync } from 'node:fs';

/** Of what an idle socket waits for in the kernel's table; in hundredths of a second. */
const KEEPS_ALIVE = '02';

/**
 * In how many seconds the kernel asks whether the other side of an idle connection to this machine is still there;
 * undefined where it does not. Linux alone.
 */
export function probesIn(localPort: number): number | undefined {
  const port = `:${localPort.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n')) {
    const [, local, , , , timer] = line.trim().split(/\s+/);
    if (!local?.endsWith(port)) continue;
    const [kind, when] = timer!.split(':');
    return kind === KEEPS_ALIVE ? Number.parseInt(when!, 16) / 100 : undefined;
  }
  return undefined;
}

/** What is undefined at first: a packet on its way has a timer of its own. */
export async function soon<T>(get: () => T | undefined): Promise<T | undefined> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const found = get();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return undefined;
}
