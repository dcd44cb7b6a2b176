import { isUtf8 } from 'node:buffer';
import { OperationError } from '../../../errors.js';

/**
 * Rows as `LOAD DATA` reads them by default: a line for each, tabs between values, `\N` for null, and a backslash before
 * what would be taken for one of these. The same escapes mean the same in a string of SQL.
 */
const NULL = '\\N';
const HEXADECIMAL = new Set(Buffer.from('0123456789abcdefABCDEF'));
const [BACKSLASH, TAB, LINE_END, N] = Buffer.from('\\\t\nN') as unknown as [number, number, number, number];
/** What letter stands behind the backslash, by the byte that it stands for; 0 where none does. */
const ESCAPES = new Uint8Array(256);
for (const [byte, letter] of ['\\\\', '\tt', '\nn', '\rr', '\x000'].map((pair) => Buffer.from(pair)))
  ESCAPES[byte!] = letter!;
const LETTERS = new Set(ESCAPES.filter((letter) => letter !== 0));

const DIGITS = Buffer.from('0123456789ABCDEF');

const CHUNK = 256 * 1024;
/** A null of one byte is `\N` and a tab, and nothing grows by more. */
const GROWTH = 3;

/** Makes lines of rows as the server's text protocol has them, many at once, byte for byte. */
export class LineWriter {
  private lines = Buffer.alloc(0);
  private at = 0;

  /** `digitized`: the columns of which each byte becomes two hexadecimal digits. */
  public constructor(private readonly digitized: readonly boolean[] = []) {}

  /** Takes one row, and gives the lines before it where it found no room beside them. */
  public row(packet: Uint8Array, start: number, end: number): Buffer | undefined {
    const most = GROWTH * (end - start) + 1;
    const full = most > this.lines.length - this.at ? this.take() : undefined;
    if (most > this.lines.length) this.lines = Buffer.allocUnsafeSlow(Math.max(CHUNK, most));
    const { lines } = this;
    let { at } = this;
    let from = start;
    for (let column = 0; from < end; column += 1) {
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
      if (this.digitized[column]) {
        for (const stop = from + length; from < stop; from += 1) {
          lines[at++] = DIGITS[packet[from]! >> 4]!;
          lines[at++] = DIGITS[packet[from]! & 15]!;
        }
        continue;
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

/**
 * Sees to it that lines are what they were made to be, and counts them. The server would make something of others, too: of a
 * backslash before any other letter, of what is no hexadecimal digit (a null), of bytes that are no text.
 */
export function checkLines(lines: Buffer, hexadecimal: readonly boolean[]): number {
  if (!isUtf8(lines)) throw wrong('a line is not UTF-8');
  if (lines.length > 0 && lines.at(-1) !== LINE_END) throw wrong('its last line has no end');
  let rows = 0;
  let column = 0;
  for (let at = 0; at < lines.length; at += 1) {
    const byte = lines[at]!;
    if (byte === TAB) column += 1;
    else if (byte === LINE_END) {
      if (column + 1 !== hexadecimal.length)
        throw wrong(`a line has ${column + 1} values, and the table ${hexadecimal.length} columns`);
      rows += 1;
      column = 0;
    } else if (byte === BACKSLASH) {
      at += 1;
      const letter = lines[at]!;
      if (letter === N ? !isAlone(lines, at - 1, at) : !LETTERS.has(letter))
        throw wrong('a value has a backslash before nothing that one stands before');
      if (letter !== N && hexadecimal[column]) throw wrong('a value is not in hexadecimal digits');
    } else if (hexadecimal[column] && !HEXADECIMAL.has(byte))
      throw wrong('a value is not in hexadecimal digits');
  }
  return rows;
}

function isAlone(lines: Buffer, first: number, last: number): boolean {
  const ends = (byte: number | undefined) => byte === undefined || byte === TAB || byte === LINE_END;
  return ends(lines[first - 1]) && ends(lines[last + 1]);
}

/** A checked line's values as SQL has them between VALUES and the comma. Nothing in a line can end its string. */
export function valuesOf(line: string, hexadecimal: readonly boolean[]): string {
  const texts = line.split('\t');
  return `(${texts.map((text, at) => sqlOf(text, hexadecimal[at]!)).join(',')})`;
}

function sqlOf(text: string, hexadecimal: boolean): string {
  if (text === NULL) return 'NULL';
  if (hexadecimal) return `x'${text.length % 2 === 0 ? '' : '0'}${text}'`;
  return text.includes("'") ? `'${text.replaceAll("'", "\\'")}'` : `'${text}'`;
}

function wrong(why: string): OperationError {
  return new OperationError(`the archive's rows cannot be read: ${why}; nothing was changed`);
}
