import { randomBytes } from 'node:crypto';
import {
  accessSync,
  constants,
  createReadStream,
  type Dirent,
  lstatSync,
  readdirSync,
  statSync,
} from 'node:fs';
import { type FileHandle, link, lstat, mkdir, open, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { OperationError, reasonOf } from '../errors.js';
import { HOST, isAlive } from '../own-process.js';
import { syncFolder } from '../sync-folder.js';
import { writeStream } from '../write-stream.js';
import { DamagedError } from './damaged-error.js';
import {
  type ArchiveStore,
  ObjectExistsError,
  ObjectMissingError,
  type StoredObject,
  StoreError,
  UnreadableError,
} from './store.js';

/** Written under such a name first: whose write it is, so that a dead writer's rest can be told from a living one's. */
const partialName = /^\..+\.([0-9a-f]+)-(\d+)-[0-9a-f]{8}\.partial$/;
const SYNC_EVERY = 32 * 1024 * 1024;
/** Each read waits for a thread: of half the size, all of an archive takes a tenth longer. */
const READ = 512 * 1024;

/** Archives in a folder: of this machine, or of a network file system. */
export class FolderStore implements ArchiveStore {
  public readonly location: string;

  constructor(folder: string) {
    this.location = resolve(folder);
  }

  public async write(key: string, body: Readable): Promise<{ bytes: number }> {
    const path = this.pathOf(key);
    const name = path.slice(dirname(path).length + 1);
    const partial = join(
      dirname(path),
      `.${name}.${HOST}-${process.pid}-${randomBytes(4).toString('hex')}.partial`,
    );
    try {
      const made = await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const file = await open(partial, 'wx', 0o600);
      let bytes: number;
      try {
        bytes = await drain(body, file);
        await file.sync();
      } finally {
        await file.close();
      }
      await publish(partial, path, () => new ObjectExistsError(key, this.location));
      // The folders that were made have names, too.
      const top = made === undefined ? dirname(path) : dirname(made);
      for (let folder = dirname(path); ; folder = dirname(folder)) {
        await syncFolder(folder);
        if (folder.length <= top.length) break;
      }
      return { bytes };
    } catch (error) {
      body.destroy();
      await rm(partial, { force: true }).catch(() => {});
      await this.removeEmpty(dirname(path));
      throw explain(error, this.location);
    }
  }

  public async read(key: string): Promise<Readable> {
    try {
      const file = await open(
        this.pathOf(key),
        constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
      );
      if (!(await file.stat()).isFile()) {
        await file.close();
        throw notRegular(key, this.location);
      }
      const bytes = createReadStream('', { fd: file, highWaterMark: READ });
      return Readable.from(this.reading(key, bytes), { highWaterMark: 1 });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') throw new ObjectMissingError(key, this.location);
      if (code === 'ELOOP') throw notRegular(key, this.location);
      throw this.unreadable(error, key);
    }
  }

  /** A disk that cannot be read says nothing of the archive. */
  private async *reading(key: string, bytes: Readable): AsyncGenerator<Buffer, void, undefined> {
    try {
      yield* bytes as AsyncIterable<Buffer>;
    } catch (error) {
      throw this.unreadable(error, key);
    }
  }

  public async *list(
    prefix: string,
    unreadable?: (place: UnreadableError) => void,
  ): AsyncIterable<StoredObject> {
    yield* this.files(prefix, (name) => !partialName.test(name), unreadable);
  }

  public async folders(prefix: string): Promise<string[]> {
    try {
      return this.entries(prefix)
        .filter((entry) => {
          try {
            return this.isFolder(prefix, entry);
          } catch {
            // A link to what is not there has nothing in it.
            return false;
          }
        })
        .map(({ name }) => name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw explain(error, this.location);
    }
  }

  public async remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      const path = this.pathOf(key);
      try {
        await rm(path, { force: true });
      } catch (error) {
        throw explain(error, this.location);
      }
      await this.removeEmpty(dirname(path));
    }
  }

  public async sweep(prefix: string, olderThan: Date): Promise<void> {
    // What cannot be read is not cleared, and keeps nobody from what is.
    const rest = this.files(
      prefix,
      (name) => partialName.test(name),
      () => {},
    );
    for await (const { key, modified } of rest) {
      const [, writerHost, pid] = partialName.exec(key.slice(key.lastIndexOf('/') + 1)) ?? [];
      const dead = writerHost === HOST && !isAlive(Number(pid));
      if (dead || modified < olderThan) await this.remove([key]);
    }
  }

  /** Those of such names, depth first, in ascending order of keys. */
  private async *files(
    prefix: string,
    named: (name: string) => boolean,
    unreadable?: (place: UnreadableError) => void,
  ): AsyncGenerator<StoredObject & { modified: Date }> {
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    await othersToo();
    let entries: ReturnType<typeof this.entries>;
    try {
      entries = this.entries(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' && !this.isLink(folder)) return;
      throw this.unreadable(error, folder);
    }
    for (const entry of entries) {
      const key = folder + entry.name;
      try {
        if (this.isFolder(folder, entry)) {
          const inner = `${key}/`;
          if (inner.startsWith(prefix) || prefix.startsWith(inner))
            yield* this.files(inner.length > prefix.length ? inner : prefix, named, unreadable);
        } else if (key.startsWith(prefix) && named(entry.name)) {
          const status = this.statusOf(key);
          if (status) yield { key, bytes: status.size, modified: status.mtime };
        }
      } catch (error) {
        if (!unreadable || !(error instanceof UnreadableError)) throw error;
        unreadable(error);
      }
    }
  }

  /** Not through a thread: an archive is a small folder, read in less time than handing it over takes, and there are thousands. */
  private entries(folder: string) {
    const entries = readdirSync(join(this.location, folder), { withFileTypes: true });
    const order = (entry: { name: string; isDirectory(): boolean }) =>
      entry.isDirectory() ? `${entry.name}/` : entry.name;
    return entries.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  }

  /** A tenant's folder may be a link to another disk; nothing is followed below it. */
  private isFolder(folder: string, entry: Dirent): boolean {
    if (!entry.isSymbolicLink() || folder.split('/').length !== 2) return entry.isDirectory();
    try {
      return statSync(join(this.location, folder, entry.name)).isDirectory();
    } catch (error) {
      throw this.unreadable(error, `${folder}${entry.name}/`);
    }
  }

  private isLink(folder: string): boolean {
    return lstatSync(resolve(this.location, folder), { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  }

  private statusOf(key: string) {
    try {
      return lstatSync(this.pathOf(key), { throwIfNoEntry: false });
    } catch (error) {
      throw this.unreadable(error, key);
    }
  }

  private unreadable(error: unknown, key: string): unknown {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT')
      return new UnreadableError(
        key,
        `${join(this.location, key)} is a link to what is not there; mount its disk, or remove the link`,
      );
    const explained = explain(error, this.location);
    // Then this process can open nothing any more.
    if (code === 'EMFILE' || code === 'ENFILE' || !(explained instanceof StoreError)) return explained;
    return new UnreadableError(key, explained.message, { cause: error });
  }

  private pathOf(key: string): string {
    const parts = key.split('/');
    if (parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0')))
      throw new OperationError(`${JSON.stringify(key)} cannot be the key of an object`);
    return join(this.location, ...parts);
  }

  /** Folders that hold nothing any more, up to the store itself. */
  private async removeEmpty(folder: string): Promise<void> {
    for (let path = folder; path.length > this.location.length; path = dirname(path)) {
      try {
        await rmdir(path);
      } catch {
        return;
      }
    }
  }
}

let lastPause = 0;

/** Lets signals and everything else in now and then. */
async function othersToo(): Promise<void> {
  if (process.uptime() - lastPause < 0.05) return;
  await setImmediate();
  lastPause = process.uptime();
}

/** The disk gets to work while the stream runs, instead of when it has ended. */
async function drain(body: Readable, file: FileHandle): Promise<number> {
  let synced = 0;
  let syncing: Promise<void> | undefined;
  let lost: unknown;
  const bytes = await writeStream(file, body, (given) => {
    if (syncing || given - synced < SYNC_EVERY) return;
    synced = given;
    syncing = file
      .datasync()
      // A disk tells of lost bytes once, and then syncs well: so the error is kept.
      .catch((error) => {
        lost ??= error;
      })
      .finally(() => {
        syncing = undefined;
      });
  });
  await syncing;
  if (lost) throw lost;
  return bytes;
}

/** A hard link fails where the name is taken, in one step; file systems without them get the next best. */
async function publish(partial: string, path: string, taken: () => Error): Promise<void> {
  try {
    await link(partial, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Over a network the answer may be lost, and the repetition is refused because of our own first one.
    if (code === 'EEXIST' && (await isLinked(partial, path))) return rm(partial, { force: true });
    if (code === 'EEXIST') throw taken();
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS' && code !== 'EMLINK') throw error;
    if (await lstat(path).catch(() => undefined)) throw taken();
    await rename(partial, path);
    return;
  }
  await rm(partial, { force: true });
}

async function isLinked(partial: string, path: string): Promise<boolean> {
  const [ours, theirs] = await Promise.all([lstat(partial), lstat(path)]);
  return ours.ino === theirs.ino && ours.dev === theirs.dev;
}

/** Somebody put it there in the place of an object. */
function notRegular(key: string, location: string): Error {
  return new DamagedError(`${key} in ${location} is not a regular file`);
}

/** Node says of a read-only file system that the folder to make in it is not there. */
function whyNotMade(error: unknown, location: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code !== 'ENOENT' || syscall !== 'mkdir') return error;
  try {
    accessSync(location, constants.W_OK);
    return error;
  } catch (reason) {
    return reason;
  }
}

/** What a file system may say of itself; everything else comes from what was to be written. */
const OF_THE_STORE = new Set(
  'EIO ENOENT EEXIST ENOTDIR ELOOP EISDIR ENAMETOOLONG ENOTEMPTY EINVAL EBUSY EMFILE ENFILE ENXIO ENODEV ESTALE ENOTCONN'.split(
    ' ',
  ),
);

function explain(thrown: unknown, location: string): unknown {
  const error = whyNotMade(thrown, location);
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EFBIG')
    return new StoreError(
      `the file system of ${location} takes no file of that size; nothing was kept of it`,
    );
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new StoreError(
      `the disk that holds ${location} is full; nothing was kept of what was being written`,
    );
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new StoreError(`${location} cannot be written or read: ${reasonOf(error)}`);
  if (code !== undefined && OF_THE_STORE.has(code))
    return new StoreError(`${location} failed: ${reasonOf(error)}`);
  return error;
}
