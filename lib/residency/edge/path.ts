/** Finds the values that a property path names in a resource, whatever intrinsic functions stand on the way. */
import { ALWAYS, type Alternative, type Value, type When } from '../resolve/alternatives';
import { intrinsicOf, type Resolver } from '../resolve/resolver';
import { isObject, own, type Stack } from '../resolve/stack';

export interface Hit {
  readonly text: string;
  readonly when: When;
  /** As people write it: `Rules[0].Destinations[1].Region`. */
  readonly path: string;
  /** Which element was taken at each `[]` or `{}` of the path, in order. */
  readonly taken: readonly string[];
}

type Segment = { readonly name: string } | '[]' | '{}';

const segmentsByPath = new Map<string, readonly Segment[]>();

function segmentsOf(path: string): readonly Segment[] {
  let segments = segmentsByPath.get(path);
  if (segments === undefined) {
    segments = path.split('.').flatMap((part) => {
      const name = part.replace(/(\[\]|\{\})+$/, '');
      const marks = (part.slice(name.length).match(/\[\]|\{\}/g) ?? []) as ('[]' | '{}')[];
      return name === '' ? marks : [{ name }, ...marks];
    });
    segmentsByPath.set(path, segments);
  }
  return segments;
}

/** How many leading `[]` and `{}` two paths share, so that the same element can be meant by both. */
export function sharedElements(a: string, b: string): number {
  const [left, right] = [segmentsOf(a), segmentsOf(b)];
  let shared = 0;
  for (let i = 0; i < left.length && i < right.length; i++) {
    const l = left[i]!;
    const r = right[i]!;
    if (typeof l === 'string' ? l !== r : typeof r === 'string' || l.name !== r.name) break;
    if (typeof l === 'string') shared++;
  }
  return shared;
}

interface Walk {
  readonly resolver: Resolver;
  readonly stack: Stack;
  readonly segments: readonly Segment[];
  /** Elements that are prescribed for the first `[]`s and `{}`s. */
  readonly prescribed: readonly string[];
  readonly hits: Hit[];
}

/** Every value at a path, with `prescribed` elements where another path has already chosen them. */
export function valuesAt(
  resolver: Resolver,
  stack: Stack,
  root: unknown,
  path: string,
  when: When = ALWAYS,
  prescribed: readonly string[] = [],
): readonly Hit[] {
  const walk: Walk = { resolver, stack, segments: segmentsOf(path), prescribed, hits: [] };
  step(walk, root, 0, when, '', [], 0);
  return walk.hits;
}

function step(
  walk: Walk,
  node: unknown,
  position: number,
  when: When,
  path: string,
  taken: readonly string[],
  depth: number,
): void {
  if (node === undefined || node === null || depth > 500) return;
  const segment = walk.segments[position];
  if (isObject(node)) {
    const call = intrinsicOf(node);
    if (call !== undefined) {
      throughCall(walk, node, call, position, when, path, taken, depth);
      return;
    }
  }
  if (segment === undefined) leaf(walk, node, when, path, taken);
  else if (segment === '[]') elements(walk, node, position, when, path, taken, depth);
  else if (segment === '{}') members(walk, node, position, when, path, taken, depth);
  else if (isObject(node)) {
    const next = path === '' ? segment.name : `${path}.${segment.name}`;
    step(walk, own(node, segment.name), position + 1, when, next, taken, depth + 1);
  }
}

/** An intrinsic function on the way: both branches of `Fn::If`; of anything else what it evaluates to. */
function throughCall(
  walk: Walk,
  node: unknown,
  [name, argument]: readonly [string, unknown],
  position: number,
  when: When,
  path: string,
  taken: readonly string[],
  depth: number,
): void {
  if (
    name === 'Fn::If' &&
    Array.isArray(argument) &&
    typeof argument[0] === 'string' &&
    argument.length === 3
  ) {
    for (const holds of [true, false]) {
      const assumed = walk.resolver.assume(argument[0], holds, walk.stack, when);
      if (assumed !== undefined)
        step(walk, argument[holds ? 1 : 2], position, assumed, path, taken, depth + 1);
    }
    return;
  }
  for (const alternative of walk.resolver.evaluate(node, walk.stack, when)) {
    settled(walk, alternative, position, path, taken);
  }
}

