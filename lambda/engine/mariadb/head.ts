// The beginning of a statement, read token by token: what it makes, what it is called, in whose name it will run.

/** From where to where in a statement. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

export interface Token extends Place {
  readonly kind: 'word' | 'quoted' | 'symbol';
  /** Without quotes. */
  readonly text: string;
}

/** The first tokens; comments are left out, and what stands in the executable ones is code. */
export function tokensOf(sql: string, most = 200): Token[] {
  const found: Token[] = [];
  const pattern =
    /\s+|\/\*M?!\d*|\*\/|\/\*[\s\S]*?\*\/|(?:--\s|#)[^\n]*|(['"`])(?:\\[\s\S](?<!`\\.)|\1\1|(?!\1)[\s\S])*?\1(?!\1)|[\w$\u0080-\uffff]+|[\s\S]/y;
  while (found.length < most) {
    const start = pattern.lastIndex;
    const match = pattern.exec(sql);
    if (!match || match[0] === '') break;
    const [text, quote] = match;
    const end = pattern.lastIndex;
    if (/^\s/.test(text) || /^(\/\*|\*\/$|--\s|#)/.test(text)) continue;
    if (quote !== undefined) {
      const inner = text.slice(1, -1).replaceAll(quote + quote, quote);
      found.push({ kind: 'quoted', text: inner, start, end });
    } else found.push({ kind: /^[\w$\u0080-\uffff]/.test(text) ? 'word' : 'symbol', text, start, end });
  }
  return found;
}

const ROUTINES = ['PROCEDURE', 'FUNCTION', 'PACKAGE', 'PACKAGE BODY'] as const;
export const KINDS = ['TABLE', 'SEQUENCE', 'VIEW', 'TRIGGER', ...ROUTINES, 'EVENT'] as const;
export type Kind = (typeof KINDS)[number];

export function isRoutine(kind: Kind): boolean {
  return (ROUTINES as readonly Kind[]).includes(kind);
}

/** What a CREATE statement says before it comes to its body. */
export interface CreateHead {
  readonly kind: Kind;
  readonly name: string;
  /** Where name and, before it, the schema stand. */
  readonly nameAt: Place;
  readonly definer?: Definer;
  readonly tokens: readonly Token[];
  /** Of the first token after the name. */
  readonly next: number;
}

export interface Definer extends Place {
  readonly user: string;
  /** Absent: a role. */
  readonly host?: string;
}

const isWord = (token: Token | undefined, ...words: string[]): boolean =>
  token?.kind === 'word' && words.includes(token.text.toUpperCase());
const isSymbol = (token: Token | undefined, text: string): boolean =>
  token?.kind === 'symbol' && token.text === text;

/** What a name in a statement is, which stands there as text or, in a dump, as one character for each byte. */
export type Naming = (text: string, kind?: Kind) => string;
export const asText: Naming = (text) => text;
export const asBytes: Naming = (text) => Buffer.from(text, 'latin1').toString('utf8');

/** Undefined when it creates nothing that a dump of one database may hold. */
export function createHead(sql: string, named: Naming = asText): CreateHead | undefined {
  const tokens = tokensOf(sql);
  if (!isWord(tokens[0], 'CREATE')) return undefined;
  let definer: Definer | undefined;
  for (let at = 1; at < Math.min(tokens.length, 40); at += 1) {
    const token = tokens[at]!;
    if (isWord(token, 'DEFINER') && isSymbol(tokens[at + 1], '=')) {
      definer = definerAt(tokens, at + 2, named);
      continue;
    }
    const kind = kindAt(tokens, at);
    if (!kind) continue;
    at += kind === 'PACKAGE BODY' ? 2 : 1;
    if (isWord(tokens[at], 'IF')) at += 3;
    const start = tokens[at]?.start ?? sql.length;
    if (isSymbol(tokens[at + 1], '.')) at += 2;
    const name = tokens[at];
    if (!name || name.kind === 'symbol') return undefined;
    const nameAt = { start, end: name.end };
    return {
      kind,
      name: named(name.text, kind),
      nameAt,
      tokens,
      next: at + 1,
      ...(definer ? { definer } : {}),
    };
  }
  return undefined;
}

function kindAt(tokens: readonly Token[], at: number): Kind | undefined {
  const token = tokens[at]!;
  if (token.kind !== 'word') return undefined;
  const word = token.text.toUpperCase();
  // SQL SECURITY DEFINER and AGGREGATE stand before; DEFINER = FUNCTION is no account that needs no quotes.
  if (word === 'PACKAGE') return isWord(tokens[at + 1], 'BODY') ? 'PACKAGE BODY' : 'PACKAGE';
  return KINDS.find((kind) => kind === word && !isSymbol(tokens[at - 1], '='));
}

function definerAt(tokens: readonly Token[], at: number, named: Naming): Definer | undefined {
  const user = tokens[at];
  if (!user || user.kind === 'symbol') return undefined;
  const { start } = user;
  if (isSymbol(tokens[at + 1], '@')) {
    const host = tokens[at + 2];
    if (!host) return undefined;
    return { user: named(user.text), host: named(host.text), start, end: host.end };
  }
  return { user: named(user.text), start, end: user.end };
}

export function splice(text: string, at: Place, by: string): string {
  return text.slice(0, at.start) + by + text.slice(at.end);
}

/** Where an event says whether it runs; after ON COMPLETION [NOT] PRESERVE, as the server writes it. */
export function eventStatus(head: CreateHead): (Place & { readonly text: string }) | undefined {
  const { tokens } = head;
  for (let at = head.next; at < tokens.length; at += 1) {
    if (!isWord(tokens[at], 'PRESERVE')) continue;
    const first = tokens[at + 1];
    if (isWord(first, 'ENABLE')) return { text: 'ENABLE', start: first!.start, end: first!.end };
    if (!isWord(first, 'DISABLE')) return undefined;
    const last = isWord(tokens[at + 2], 'ON') ? tokens[at + 3] : first;
    const text = last === first ? 'DISABLE' : `DISABLE ON ${last!.text}`;
    return { text, start: first!.start, end: last!.end };
  }
  return undefined;
}

/** Where a routine or an event has its comment; behind the parameters, one of which may be called so. */
export function commentAt({ tokens, next }: CreateHead): Token | undefined {
  let depth = 0;
  for (let at = next; at < tokens.length; at += 1) {
    if (isSymbol(tokens[at], '(')) depth += 1;
    if (isSymbol(tokens[at], ')')) depth -= 1;
    if (depth === 0 && isWord(tokens[at], 'COMMENT') && tokens[at + 1]?.kind === 'quoted')
      return tokens[at + 1];
  }
  return undefined;
}

/** A trigger's text without schemas: as it was typed it may name the database that it was made in. */
export function unqualifiedTrigger(sql: string): string {
  const head = createHead(sql);
  if (head?.kind !== 'TRIGGER') return sql;
  const table = tableAt(head);
  const text = table ? splice(sql, { start: table.start, end: table.nameStart }, '') : sql;
  const name = head.tokens[head.next - 1]!;
  return splice(text, { start: head.nameAt.start, end: name.start }, '');
}

/** A trigger's table: its name, and where that and, before it, the schema stand. */
export function tableAt({ tokens, next }: CreateHead): TableAt | undefined {
  const on = tokens.findIndex((token, at) => at >= next && isWord(token, 'ON'));
  const first = tokens[on + 1];
  if (on < 0 || !first) return undefined;
  const name = isSymbol(tokens[on + 2], '.') ? tokens[on + 3] : first;
  return name && { name: name.text, nameStart: name.start, start: first.start, end: name.end };
}

interface TableAt extends Place {
  readonly name: string;
  readonly nameStart: number;
}

/**
 * A view's text without the schema it was made in. The server writes it before every table and column where not all tables
 * are of that schema, or the definer has lost the right to one; then the view would speak of the live database wherever it
 * is restored to. Else it writes it before functions alone, and what looks like it is a table or an alias of the same name.
 */
export function unqualifiedView(sql: string, schema: string): string {
  const tokens = tokensOf(sql, Number.POSITIVE_INFINITY);
  const isName = (at: number) => sql[tokens[at]?.start ?? sql.length] === '`';
  const begins = (at: number) =>
    isName(at) &&
    tokens[at]!.text === schema &&
    isSymbol(tokens[at + 1], '.') &&
    !isSymbol(tokens[at - 1], '.');
  const isBareTable = (at: number) => {
    if (!isWord(tokens[at], 'FROM', 'JOIN')) return false;
    let first = at + 1;
    while (isSymbol(tokens[first], '(')) first += 1;
    return isName(first) && !isSymbol(tokens[first + 1], '.');
  };
  const places = [...tokens.keys()].filter(begins);
  const everywhere =
    places.some((at) => isSymbol(tokens[at + 3], '.')) || ![...tokens.keys()].some(isBareTable);
  let text = sql;
  for (const at of places.reverse()) {
    if (!everywhere && !isSymbol(tokens[at + 3], '(')) continue;
    text = splice(text, { start: tokens[at]!.start, end: tokens[at + 2]?.start ?? tokens[at]!.end }, '');
  }
  return text;
}
