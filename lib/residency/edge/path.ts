/** Finds the values that a property path names in a resource, whatever intrinsic functions stand on the way. */
import { ALWAYS, type Value, type When } from '../resolve/alternatives';
import { intrinsicOf, type Resolver } from '../resolve/resolver';
import { isObject, own, type PlainObject, type Stack } from '../resolve/stack';

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

/** How far the walk has come. */
interface Spot {
  /** Which segment of the path is next. */
  readonly position: number;
  readonly when: When;
  readonly path: string;
  readonly taken: readonly string[];
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
  step(walk, root, { position: 0, when, path: '', taken: [] }, 0);
  return walk.hits;
}

function step(walk: Walk, node: unknown, spot: Spot, depth: number): void {
  if (node === undefined || node === null || depth > 500) return;
  if (isObject(node)) {
    const call = intrinsicOf(node);
    if (call !== undefined) {
      throughCall(walk, node, call, spot, depth);
      return;
    }
  }
  const segment = walk.segments[spot.position];
  if (segment === undefined) leaf(walk, node, spot);
  else if (segment === '[]') {
    // CloudFormation takes a single object where a list is wanted.
    const list = Array.isArray(node) ? node : [node];
    for (const [i, next] of elements(walk, list, spot)) step(walk, list[i], next, depth + 1);
  } else if (isObject(node)) {
    if (segment === '{}')
      for (const [key, next] of members(walk, node, spot)) step(walk, node[key], next, depth + 1);
    else step(walk, own(node, segment.name), named(spot, segment.name), depth + 1);
  }
}

/** An intrinsic function on the way: both branches of `Fn::If`; of anything else what it evaluates to. */
function throughCall(
  walk: Walk,
  node: unknown,
  [name, argument]: readonly [string, unknown],
  spot: Spot,
  depth: number,
): void {
  if (
    name === 'Fn::If' &&
    Array.isArray(argument) &&
    typeof argument[0] === 'string' &&
    argument.length === 3
  ) {
    for (const holds of [true, false]) {
      const when = walk.resolver.assume(argument[0], holds, walk.stack, spot.when);
      if (when !== undefined) step(walk, argument[holds ? 1 : 2], { ...spot, when }, depth + 1);
    }
    return;
  }
  evaluated(walk, node, spot);
}

/** A value at the end of the path: text, or a list of texts that counts element by element. */
function leaf(walk: Walk, node: unknown, spot: Spot): void {
  if (!Array.isArray(node)) {
    evaluated(walk, node, spot);
    return;
  }
  node.forEach((element, i) => {
    const at = { ...spot, path: `${spot.path}[${i}]` };
    if (isObject(element) && intrinsicOf(element)?.[0] === 'Fn::If') step(walk, element, at, 0);
    else evaluated(walk, element, at);
  });
}

function evaluated(walk: Walk, node: unknown, spot: Spot): void {
  for (const { value, when } of walk.resolver.evaluate(node, walk.stack, spot.when))
    settled(walk, value, { ...spot, when });
}

/** The rest of a path in a value that is already worked out. */
function settled(walk: Walk, value: Value, spot: Spot): void {
  if (value === undefined) return;
  const segment = walk.segments[spot.position];
  const { when, path, taken } = spot;
  if (segment === undefined) {
    for (const [text, at] of textsIn(value, path)) walk.hits.push({ text, when, path: at, taken });
  } else if (typeof value === 'string') {
    // Something here that cannot be looked into; a plain text where an object is wanted says nothing.
    if (walk.resolver.tokens.all(value).length > 0) walk.hits.push({ text: value, when, path, taken });
    else if (segment === '[]') settled(walk, value, taking(spot, '0', '[0]'));
  } else if (segment === '[]') {
    const list = Array.isArray(value) ? value : [value];
    for (const [i, next] of elements(walk, list, spot)) settled(walk, list[i], next);
  } else if (!Array.isArray(value) && isObject(value)) {
    if (segment === '{}')
      for (const [key, next] of members(walk, value, spot)) settled(walk, value[key] as Value, next);
    else settled(walk, own(value, segment.name) as Value, named(spot, segment.name));
  }
}

/** The elements to look into: the prescribed one, or all. */
function elements(walk: Walk, list: readonly unknown[], spot: Spot): [number, Spot][] {
  const only = walk.prescribed[spot.taken.length];
  const all = [...list.keys()].filter((i) => only === undefined || only === String(i));
  return all.map((i) => [i, taking(spot, String(i), `[${i}]`)]);
}

function members(walk: Walk, node: PlainObject, spot: Spot): [string, Spot][] {
  const only = walk.prescribed[spot.taken.length];
  const all = Object.keys(node).filter((key) => only === undefined || only === key);
  return all.map((key) => [key, taking(spot, key, `.${key}`)]);
}

function taking(spot: Spot, key: string, shown: string): Spot {
  return {
    ...spot,
    position: spot.position + 1,
    path: spot.path + shown,
    taken: [...spot.taken, key],
  };
}

function named(spot: Spot, name: string): Spot {
  return {
    ...spot,
    position: spot.position + 1,
    path: spot.path === '' ? name : `${spot.path}.${name}`,
  };
}

function textsIn(value: Value, path: string): [string, string][] {
  if (typeof value === 'string') return [[value, path]];
  if (Array.isArray(value)) return value.flatMap((element, i) => textsIn(element, `${path}[${i}]`));
  // An object where a text is wanted: a policy document, read as the JSON it is.
  return value === undefined ? [] : [[JSON.stringify(value), path]];
}
