import { OperationError } from '../errors.js';

const BLOCK = 512;
/** Sizes from here on do not fit into eleven octal digits. */
const LARGE = 8 ** 11;
const BINARY = 0x80000000;
const PLAIN_FILE = 0x30;

/** One file of a tar (ustar), which any `tar` reads. Names are ours: short, plain, relative. */
export function tarMember(name: string, bytes: Buffer, at: Date): Buffer {
  return Buffer.concat([tarHeader(name, bytes.length, at), bytes, tarPadding(bytes.length)]);
}

/** What stands before a file of that many bytes; after them comes its padding. */
export function tarHeader(name: string, size: number, at: Date): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, '0')}\0`;
  header.write(name, 0, 100, 'ascii');
  header.write(octal(0o600, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  if (size < LARGE) header.write(octal(size, 12), 124);
  else {
    // More than eleven octal digits: a binary number, as GNU tar, bsdtar and others write it.
    header.writeUInt32BE(BINARY, 124);
    header.writeBigUInt64BE(BigInt(size), 128);
  }
  header.write(octal(Math.floor(at.getTime() / 1000), 12), 136);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257, 'latin1');
  header.write(octal(sumOf(header), 7), 148);
  return header;
}

export function tarPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

export function tarEnd(): Buffer {
  return Buffer.alloc(2 * BLOCK);
}

export interface TarMember {
  readonly name: string;
  readonly size: number;
  /** Its content; what is not read is skipped. */
  bytes(): AsyncGenerator<Buffer, void, undefined>;
  whole(limit: number): Promise<Buffer>;
}

/** The files of a tar as they come; each is good until the next one is asked for. */
export async function* tarMembers(source: AsyncIterable<Buffer>): AsyncGenerator<TarMember, void, undefined> {
  const input = new Input(source);
  for (;;) {
    const header = await input.exactly(BLOCK);
    if (header.every((byte) => byte === 0)) break;
    const { name, size } = readHeader(header);
    let left = size;
    async function* bytes() {
      while (left > 0) {
        const piece = await input.some(left);
        left -= piece.length;
        yield piece;
      }
    }
    yield {
      name,
      size,
      bytes,
      async whole(limit) {
        if (size > limit) throw broken(`${name} is too large`);
        const pieces: Buffer[] = [];
        for await (const piece of bytes()) pieces.push(piece);
        return Buffer.concat(pieces);
      },
    };
    for await (const _ of bytes());
    await input.exactly((BLOCK - (size % BLOCK)) % BLOCK);
  }
  if (!(await input.exactly(BLOCK)).every((byte) => byte === 0)) throw broken('it has no end');
  if (!(await input.ended())) throw broken('something follows its end');
}

function readHeader(header: Buffer): { name: string; size: number } {
  const number = (start: number, end: number) => {
    const text = header.toString('latin1', start, end).replace(/[\0 ]+$/, '');
    if (!/^[0-7]+$/.test(text)) throw broken('a header is not one');
    return Number.parseInt(text, 8);
  };
  const sum = number(148, 156);
  const copy = Buffer.from(header);
  copy.fill(' ', 148, 156);
  if (sumOf(copy) !== sum || header.toString('latin1', 257, 262) !== 'ustar')
    throw broken('a header is not one');
  const zero = header.indexOf(0);
  const name = header.toString('latin1', 0, Math.min(zero < 0 ? 100 : zero, 100));
  // A link or a folder could lead elsewhere, and the rest of a longer name would be overlooked.
  if (header[156] !== PLAIN_FILE || header[345] !== 0)
    throw broken(`${JSON.stringify(name)} is not a plain file with a short name`);
  const size = header.readUInt32BE(124) === BINARY ? Number(header.readBigUInt64BE(128)) : number(124, 136);
  if (!Number.isSafeInteger(size)) throw broken('a header is not one');
  return { name, size };
}

function sumOf(header: Buffer): number {
  let sum = 0;
  for (const byte of header) sum += byte;
  return sum;
}

function broken(why: string): OperationError {
  return new OperationError(`the archive's tar cannot be read: ${why}`);
}

/** Bytes by number, out of chunks of any size. */
class Input {
  private readonly chunks: AsyncIterator<Buffer>;
  private rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.chunks = source[Symbol.asyncIterator]();
  }

  public async some(limit: number): Promise<Buffer> {
    while (this.rest.length === 0) {
      const next = await this.chunks.next();
      if (next.done) throw broken('it breaks off');
      this.rest = next.value;
    }
    const piece = this.rest.subarray(0, limit);
    this.rest = this.rest.subarray(piece.length);
    return piece;
  }

  public async exactly(length: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let left = length; left > 0; ) {
      const piece = await this.some(left);
      pieces.push(piece);
      left -= piece.length;
    }
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }

  public async ended(): Promise<boolean> {
    while (this.rest.length === 0) {
      const next = await this.chunks.next();
      if (next.done) return true;
      this.rest = next.value;
    }
    return false;
  }
}
