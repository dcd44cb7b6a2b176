/** Reading plain values out of a template, of which any may be an expression. */
import type { Value } from '../../residency/resolve/alternatives';
import type { Resolver } from '../../residency/resolve/resolver';
import type { Stack } from '../../residency/resolve/stack';
import { isLiteral } from '../../residency/resolve/text';

export type Fields = Readonly<Record<string, Value>>;

/** What one resource's property can be, a value for each branch of the conditions in it; 16 of them at most. */
export function branches(resolver: Resolver, stack: Stack, node: unknown): readonly Value[] {
  const values = resolver.evaluate(node, stack).map(({ value }) => value);
  const seen = new Map(values.map((value) => [JSON.stringify(value), value]));
  return [...seen.values()].slice(0, 16);
}

/** The fields of an object; none of anything else. */
export function fieldsOf(value: Value): Fields {
  return typeof value === 'object' && !Array.isArray(value) ? (value as Fields) : {};
}

export function listOf(value: Value): readonly Value[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

export function textsOf(value: Value): readonly string[] {
  return listOf(value).filter((each): each is string => typeof each === 'string');
}

export function textOf(value: Value): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A number; undefined where nothing is said. */
export function numberOf(value: Value, what: string, unclear: string[]): number | undefined {
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && isLiteral(value) && value !== '' ? Number(value) : Number.NaN;
  if (Number.isFinite(number)) return number;
  unclear.push(what);
  return undefined;
}

/** True or false, with what counts where nothing is said or nobody knows. */
export function flagOf(value: Value): boolean {
  return typeof value === 'string' && value.toLowerCase() === 'true';
}

/** A region or an account that is known; null otherwise. */
export function knownText(text: string): string | null {
  return isLiteral(text) ? text : null;
}

/** Tags as a list of `Key` and `Value` or as a map, whatever the resource calls them. */
export function tagsOf(value: Value): ReadonlyMap<string, string> {
  if (Array.isArray(value)) {
    return new Map(
      value.flatMap((each) => {
        const { Key: key, Value: text } = fieldsOf(each);
        return typeof key === 'string' && typeof text === 'string' ? [[key, text] as const] : [];
      }),
    );
  }
  return new Map(
    Object.entries(fieldsOf(value)).flatMap(([key, text]) =>
      typeof text === 'string' ? [[key, text] as const] : [],
    ),
  );
}
