import { OperationError } from '../../../errors.js';

/**
 * Rows as `LOAD DATA` reads them by default: a line for each, tabs between values, `\N` for null, and a backslash before
 * what would be taken for one of these. The same escapes mean the same in a string of SQL.
 */
const SPECIAL = /[\\\t\n\r\0]/g;
const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\0': '\\0',
};
const ESCAPED = /\\[\\tnr0]/g;
const NULL = '\\N';

/** One row's line. Every character of it is one byte, whatever the bytes mean. */
export function lineOf(values: readonly (Buffer | null)[]): string {
  const texts = values.map((value) =>
    value === null ? NULL : value.toString('latin1').replace(SPECIAL, (each) => ESCAPES[each]!),
  );
  return `${texts.join('\t')}\n`;
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
