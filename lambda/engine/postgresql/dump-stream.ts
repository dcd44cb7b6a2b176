import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { startTool, type Tool } from '../tool.js';
import { openOutput } from '../tool-output.js';
import { clientEnvironment } from './clients.js';
import {
  checkDumped,
  checkRead,
  type PgDump,
  type PgDumpRequest,
  STREAM_FORMAT,
  startReader,
} from './pg-dump.js';

/** One session's dump, which passes through us and is read back while it does. */
export async function dumpStream(request: PgDumpRequest): Promise<PgDump> {
  const { address, clients } = request;
  const output = await openOutput();
  const dumper = startTool(join(clients.folder, 'pg_dump'), ['--format=custom', ...request.args], {
    env: clientEnvironment(address, request.settings),
    stdio: ['ignore', output.given, 'pipe'],
  });
  output.given.destroy();
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
    stream: tee(output.blocks(), reader),
    whole,
    kill,
    async close() {
      kill();
      output.close();
    },
  };
}

/** Gives all that comes to the reader, too, and waits where the reader is slower. */
async function* tee(blocks: AsyncIterable<Buffer>, { child }: Tool): AsyncGenerator<Buffer, void, undefined> {
  const reader = child.stdin!;
  for await (const block of blocks) {
    const read = given(reader, block);
    yield block;
    // Then the block is used again.
    await read;
  }
  reader.end();
}

/** Resolves when the bytes have left. A reader that has ended says why by its exit code. */
function given(reader: Writable, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (reader.destroyed) resolve();
    else reader.write(bytes, () => resolve());
  });
}
