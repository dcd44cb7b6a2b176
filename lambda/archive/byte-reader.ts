import type { Readable } from 'node:stream';
import { DamagedError } from './damaged-error.js';

/** Reads a stream by exact numbers of bytes. */
export class ByteReader {
  private readonly source: AsyncIterator<Buffer>;
  private chunks: Buffer[] = [];
  private held = 0;
  private ended = false;

  constructor(source: Readable) {
    this.source = source[Symbol.asyncIterator]();
  }

  /** Up to so many bytes without consuming them; fewer only at the end. */
  public async peek(length: number): Promise<Buffer> {
    await this.fill(length);
    const all = this.chunks.length === 1 ? this.chunks[0]! : Buffer.concat(this.chunks);
    this.chunks = [all];
    return all.subarray(0, Math.min(length, this.held));
  }

  public async take(length: number): Promise<Buffer> {
    const parts = await this.takeParts(length);
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  /** The same in the pieces that it came in, which spares copying them. */
  public async takeParts(length: number): Promise<Buffer[]> {
    await this.fill(length);
    if (this.held < length) throw new DamagedError('it is cut off: bytes are missing at its end');
    this.held -= length;
    const parts: Buffer[] = [];
    for (let missing = length; missing > 0; ) {
      const chunk = this.chunks[0]!;
      if (chunk.length <= missing) {
        parts.push(chunk);
        this.chunks.shift();
        missing -= chunk.length;
      } else {
        parts.push(chunk.subarray(0, missing));
        this.chunks[0] = chunk.subarray(missing);
        missing = 0;
      }
    }
    return parts;
  }

  public async expectEnd(): Promise<void> {
    await this.fill(1);
    if (this.held > 0) throw new DamagedError('bytes were added at its end');
  }

  private async fill(length: number): Promise<void> {
    while (this.held < length && !this.ended) {
      const next = await this.source.next();
      if (next.done) this.ended = true;
      else {
        this.chunks.push(next.value);
        this.held += next.value.length;
      }
    }
  }
}
