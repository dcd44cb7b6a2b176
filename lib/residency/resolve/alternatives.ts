/** The values that an expression can have, each with the conditions under which it has it. */

/** What an expression gives: text (with marks), a list, an object; `undefined` is `AWS::NoValue`. */
export type Value = string | readonly Value[] | { readonly [key: string]: Value } | undefined;

/** Conditions taken to be true or false, by a key that is unique over all stacks. */
export type When = ReadonlyMap<string, boolean>;

export interface Alternative<T = Value> {
  readonly value: T;
  readonly when: When;
}

export const ALWAYS: When = new Map();

/** More alternatives than this are not told apart: what is beyond becomes one unknown. */
export const MAX_ALTERNATIVES = 1024;

/** Both sets of assumptions together; undefined where they contradict each other. */
export function both(a: When, b: When): When | undefined {
  if (b.size === 0) return a;
  if (a.size === 0) return b;
  let merged: Map<string, boolean> | undefined;
  for (const [condition, value] of b) {
    const known = (merged ?? a).get(condition);
    if (known === value) continue;
    if (known !== undefined) return undefined;
    merged ??= new Map(a);
    merged.set(condition, value);
  }
  return merged ?? a;
}

/** Every combination of the parts' alternatives whose assumptions agree. */
export function product<T>(
  parts: readonly (readonly Alternative<T>[])[],
  when: When,
): { readonly rows: readonly Alternative<readonly T[]>[]; readonly cut: boolean } {
  if (parts.every((part) => part.length === 1 && part[0]!.when.size === 0)) {
    return { rows: [{ value: parts.map((part) => part[0]!.value), when }], cut: false };
  }
  let rows: Alternative<readonly T[]>[] = [{ value: [], when }];
  let cut = false;
  for (const part of parts) {
    const next: Alternative<readonly T[]>[] = [];
    for (const row of rows) {
      for (const alternative of part) {
        const merged = both(row.when, alternative.when);
        if (merged === undefined) continue;
        if (next.length === MAX_ALTERNATIVES) {
          cut = true;
          break;
        }
        next.push({ value: [...row.value, alternative.value], when: merged });
      }
      if (cut) break;
    }
    rows = next;
  }
  return { rows, cut };
}
