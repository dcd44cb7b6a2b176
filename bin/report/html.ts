/** A piece of HTML that is safe to print as it is. Only `html` and `raw` make one. */
export class Markup {
  public constructor(public readonly text: string) {}
}

export type Part = Markup | string | number | null | undefined | false | readonly Part[];

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

// Control characters, and the direction marks with which a name can be made to read as another one.
const invisible = /(?![\n\t])[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** Text for an element or a quoted attribute: no character of it can end either, none is invisible. */
export function escaped(text: string): string {
  return text
    .replace(/[&<>"']/g, (character) => entities[character]!)
    .replace(invisible, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
}

function render(part: Part): string {
  if (part === null || part === undefined || part === false) return '';
  if (part instanceof Markup) return part.text;
  if (typeof part === 'object') return part.map(render).join('');
  return escaped(String(part));
}

/** Templates are hostile input: every value is escaped unless it is itself the result of `html`. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Markup {
  return new Markup(strings.map((text, i) => text + render(parts[i])).join(''));
}

/** For text of our own only: the style sheet, the script, drawn paths. */
export function raw(text: string): Markup {
  return new Markup(text);
}
