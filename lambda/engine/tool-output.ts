// Reads what a tool writes into a few large blocks, which are used again and again. The tools write 4 KB at a time, and a
// child's pipe in Node allocates 64 KB for every read: collecting that garbage costs more than anything else that is done
// with a dump.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { OperationError, reasonOf } from '../errors.js';

const BLOCK = 1024 * 1024;
/** One is filled, one is at the reader's, the others wait; when all do, reading stops, and with it the tool. */
const BLOCKS = 6;
/** A block with less room is full: reads get smaller with it. */
const LEAST = 48 * 1024;
/** After a small read, more is let come together: each read wakes two processes. A tool that writes more at once needs no rest. */
const PAUSE_MS = 1;

export interface ToolOutput {
  /** The tool's standard output; to be destroyed here as soon as the tool has it. */
  readonly given: Socket;
  /** Resolves with the first bytes, or when none will come. */
  readonly began: Promise<void>;
  /** Resolves when all bytes were seen. */
  readonly ended: Promise<void>;
  /** All bytes, to be read once. A block is used again as soon as the next one is asked for. */
  blocks(): AsyncGenerator<Buffer, void, undefined>;
  close(): void;
}

/** Bytes are seen as they come, before they are a block; what seeing them throws ends the output. */
export async function openOutput(seen: (bytes: Buffer) => void = () => {}): Promise<ToolOutput> {
  // Only a socket that Node itself has connected reads into a buffer of ours; and one in a folder would outlive a kill.
  const server = createServer({ pauseOnConnect: true, noDelay: true });
  try {
    server.listen(0, HERE);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { socket, ...output } = readFrom(port, seen);
    return { given: await otherEnd(server, socket), ...output };
  } catch (error) {
    throw new OperationError(
      `the tool's output could not be connected: ${reasonOf(error)}; this program must be able to connect to itself by ${HERE}`,
    );
  } finally {
    server.close();
  }
}

const HERE = '127.0.0.1';

/** Everybody on this machine may connect. Whose connection it is, its address and port tell: no two have the same. */
function otherEnd(server: Server, socket: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const connected = once(socket, 'connect').catch(reject);
    // As where no more files may be open, and it was never accepted.
    socket.once('close', () => reject(new Error('the connection was closed')));
    server.on('connection', async (accepted) => {
      await connected;
      const own = accepted.remotePort === socket.localPort && accepted.remoteAddress === socket.localAddress;
      if (own) resolve(accepted);
      else accepted.destroy();
    });
  });
}

interface Filled {
  readonly block: Buffer;
  readonly length: number;
}

function readFrom(
  port: number,
  seen: (bytes: Buffer) => void,
): Omit<ToolOutput, 'given'> & { readonly socket: Socket } {
  const ready: Filled[] = [];
  const free: Buffer[] = [];
  let made = 0;
  const another = (): Buffer => {
    const used = free.pop();
    if (used) return used;
    made += 1;
    return Buffer.allocUnsafeSlow(BLOCK);
  };
  let block = another();
  let filled = 0;
  let over = false;
  let fault: unknown;
  let wake = () => {};
  const first = signal();
  const last = signal();
  const end = (error?: unknown) => {
    if (over) return;
    over = true;
    fault = error;
    socket.destroy();
    first.resolve();
    if (error === undefined) last.resolve();
    else last.reject(error);
    wake();
  };
  /** Only then is there somewhere to go on when this block is full. */
  const room = () => free.length > 0 || made < BLOCKS;
  const more = () => {
    if (room() && !over) socket.resume();
  };
  const take = (length: number): boolean => {
    const bytes = block.subarray(filled, filled + length);
    filled += length;
    first.resolve();
    try {
      seen(bytes);
    } catch (error) {
      end(error);
      return false;
    }
    if (BLOCK - filled < LEAST) {
      ready.push({ block, length: filled });
      block = another();
      filled = 0;
      wake();
    }
    if (length >= LEAST) return room();
    setTimeout(more, PAUSE_MS);
    return false;
  };
  const socket = connect({
    port,
    host: HERE,
    onread: { buffer: () => block.subarray(filled), callback: take },
  });
  socket
    .once('end', () => end())
    .once('error', end)
    .once('close', () => end(new OperationError('the output of the tool was closed before its end')));

  return {
    socket,
    began: first.settled,
    ended: last.settled,
    async *blocks() {
      for (;;) {
        if (fault !== undefined) throw fault;
        const next = ready.shift();
        if (next) {
          yield next.block.subarray(0, next.length);
          free.push(next.block);
          more();
        } else if (over) break;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
      if (filled > 0) yield block.subarray(0, filled);
    },
    close: () => end(new OperationError('the output of the tool was not read to its end')),
  };
}

function signal() {
  let resolve = () => {};
  let reject = (_: unknown) => {};
  const settled = new Promise<void>((whole, broken) => {
    resolve = whole;
    reject = broken;
  });
  // Nobody may be waiting at that moment; whoever does later gets the same error.
  settled.catch(() => {});
  return { settled, resolve, reject };
}
