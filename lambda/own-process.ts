import { hostname } from 'node:os';

/** Names this machine in the names of temporary files: whose they are, so that a dead writer's rest can be cleared. */
export const HOST = Buffer.from(hostname()).toString('hex').slice(0, 64) || '0';

/** Whether there is such a process here, of whatever user. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
