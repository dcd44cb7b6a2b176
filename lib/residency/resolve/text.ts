/**
 * Strings with holes. Where a value is not known until deployment, its text holds a mark: a short run of private-use
 * characters that stands for a token. Splitting, joining and comparing then work on plain strings.
 */
import type { Stack } from './stack';

export type Token =
  /** The region, account or partition that a stack is deployed to, where the inputs do not say it. */
  | { readonly kind: 'region' | 'account' | 'partition' }
  /** What `Ref` (attribute null) or `Fn::GetAtt` gives for a resource: unknown text, but its place is the stack's. */
  | {
      readonly kind: 'resource';
      readonly stack: Stack;
      readonly logicalId: string;
      readonly attribute: string | null;
    }
  | { readonly kind: 'unknown'; readonly why: string };

const OPEN = '\uE000';
const CLOSE = '\uE001';
const MARK = /\uE000([0-9a-z]+)\uE001/g;
const LONE = /^\uE000([0-9a-z]+)\uE001$/;
const LEADING = /^\uE000([0-9a-z]+)\uE001/;

export class Tokens {
  private readonly byId: Token[] = [];
  private readonly idByKey = new Map<string, string>();

  /** The mark of a token; the same key gives the same mark, so that equal texts are equal values. */
  public mark(key: string, token: Token): string {
    let mark = this.idByKey.get(key);
    if (mark === undefined) {
      mark = `${OPEN}${this.byId.length.toString(36)}${CLOSE}`;
      this.byId.push(token);
      this.idByKey.set(key, mark);
    }
    return mark;
  }

  public unknown(why: string): string {
    return this.mark(`?${why}`, { kind: 'unknown', why });
  }

  /** The token when the whole text is one mark. */
  public lone(text: string): Token | undefined {
    return this.match(LONE, text);
  }

  /** The token that a text starts with. */
  public leading(text: string): Token | undefined {
    return this.match(LEADING, text);
  }

  public all(text: string): Token[] {
    return [...text.matchAll(MARK)].map((match) => this.byId[Number.parseInt(match[1]!, 36)]!);
  }

  /** Why a text is not fully known, for people. */
  public why(text: string): string | null {
    for (const token of this.all(text)) {
      if (token.kind === 'unknown') return token.why;
      if (token.kind === 'resource') return `${describe(token)} is known only after deployment`;
      return `the stack's own ${token.kind} is not known`;
    }
    return null;
  }

  private match(pattern: RegExp, text: string): Token | undefined {
    if (text.charCodeAt(0) !== 0xe000) return undefined;
    const match = pattern.exec(text);
    return match ? this.byId[Number.parseInt(match[1]!, 36)] : undefined;
  }
}

const describe = (token: Extract<Token, { kind: 'resource' }>) =>
  token.attribute === null ? `Ref ${token.logicalId}` : `${token.logicalId}.${token.attribute}`;

/** True when nothing in the text is left open. */
export function isLiteral(text: string): boolean {
  return !text.includes(OPEN);
}

/** Text of a template; our marks cannot be smuggled in. */
export function literal(text: string): string {
  return text.includes(OPEN) || text.includes(CLOSE) ? text.replace(/[\uE000\uE001]/g, '\uFFFD') : text;
}

/** Length of the mark that a text starts with; 0 when it starts with none. */
export function leadingMarkLength(text: string): number {
  return LEADING.exec(text)?.[0].length ?? 0;
}