function elements(
  walk: Walk,
  node: unknown,
  position: number,
  when: When,
  path: string,
  taken: readonly string[],
  depth: number,
): void {
  // CloudFormation takes a single object where a list is wanted.
  const list = Array.isArray(node) ? node : [node];
  const only = walk.prescribed[taken.length];
  list.forEach((element, i) => {
    if (only !== undefined && only !== String(i)) return;
    step(walk, element, position + 1, when, `${path}[${i}]`, [...taken, String(i)], depth + 1);
  });
}

function members(
  walk: Walk,
  node: unknown,
  position: number,
  when: When,
  path: string,
  taken: readonly string[],
  depth: number,
): void {
  if (!isObject(node)) return;
  const only = walk.prescribed[taken.length];
  for (const key of Object.keys(node)) {
    if (only !== undefined && only !== key) continue;
    step(walk, node[key], position + 1, when, `${path}.${key}`, [...taken, key], depth + 1);
  }
}

/** A value at the end of the path: text, or a list of texts that counts element by element. */
function leaf(walk: Walk, node: unknown, when: When, path: string, taken: readonly string[]): void {
  if (Array.isArray(node)) {
    node.forEach((element, i) => {
      if (isObject(element) && intrinsicOf(element)?.[0] === 'Fn::If') {
        step(walk, element, walk.segments.length, when, `${path}[${i}]`, taken, 0);
        return;
      }
      for (const alternative of walk.resolver.evaluate(element, walk.stack, when)) {
        settled(walk, alternative, walk.segments.length, `${path}[${i}]`, taken);
      }
    });
    return;
  }
  for (const alternative of walk.resolver.evaluate(node, walk.stack, when)) {
    settled(walk, alternative, walk.segments.length, path, taken);
  }
}

/** The rest of a path in a value that is already worked out. */
function settled(
  walk: Walk,
  { value, when }: Alternative,
  position: number,
  path: string,
  taken: readonly string[],
): void {
  if (value === undefined) return;
  const segment = walk.segments[position];
  if (segment === undefined) {
    for (const [text, at] of textsIn(value, path)) walk.hits.push({ text, when, path: at, taken });
  } else if (typeof value === 'string') {
    // Something here that cannot be looked into; a plain text where an object is wanted says nothing.
    if (walk.resolver.tokens.all(value).length > 0) walk.hits.push({ text: value, when, path, taken });
    else if (segment === '[]') settled(walk, { value, when }, position + 1, `${path}[0]`, [...taken, '0']);
  } else if (segment === '[]') {
    const list = Array.isArray(value) ? value : [value as Value];
    const only = walk.prescribed[taken.length];
    list.forEach((element, i) => {
      if (only !== undefined && only !== String(i)) return;
      settled(walk, { value: element, when }, position + 1, `${path}[${i}]`, [...taken, String(i)]);
    });
  } else if (!Array.isArray(value) && isObject(value)) {
    const names = segment === '{}' ? Object.keys(value) : [segment.name];
    const only = segment === '{}' ? walk.prescribed[taken.length] : undefined;
    for (const name of names) {
      if (only !== undefined && only !== name) continue;
      const next = path === '' ? name : `${path}.${name}`;
      const element = own(value, name) as Value;
      settled(
        walk,
        { value: element, when },
        position + 1,
        next,
        segment === '{}' ? [...taken, name] : taken,
      );
    }
  }
}

function textsIn(value: Value, path: string): [string, string][] {
  if (typeof value === 'string') return [[value, path]];
  if (Array.isArray(value)) return value.flatMap((element, i) => textsIn(element, `${path}[${i}]`));
  // An object where a text is wanted: a policy document, read as the JSON it is.
  return value === undefined ? [] : [[JSON.stringify(value), path]];
}
