import { OperationError } from '../../../errors.js';

/**
 * Rows as `LOAD DATA` reads them by default: a line for each, tabs between values, `\N` for null, and a backslash before
 * what would be taken for one of these. The same escapes mean the same in a string of SQL.
 */
const ESCAPED = /\\[\\tnr0]/g;
const NULL = '\\N';

const [BACKSLASH, TAB, LINE_END, N] = Buffer.from('\\\t\nN') as unknown as [number, number, number, number];
/** What letter stands behind the backslash, by the byte that it stands for; 0 where none does. */
const ESCAPES = new Uint8Array(256);
for (const [byte, letter] of ['\\\\', '\tt', '\nn', '\rr', '\x000'].map((pair) => Buffer.from(pair)))
  ESCAPES[byte!] = letter!;

const CHUNK = 256 * 1024;
/** A null of one byte is `\N` and a tab, and nothing grows by more. */
const GROWTH = 3;

/** Makes lines of rows as the server's text protocol has them, many at once, byte for byte. */
export class LineWriter {
  private lines = Buffer.alloc(0);
  private at = 0;

  /** Takes one row, and gives the lines before it where it found no room beside them. */
  public row(packet: Uint8Array, start: number, end: number): Buffer | undefined {
    const most = GROWTH * (end - start) + 1;
    const full = most > this.lines.length - this.at ? this.take() : undefined;
    if (most > this.lines.length) this.lines = Buffer.allocUnsafeSlow(Math.max(CHUNK, most));
    const { lines } = this;
    let { at } = this;
    let from = start;
    while (from < end) {
      if (from > start) lines[at++] = TAB;
      let length = packet[from++]!;
      if (length === 0xfb) {
        lines[at++] = BACKSLASH;
        lines[at++] = N;
        continue;
      }
      // The number of bytes in two, three or eight more bytes, the lowest first.
      const width = length < 0xfb ? 0 : length === 0xfc ? 2 : length === 0xfd ? 3 : 8;
      if (width > 0) {
        length = 0;
        for (let byte = width - 1; byte >= 0; byte -= 1) length = length * 256 + packet[from + byte]!;
        from += width;
      }
      for (const stop = from + length; from < stop; from += 1) {
        const byte = packet[from]!;
        const letter = ESCAPES[byte]!;
        if (letter === 0) lines[at++] = byte;
        else {
          lines[at++] = BACKSLASH;
          lines[at++] = letter;
        }
      }
    }
    lines[at++] = LINE_END;
    this.at = at;
    return full;
  }

  /** The lines that were not given yet. */
  public take(): Buffer {
    const taken = this.lines.subarray(0, this.at);
    this.lines = Buffer.alloc(0);
    this.at = 0;
    return taken;
  }
}

/** A line's values as SQL has them between VALUES and the comma. Nothing in a line can end its string. */
export function valuesOf(line: string, hexadecimal: readonly boolean[]): string {
  const texts = line.split('\t');
  if (texts.length !== hexadecimal.length)
    throw wrong(`a line has ${texts.length} values, and the table ${hexadecimal.length} columns`);
  return `(${texts.map((text, at) => sqlOf(text, hexadecimal[at]!)).join(',')})`;
}

function sqlOf(text: string, hexadecimal: boolean): string {
  if (text === NULL) return 'NULL';
  if (hexadecimal) {
    if (!/^[0-9A-Fa-f]*$/.test(text)) throw wrong('a value is not in hexadecimal digits');
    return `x'${text.length % 2 === 0 ? '' : '0'}${text}'`;
  }
  if (text.includes('\\') && text.replace(ESCAPED, '').includes('\\'))
    throw wrong('a value has a backslash before nothing that one stands before');
  return text.includes("'") ? `'${text.replaceAll("'", "\\'")}'` : `'${text}'`;
}

/** Text in whole lines, out of bytes that are cut anywhere. */
export class Lines {
  private readonly decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  private rest = '';

  public push(bytes: Buffer): string[] {
    const lines = (this.rest + this.decode(bytes)).split('\n');
    this.rest = lines.pop()!;
    return lines;
  }

  public end(): void {
    if (this.rest + this.decode() !== '') throw wrong('its last line has no end');
  }

  private decode(bytes?: Buffer): string {
    try {
      return bytes ? this.decoder.decode(bytes, { stream: true }) : this.decoder.decode();
    } catch {
      throw wrong('a line is not UTF-8');
    }
  }
}

function wrong(why: string): OperationError {
  return new OperationError(`the archive's rows cannot be read: ${why}; nothing was changed`);
}
