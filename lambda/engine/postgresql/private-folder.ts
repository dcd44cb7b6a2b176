import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, constants, mkdir, readdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HOST, isAlive } from '../../own-process.js';

/** Left free for others. */
const SPARE = 256 * 1024 * 1024;
/** File systems that lie in memory. */
const IN_MEMORY = [0x01021994, 0x858458f6];

/** With the machine and the process whose it is. */
const NAME = /^\.sovereign-dump-([0-9a-f]+)-(\d+)-\w+$/;

/** A temporary folder on disk that may be written to and has room for so many bytes; nothing where there is none. */
export async function roomFor(bytes: number): Promise<string | undefined> {
  for (const folder of new Set([tmpdir(), '/var/tmp'])) {
    const { type, bavail, bsize } = await statfs(folder).catch(() => ({ type: 0, bavail: 0, bsize: 0 }));
    if (!IN_MEMORY.includes(type) && bavail * bsize > bytes + SPARE && (await isWritable(folder)))
      return folder;
  }
  return undefined;
}

function isWritable(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}

export interface PrivateFolder {
  readonly path: string;
  /** Safe to call more than once. */
  remove(): Promise<void>;
}

/**
 * A folder for what is not encrypted, for its owner alone. It goes however this process ends: killed, by a shell that
 * waits for the end of a pipe that only we hold; by a power cut, when the next one is made.
 */
export async function makePrivateFolder(parent: string): Promise<PrivateFolder> {
  const path = await temporaryPath(parent);
  // Who still writes into it makes rm fail, and then finds no folder any more.
  const script = 'cat >/dev/null; while ! rm -rf -- "$1" 2>/dev/null; do sleep 1; done';
  const watcher = spawn('/bin/sh', ['-c', script, 'sh', path], {
    // Not reached by a signal to our whole group.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
  });
  // Without a shell there is still the next run.
  watcher.on('error', () => {});
  watcher.unref();
  const pipe = watcher.stdin!;
  pipe.on('error', () => {});
  (pipe as unknown as { unref?(): void }).unref?.();
  // Not before somebody waits to remove it.
  await mkdir(path, { mode: 0o700 }).catch((error) => {
    pipe.end();
    throw error;
  });
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true, maxRetries: 3 });
      pipe.end();
    },
  };
}

/** A new name for what this process puts there for a while; what others have left, who were killed, goes. */
export async function temporaryPath(parent: string): Promise<string> {
  await sweep(parent);
  return join(parent, `.sovereign-dump-${HOST}-${process.pid}-${randomBytes(8).toString('hex')}`);
}

/** Removes what dead processes of this machine have left. */
async function sweep(parent: string): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    const [, host, pid] = NAME.exec(name) ?? [];
    if (host !== HOST || isAlive(Number(pid))) continue;
    // Somebody else's cannot be removed, and is not ours to mind.
    await rm(join(parent, name), { recursive: true, force: true }).catch(() => {});
  }
}
