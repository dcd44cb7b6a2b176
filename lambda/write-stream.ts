import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';

const WRITE_SIZE = 1024 * 1024;

/**
 * Writes a stream to a file: few large writes instead of many small ones, and the next one is gathered while one is under
 * way. `given` hears how many bytes the file was given so far. Resolves to how many it were.
 */
export async function writeStream(
  file: FileHandle,
  body: Readable,
  given: (bytes: number) => void = () => {},
): Promise<number> {
  let bytes = 0;
  let waiting: Buffer[] = [];
  let size = 0;
  let writing: Promise<void> = Promise.resolve();
  const flush = async () => {
    await writing;
    writing = writeAll(file, waiting, size);
    // Whoever waits for it next gets the error; closing the file waits, too.
    writing.catch(() => {});
    bytes += size;
    waiting = [];
    size = 0;
    given(bytes);
  };
  for await (const chunk of body as AsyncIterable<Buffer>) {
    waiting.push(chunk);
    size += chunk.length;
    if (size >= WRITE_SIZE) await flush();
  }
  await flush();
  await writing;
  return bytes;
}

async function writeAll(file: FileHandle, chunks: readonly Buffer[], size: number): Promise<void> {
  for (let parts = chunks, left = size; left > 0; ) {
    const { bytesWritten } = await file.writev(parts);
    left -= bytesWritten;
    // A nearly full disk takes a part of what it is given before it refuses.
    if (left > 0) parts = [Buffer.concat(parts).subarray(bytesWritten)];
  }
}
