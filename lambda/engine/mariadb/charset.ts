import {
  asBytes,
  type CreateHead,
  commentAt,
  createHead,
  type Kind,
  type Naming,
  type Place,
  tableAt,
} from './head.js';

/** Character sets of clients other than Unicode's, as the rest of the world calls them. */
const LABELS: Readonly<Record<string, string>> = {
  big5: 'big5',
  cp1250: 'windows-1250',
  cp1251: 'windows-1251',
  cp1256: 'windows-1256',
  cp1257: 'windows-1257',
  cp866: 'ibm866',
  cp932: 'shift_jis',
  eucjpms: 'euc-jp',
  euckr: 'euc-kr',
  gb2312: 'gbk',
  gbk: 'gbk',
  greek: 'iso-8859-7',
  hebrew: 'iso-8859-8',
  koi8r: 'koi8-r',
  koi8u: 'koi8-u',
  latin1: 'windows-1252',
  latin2: 'iso-8859-2',
  latin5: 'windows-1254',
  latin7: 'iso-8859-13',
  macroman: 'macintosh',
  sjis: 'shift_jis',
  tis620: 'windows-874',
  ujis: 'euc-jp',
};

/** Reads a dump's statements, one character for each byte, in the character set of the client that made what they make. */
export class StatementCharset {
  private label: string | undefined;
  private readonly mariadb: boolean;

  /** Whose dump it is. */
  constructor(mariadb: boolean) {
    this.mariadb = mariadb;
  }

  /** A SET statement of the dump. */
  public hear(sql: string): void {
    const [, name] = /\bSET\s+character_set_client\s*=\s*(@?\w+)/i.exec(sql) ?? [];
    if (name !== undefined) this.label = LABELS[name.toLowerCase()];
  }

  /** The servers write the name of an event in UTF-8, whatever the rest is in, and MySQL that of a trigger or routine, too. */
  public readonly named: Naming = (text, kind) =>
    this.namesInUtf8(kind) ? asBytes(text) : this.decoded(text);

  /**
   * A trigger, routine or event all in UTF-8, where its comment or name is that already and the rest is not: as it is, no
   * character set is right for it. Undefined where one is.
   */
  public unmixed(sql: string): string | undefined {
    if (this.label === undefined || isAscii(sql)) return undefined;
    const head = createHead(sql, this.named);
    const places = head ? this.inUtf8(head).filter(({ start, end }) => !isAscii(sql.slice(start, end))) : [];
    if (places.length === 0) return undefined;
    let text = '';
    let at = 0;
    for (const { start, end } of places) {
      text += this.decoded(sql.slice(at, start)) + asBytes(sql.slice(start, end));
      at = end;
    }
    return Buffer.from(text + this.decoded(sql.slice(at))).toString('latin1');
  }

  private namesInUtf8(kind: Kind | undefined): boolean {
    const mysql = kind === 'TRIGGER' || kind === 'FUNCTION' || kind === 'PROCEDURE';
    return kind === 'EVENT' || (mysql && !this.mariadb);
  }

  private inUtf8(head: CreateHead): readonly Place[] {
    const name = this.namesInUtf8(head.kind) ? head.nameAt : undefined;
    const table = head.kind === 'TRIGGER' && !this.mariadb ? tableAt(head) : undefined;
    const comment = ['EVENT', 'FUNCTION', 'PROCEDURE'].includes(head.kind) ? commentAt(head) : undefined;
    return [name, table, comment].filter((place) => place !== undefined);
  }

  private decoded(text: string): string {
    if (this.label === undefined || isAscii(text)) return asBytes(text);
    return new TextDecoder(this.label).decode(Buffer.from(text, 'latin1'));
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: this is what ASCII is
export const isAscii = (text: string) => /^[\u0000-\u007f]*$/.test(text);
