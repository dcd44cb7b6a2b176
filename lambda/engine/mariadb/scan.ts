// Reads the SQL that mariadb-dump and mysqldump write, as it passes: where each statement ends, how many rows there are.
const LINE = 0x0a;
const QUOTE = 0x27;
const DOUBLE = 0x22;
const BACKTICK = 0x60;
const BACKSLASH = 0x5c;
const OPEN = 0x28;
const CLOSE = 0x29;
const SEMICOLON = 0x3b;
const DASH = 0x2d;

/** Bytes that mean nothing outside of quotes, between the values of a row. */
const PLAIN = new Uint8Array(256).fill(1);
for (const byte of [QUOTE, OPEN, CLOSE, SEMICOLON]) PLAIN[byte] = 0;
const NEAR = 32;
const found = (at: number, otherwise: number) => (at < 0 ? otherwise : at);

/** Far above any definition; only rows may be longer, and they are not held in memory. */
const MAX_STATEMENT = 32 * 1024 * 1024;

export interface ScanEvents {
  /** A whole statement other than INSERT, without its delimiter. */
  statement?(sql: Buffer, delimiter: string): void;
  /** Part of an INSERT statement, in order; the last part ends with its semicolon. */
  rows?(bytes: Buffer): void;
  /** A line for the client: what ends statements from here on. */
  delimiter?(delimiter: string): void;
}

/** What is not as the tools write it. */
export class UnreadableDump extends Error {}

export class DumpScanner {
  /** Rows of every table that has any. */
  public readonly rows = new Map<string, number>();
  /** Bytes of the longest statement with rows so far, also while it is being read; and whose rows they are. */
  public longest: { readonly bytes: number; readonly table: string } = { bytes: 0, table: '' };
  private pending: Buffer = Buffer.alloc(0);
  private delimiter = ';';
  private table: string | undefined;
  private count = 0;
  private bytes = 0;
  private depth = 0;
  private quoted = false;
  private escaped = false;
  private trailer = false;
  /** Set by a routine's own sql_mode, under which a backslash is only a backslash. */
  private plainBackslash = false;
  private readonly events: ScanEvents;

  constructor(events: ScanEvents = {}) {
    this.events = events;
  }

  public push(chunk: Buffer): void {
    const data = this.pending.length > 0 ? Buffer.concat([this.pending, chunk]) : chunk;
    let at = 0;
    while (at < data.length) {
      const next = this.table === undefined ? this.between(data, at) : this.inRows(data, at);
      if (next === undefined) break;
      at = next;
    }
    this.pending = at < data.length ? Buffer.from(data.subarray(at)) : Buffer.alloc(0);
    if (this.pending.length > MAX_STATEMENT)
      throw new UnreadableDump(`a statement is longer than ${MAX_STATEMENT} bytes`);
  }

  /** After the last byte: throws unless all ended where it should, with the line that says so. */
  public end(): void {
    // The last line may lack its end.
    if (this.pending.length > 0) this.push(Buffer.from('\n'));
    if (this.table !== undefined || this.pending.toString('latin1').trim() !== '')
      throw new UnreadableDump('it ends inside a statement');
    if (!this.trailer) throw new UnreadableDump('its last line, "-- Dump completed", is missing');
  }

  /** At the beginning of a line, a comment or a statement. Undefined: more bytes are needed to tell. */
  private between(data: Buffer, from: number): number | undefined {
    let at = from;
    while (at < data.length && data[at]! <= 0x20) at += 1;
    if (at === data.length) return at;
    const enough = data.length - at >= 12 || data.indexOf(LINE, at) >= 0;
    if (!enough) return undefined;
    const start = data.toString('latin1', at, at + 12);
    if (data[at] === DASH && data[at + 1] === DASH) {
      const end = data.indexOf(LINE, at);
      if (end < 0) return undefined;
      if (data.toString('latin1', at, Math.min(end, at + 17)) === '-- Dump completed') this.trailer = true;
      return end + 1;
    }
    if (/^\/\*M?!999999\\/.test(start)) {
      // Forbids later commands to the client. It ends with its line, and is nothing to a server.
      const end = data.indexOf(LINE, at);
      return end < 0 ? undefined : end + 1;
    }
    this.trailer = false;
    if (start.startsWith('DELIMITER ')) {
      const end = data.indexOf(LINE, at);
      if (end < 0) return undefined;
      this.delimiter = data.toString('latin1', at + 10, end).trim();
      this.events.delimiter?.(this.delimiter);
      return end + 1;
    }
    if (start === 'INSERT INTO ') return this.insertHead(data, at);
    const end = this.statementEnd(data, at);
    if (end === undefined) return undefined;
    const sql = data.subarray(at, end);
    this.noteMode(sql);
    this.events.statement?.(sql, this.delimiter);
    return end + this.delimiter.length;
  }

  private noteMode(sql: Buffer): void {
    if (sql.length > 4096) return;
    const mode = /\bSET\s+(?:SESSION\s+)?sql_mode\s*=\s*(.*)/i.exec(sql.toString('latin1'))?.[1];
    if (mode !== undefined) this.plainBackslash = /NO_BACKSLASH_ESCAPES/i.test(mode);
  }

