/** JSON, with what `JSON.parse` keeps to itself: where a mistake is, and that a key was given twice. */

export interface TextProblem {
  readonly line: number;
  readonly message: string;
}

export function parseJson(text: string): { readonly value: unknown } | { readonly problem: TextProblem } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const message = (error as Error).message;
    if (error instanceof RangeError)
      return { problem: { line: 1, message: 'is nested too deeply to be read' } };
    const position = /at position (\d+)/.exec(message);
    const at = position === null ? text.length : Number(position[1]);
    const plain = message
      .replace(/,? ?\.{0,3}".*" is not valid JSON$/s, '')
      .replace(/ (in JSON )?at position.*$/s, '');
    return { problem: { line: lineAt(text, at), message: `is no valid JSON: ${plain}` } };
  }
  const duplicate = duplicateKey(text);
  if (duplicate === undefined) return { value };
  const message = `has the key "${duplicate.key}" twice in one object; one of the two would be ignored`;
  return { problem: { line: lineAt(text, duplicate.position), message } };
}

export function lineAt(text: string, position: number): number {
  let line = 1;
  for (let i = text.indexOf('\n'); i >= 0 && i < position; i = text.indexOf('\n', i + 1)) line++;
  return line;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
/** From this many keys on a set is faster than a list. */
const MANY = 12;

/** The first key that an object has twice, in text that is known to be valid JSON. */
function duplicateKey(text: string): { readonly key: string; readonly position: number } | undefined {
  const open: (string[] | Set<string> | null)[] = [];
  let wantsKey = false;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE: {
        const end = endOfString(text, i);
        if (wantsKey) {
          const key = keyText(text, i, end);
          const keys = open[open.length - 1]!;
          if (Array.isArray(keys)) {
            if (keys.includes(key)) return { key, position: i };
            keys.push(key);
            if (keys.length === MANY) open[open.length - 1] = new Set(keys);
          } else {
            if (keys.has(key)) return { key, position: i };
            keys.add(key);
          }
          wantsKey = false;
        }
        i = end;
        break;
      }
      case OPEN_OBJECT:
        open.push([]);
        wantsKey = true;
        break;
      case OPEN_LIST:
        open.push(null);
        wantsKey = false;
        break;
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        open.pop();
        wantsKey = false;
        break;
      case COMMA:
        wantsKey = open[open.length - 1] !== null;
        break;
      default:
    }
  }
  return undefined;
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end > 0) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

function keyText(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end);
  return raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
}
