// Reads what a tool writes into large blocks. The tools write 4 KB at a time, and a child's pipe in Node allocates 64 KB
// for every read: collecting that garbage costs more than anything else that is done with a dump.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OperationError, reasonOf } from '../../errors.js';

const READ = 256 * 1024;
const BLOCK = 1024 * 1024;
/** After a small read, more is let come together: each read wakes two processes. */
const PAUSE_MS = 1;
/** So many whole blocks may wait before reading stops, and with it the tool. */
const ROOM = 3;

export interface ToolOutput {
  /** The tool's standard output; to be destroyed here as soon as the tool has it. */
  readonly given: Socket;
  /** Resolves with the first bytes, or when none will come. */
  readonly began: Promise<void>;
  /** All bytes, in blocks that nobody else keeps. To be read once. */
  blocks(): AsyncGenerator<Buffer, void, undefined>;
  close(): void;
}

export async function openOutput(): Promise<ToolOutput> {
  // Only a socket that Node itself has connected reads into a buffer that is used again.
  let folder: string | undefined;
  const server = createServer({ pauseOnConnect: true });
  try {
    // Nobody else may enter the folder.
    folder = await mkdtemp(join(tmpdir(), 'sovereign-'));
    const path = join(folder, 's');
    server.listen(path);
    await once(server, 'listening');
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const reading = readInto(path);
    const [given] = await Promise.race([accepted, reading.failed]);
    return { given, ...reading };
  } catch (error) {
    throw new OperationError(
      `no socket could be made in ${tmpdir()} for the tool's output: ${reasonOf(error)}; name another folder in TMPDIR, with a path of less than 80 characters`,
    );
  } finally {
    server.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

function readInto(path: string): Omit<ToolOutput, 'given'> & { readonly failed: Promise<never> } {
  const ready: Buffer[] = [];
  let block = Buffer.allocUnsafeSlow(BLOCK);
  let filled = 0;
  let ended = false;
  let fault: unknown;
  let wake = () => {};
  const take = (length: number, bytes: Uint8Array): boolean => {
    for (let from = 0; from < length; ) {
      const part = Math.min(length - from, BLOCK - filled);
      block.set(bytes.subarray(from, from + part), filled);
      from += part;
      filled += part;
      if (filled < BLOCK) break;
      ready.push(block);
      block = Buffer.allocUnsafeSlow(BLOCK);
      filled = 0;
    }
    wake();
    if (length >= READ / 2) return ready.length < ROOM;
    setTimeout(more, PAUSE_MS);
    return false;
  };
  const more = () => {
    if (ready.length < ROOM) socket.resume();
  };
  const socket = connect({ path, onread: { buffer: Buffer.allocUnsafeSlow(READ), callback: take } });
  const end = (error?: unknown) => {
    fault ??= error;
    ended = true;
    wake();
  };
  socket
    .once('end', () => end())
    .once('error', end)
    .once('close', () => {
      if (!ended) end(new OperationError('the output of the tool was closed before its end'));
    });
  const woken = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
    });
  const failed = new Promise<never>((_, reject) => socket.once('error', reject));
  failed.catch(() => {});

  return {
    failed,
    began: woken(),
    async *blocks() {
      for (;;) {
        if (fault !== undefined) throw fault;
        const next = ready.shift();
        if (next) {
          more();
          yield next;
        } else if (ended) break;
        else await woken();
      }
      if (filled > 0) yield block.subarray(0, filled);
    },
    close: () => socket.destroy(),
  };
}