  /** The name of the table, and where its rows begin. */
  private insertHead(data: Buffer, from: number): number | undefined {
    const name = quotedName(data, from + 12);
    if (name === undefined) {
      if (data.length > from + 12 && data[from + 12] !== BACKTICK)
        throw new UnreadableDump('an INSERT names no table');
      return undefined;
    }
    let at = name.end;
    for (; at < data.length; at += 1) {
      if (data[at] === BACKTICK) {
        const column = quotedName(data, at);
        if (column === undefined) return undefined;
        at = column.end - 1;
      } else if (data[at] === 0x56 /* V */) {
        if (data.length - at < 6) return undefined;
        if (data.toString('latin1', at, at + 6) === 'VALUES') break;
      } else if (data[at] === QUOTE || data[at] === SEMICOLON || data[at] === 0x2e /* . */)
        throw new UnreadableDump(`the INSERT into ${JSON.stringify(name.text)} is not as the tools write it`);
    }
    if (at >= data.length) return undefined;
    this.table = name.text;
    this.count = 0;
    this.bytes = at + 6 - from;
    this.events.rows?.(data.subarray(from, at + 6));
    return at + 6;
  }

  private inRows(data: Buffer, from: number): number {
    let { quoted, depth, count } = this;
    const { length } = data;
    let at = this.escaped ? from + 1 : from;
    this.escaped = false;
    let ended = false;
    let backslash = -1;
    while (at < length) {
      if (quoted) {
        // Most strings are short; a long one is searched by what is faster, once it is begun.
        const near = Math.min(at + NEAR, length);
        while (at < near && data[at] !== QUOTE && data[at] !== BACKSLASH) at += 1;
        if (at === length) break;
        if (at === near) {
          if (backslash < at) backslash = found(data.indexOf(BACKSLASH, at), length);
          const quote = found(data.indexOf(QUOTE, at), length);
          at = Math.min(quote, backslash);
          if (at === length) break;
        }
        if (data[at] === BACKSLASH) at += 1;
        else quoted = false;
        at += 1;
        continue;
      }
      while (at < length && PLAIN[data[at]!] === 1) at += 1;
      if (at === length) break;
      const byte = data[at]!;
      if (byte === QUOTE) quoted = true;
      else if (byte === OPEN) {
        if (depth === 0) count += 1;
        depth += 1;
      } else if (byte === CLOSE) depth -= 1;
      else if (byte === SEMICOLON && depth === 0) {
        ended = true;
        at += 1;
        break;
      }
      at += 1;
    }
    if (at > length) {
      this.escaped = true;
      at = length;
    }
    this.quoted = quoted;
    this.depth = depth;
    this.count = count;
    this.bytes += at - from;
    if (this.bytes > this.longest.bytes) this.longest = { bytes: this.bytes, table: this.table! };
    this.events.rows?.(data.subarray(from, at));
    if (ended) {
      this.rows.set(this.table!, (this.rows.get(this.table!) ?? 0) + count);
      this.table = undefined;
    }
    return at;
  }

  private statementEnd(data: Buffer, from: number): number | undefined {
    const first = this.delimiter.charCodeAt(0);
    for (let at = from; at < data.length; at += 1) {
      const byte = data[at]!;
      if (byte === QUOTE || byte === DOUBLE || byte === BACKTICK) {
        const end = this.quoteEnd(data, at, byte);
        if (end === undefined) return undefined;
        at = end;
      } else if (byte === first && data.toString('latin1', at, at + this.delimiter.length) === this.delimiter)
        return at;
      else if (byte === 0x23 /* # */ || (byte === DASH && data[at + 1] === DASH && data[at + 2]! <= 0x20)) {
        const end = data.indexOf(LINE, at);
        if (end < 0) return undefined;
        at = end;
      } else if (byte === 0x2f /* / */ && data[at + 1] === 0x2a /* * */) {
        // What stands in /*! and /*M! is code.
        if (data[at + 2] === 0x21 || (data[at + 2] === 0x4d && data[at + 3] === 0x21)) continue;
        const end = data.indexOf('*/', at + 2);
        if (end < 0) return undefined;
        at = end + 1;
      }
    }
    return undefined;
  }

  private quoteEnd(data: Buffer, from: number, quote: number): number | undefined {
    for (let at = from + 1; at < data.length; at += 1) {
      if (data[at] === quote) return at;
      if (data[at] === BACKSLASH && quote !== BACKTICK && !this.plainBackslash) at += 1;
    }
    return undefined;
  }
}

/** The name between backticks; undefined when it does not end here. */
function quotedName(data: Buffer, from: number): { readonly text: string; readonly end: number } | undefined {
  if (data[from] !== BACKTICK) return undefined;
  for (let at = from + 1; ; at += 2) {
    at = data.indexOf(BACKTICK, at);
    if (at < 0 || at + 1 === data.length) return undefined;
    if (data[at + 1] === BACKTICK) continue;
    return { text: data.toString('utf8', from + 1, at).replaceAll('``', '`'), end: at + 1 };
  }
}
