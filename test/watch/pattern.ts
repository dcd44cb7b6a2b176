/** Whether EventBridge would match an event: as much of its pattern language as this package uses. */
export function matches(pattern: Json, event: Json): boolean {
  return Object.entries(pattern).every(([field, wanted]) => {
    if (field === '$or') return (wanted as Json[]).some((one) => matches(one, event));
    const value = event[field];
    if (Array.isArray(wanted)) return wanted.some((filter) => fits(filter, value));
    // A list of objects matches where one of them does; in what is not there, nothing exists.
    return [value ?? {}].flat().some((one) => isObject(one) && matches(wanted as Json, one));
  });
}

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null;
}

function fits(filter: unknown, value: unknown): boolean {
  if (isObject(filter) && 'exists' in filter) return (value !== undefined) === filter.exists;
  return [value].flat().some((one) => typeof one === 'string' && fitsText(filter, one));
}

function fitsText(filter: unknown, text: string): boolean {
  if (typeof filter === 'string') return filter === text;
  const [[name, argument]] = Object.entries(filter as Json) as [[string, unknown]];
  if (name === 'prefix') return [argument].flat().some((start) => text.startsWith(start as string));
  if (name === 'wildcard') {
    const parts = (argument as string).split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`).test(text);
  }
  if (name === 'anything-but') {
    if (isObject(argument) && !Array.isArray(argument)) return !fitsText(argument, text);
    return ![argument].flat().includes(text);
  }
  throw new Error(`the pattern uses the filter '${name}', which this matcher does not know`);
}
