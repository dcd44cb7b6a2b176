import { join } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { startTool } from '../tool.js';
import { clientEnvironment } from './clients.js';
import {
  checkDumped,
  checkRead,
  type PgDump,
  type PgDumpRequest,
  STREAM_FORMAT,
  startReader,
} from './pg-dump.js';

/** One session's dump, which passes through a pipe and is read back while it does. */
export function dumpStream(request: PgDumpRequest): PgDump {
  const { address, clients } = request;
  const dumper = startTool(join(clients.folder, 'pg_dump'), ['--format=custom', ...request.args], {
    env: clientEnvironment(address, request.settings),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // A small dump can be over before anybody reads it, while the key is still being fetched. Node then throws away
  // the output of an ended child, unless somebody listens for it.
  dumper.child.stdout!.on('readable', () => {});
  const reader = startReader(request);
  const kill = () => {
    dumper.kill();
    reader.kill();
  };
  const whole = (async () => {
    // Whatever the reader says about a dump that broke off, the reason is pg_dump's.
    await checkDumped(dumper, request);
    await checkRead(reader);
  })();
  whole.catch(() => {});
  return {
    format: STREAM_FORMAT,
    stream: Readable.from(tee(dumper.child.stdout!, reader.child.stdin!), {
      objectMode: false,
      highWaterMark: 1024 * 1024,
    }),
    whole,
    kill,
    async close() {
      kill();
    },
  };
}

/** pg_dump writes row by row into a pipe; everything behind it is cheaper by the quarter megabyte. */
const COALESCED = 256 * 1024;

/** Gives all that comes to the reader, too, and waits where the reader is slower. */
async function* tee(source: Readable, reader: Writable): AsyncGenerator<Buffer, void, undefined> {
  let wake = () => {};
  reader.on('drain', () => wake()).on('close', () => wake());
  let waiting: Buffer[] = [];
  let size = 0;
  const flush = async () => {
    const block = waiting.length === 1 ? waiting[0]! : Buffer.concat(waiting, size);
    waiting = [];
    size = 0;
    // A reader that has ended says why by its exit code.
    if (!reader.destroyed && !reader.write(block) && !reader.destroyed)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    return block;
  };
  for await (const chunk of source as AsyncIterable<Buffer>) {
    waiting.push(chunk);
    size += chunk.length;
    if (size >= COALESCED) yield await flush();
  }
  if (size > 0) yield await flush();
  reader.end();
}
