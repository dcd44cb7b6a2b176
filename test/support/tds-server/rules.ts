// The statements that are understood, and no others: what a rule does not match is an error of the server.
import { type Cell, type ResultRow, ServerError } from './tokens';

export type Parameters = Readonly<Record<string, string | number | null>>;

export interface Call {
  /** Of `<name>`, `<text>` and `<number>`, in their order; names and texts without their quotes. */
  readonly found: readonly string[];
  readonly parameters: Parameters;
  text(parameter: string): string;
}

export interface Answer {
  readonly columns: readonly string[];
  readonly rows: readonly ResultRow[];
}

/** One object is a row; no answer is none. */
export type Outcome = Answer | undefined;

export interface Rule<Host> {
  readonly shape: RegExp;
  readonly kinds: readonly string[];
  /** A SQL batch of its own, not a statement of sp_executesql. */
  readonly batch: boolean;
  /** An `Outcome`, sooner or later, or nothing. */
  run(host: Host, call: Call): unknown;
}

const PLACES: Readonly<Record<string, string>> = {
  name: String.raw`\[((?:[^\]]|\]\])*)\]`,
  text: "N'((?:[^']|'')*)'",
  number: String.raw`(-?\d+)`,
  any: String.raw`([\s\S]*?)`,
};

/** A statement as it is written, with `<name>`, `<text>`, `<number>` and `<any>` where it varies; spaces are free. */
export function rule<Host>(
  statement: string,
  run: Rule<Host>['run'],
  options: { readonly batch?: boolean } = {},
): Rule<Host> {
  const kinds: string[] = [];
  const source = statement
    .trim()
    .split(/(<(?:name|text|number|any)>)/)
    .map((part) => {
      const kind = /^<(\w+)>$/.exec(part)?.[1];
      if (!kind) return part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&').replace(/\s+/g, '\\s+');
      kinds.push(kind);
      return PLACES[kind]!;
    })
    .join('');
  return { shape: new RegExp(`^\\s*${source}\\s*$`), kinds, batch: options.batch ?? false, run };
}

export function match<Host>(
  rules: readonly Rule<Host>[],
  sql: string,
  parameters: Parameters,
  batch: boolean,
) {
  for (const candidate of rules) {
    const hit = candidate.batch === batch ? candidate.shape.exec(sql) : null;
    if (!hit) continue;
    const found = candidate.kinds.map((kind, index) => {
      const text = hit[index + 1] ?? '';
      if (kind === 'name') return text.replaceAll(']]', ']');
      return kind === 'text' ? text.replaceAll("''", "'") : text;
    });
    const call: Call = {
      found,
      parameters,
      text(parameter) {
        const value = parameters[parameter];
        if (value === undefined)
          throw new ServerError(137, `Must declare the scalar variable "@${parameter}".`, 15);
        return String(value);
      },
    };
    return { rule: candidate, call };
  }
  return undefined;
}

export function rows(...found: readonly ResultRow[]): Answer {
  return { columns: Object.keys(found[0] ?? {}), rows: found };
}

/** Columns matter where there may be no row. */
export function table(columns: readonly string[], found: readonly (readonly Cell[])[]): Answer {
  return {
    columns,
    rows: found.map((cells) =>
      Object.fromEntries(columns.map((name, index) => [name, cells[index] ?? null])),
    ),
  };
}
