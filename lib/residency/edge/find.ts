import type { Cargo, PropertyClue, PropertyForm, PropertyRule } from '../model';
import { both, type When } from '../resolve/alternatives';
import type { Resolver } from '../resolve/resolver';
import type { Resource, Stack } from '../resolve/stack';
import { isLiteral } from '../resolve/text';
import { movingRulesOf } from '../rules';
import { parseArn } from './arn';
import type { Buckets } from './buckets';
import { type Found, readPipeline, readPolicy, readSdkCall } from './documents';
import { type End, filled, NOWHERE, ownEnd } from './end';
import { readExternalStores } from './external-stores';
import { placeOf, type Reading } from './forms';
import type { GlobalClusters } from './global';
import { type Hit, sharedElements, valuesAt } from './path';

/** An edge before it is judged. */
export interface RawEdge {
  readonly stack: Stack;
  readonly resource: Resource;
  readonly rule: PropertyRule;
  readonly propertyPath: string;
  readonly what: Cargo;
  readonly from: End;
  readonly to: End;
}

export interface Finder {
  readonly resolver: Resolver;
  readonly buckets: Buckets;
  readonly globals: GlobalClusters;
}

/** Every edge that a resource makes. */
export function edgesOf(finder: Finder, stack: Stack, resource: Resource): readonly RawEdge[] {
  const rules = movingRulesOf(resource.type);
  if (rules === undefined) return [];
  const start: When =
    resource.condition === null
      ? new Map()
      : (finder.resolver.assume(resource.condition, true, stack, new Map()) ?? new Map());
  const edges: RawEdge[] = [];
  for (const rule of rules) {
    for (const hit of valuesAt(finder.resolver, stack, resource.properties, rule.path, start)) {
      if (!counts(finder, stack, resource, rule, hit)) continue;
      for (const { from, to, what, at } of endsOf(finder, stack, resource, rule, hit)) {
        if (!isEdge(from, to, rule.assumeOwn === true)) continue;
        const propertyPath = at === '' ? hit.path : `${hit.path}.${at}`;
        add(edges, { stack, resource, rule, propertyPath, what: what ?? rule.what ?? 'metadata', from, to });
      }
    }
  }
  return edges;
}

interface Ends {
  readonly from: End;
  readonly to: End;
  readonly what?: Cargo;
  readonly at: string;
}

function endsOf(
  finder: Finder,
  stack: Stack,
  resource: Resource,
  rule: PropertyRule,
  hit: Hit,
): readonly Ends[] {
  const reading: Reading = { resolver: finder.resolver, stack, buckets: finder.buckets };
  const form = rule.form ?? 'arn';
  if (form === 'global-id') {
    return hit.text === ''
      ? []
      : finder.globals.edgesOf(hit.text, stack, resource).map((ends) => ({ ...ends, at: '' }));
  }
  const documents = DOCUMENTS[form]?.(hit.text, reading);
  const named = documents ?? placed(rule, form, hit, reading);
  return named.flatMap((found) => {
    if (found.from !== undefined && found.to !== undefined) return [found as Ends];
    const end = found.to ?? found.from ?? NOWHERE;
    return clued(finder, stack, resource, rule, hit, end, reading).map((ends) => ({
      ...ends,
      what: found.what,
      at: found.at,
    }));
  });
}

const DOCUMENTS: Partial<Record<PropertyForm, (text: string, reading: Reading) => readonly Found[]>> = {
  policy: readPolicy,
  'sdk-call': readSdkCall,
  'external-stores': readExternalStores,
  pipeline: readPipeline,
};

/** The one place that a plain value names. */
function placed(rule: PropertyRule, form: PropertyForm, hit: Hit, reading: Reading): readonly Found[] {
  if (form !== 'switch' && form !== 'account-switch') {
    const end = placeOf(form, hit.text, reading);
    return end === undefined ? [] : [{ to: end, at: '' }];
  }
  const selfConditioned = rule.when?.path === rule.path;
  if (!selfConditioned && isLiteral(hit.text) && !/^true$/i.test(hit.text)) return [];
  const why = `${hit.path} stands for every ${form === 'switch' ? 'region' : 'account of the organisation'}`;
  if (form === 'switch') return [{ to: { ...NOWHERE, why }, at: '' }];
  const account = reading.resolver.tokens.unknown(why);
  return [{ to: { ...NOWHERE, account }, at: '' }];
}

/** Completes an end with the row's clues, and puts it opposite the other one. */
function clued(
  finder: Finder,
  stack: Stack,
  resource: Resource,
  rule: PropertyRule,
  hit: Hit,
  end: End,
  reading: Reading,
): readonly { readonly from: End; readonly to: End }[] {
  const form = rule.form ?? 'arn';
  // A bare name or id leaves its place open: it is the stack's own one where no clue says another.
  const bare = form === 'arn' && isLiteral(hit.text) && parseArn(hit.text) === undefined;
  let ends: readonly { readonly end: End; readonly when: When }[] = [
    { end: bare ? NOWHERE : end, when: hit.when },
  ];
  for (const clue of rule.also ?? []) {
    ends = ends.flatMap((known) => {
      const said = clueEnds(finder, stack, resource, rule, hit, clue, reading);
      if (said.length === 0) return [known];
      return said.flatMap((more) => {
        const when = both(known.when, more.when);
        return when === undefined ? [] : [{ end: filled(known.end, more.end), when }];
      });
    });
  }
  const others =
    rule.other === undefined ? [] : clueEnds(finder, stack, resource, rule, hit, rule.other, reading);
  const opposite = others.length === 0 ? [{ end: ownEnd(stack), when: hit.when }] : others;
  return ends.flatMap((known) =>
    opposite.flatMap((other) => {
      if (both(known.when, other.when) === undefined) return [];
      // An account by itself is in the region of the stack, and so is the other side of a region.
      const byAccount = form === 'account' || form === 'account-switch';
      const byRegion = form === 'region' || form === 'az' || form === 'switch';
      const near = {
        ...known.end,
        region: known.end.region ?? (byAccount || bare ? ownEnd(stack).region : null),
        account: known.end.account ?? (byRegion ? other.end.account : bare ? ownEnd(stack).account : null),
      };
      return rule.end === 'from' ? [{ from: near, to: other.end }] : [{ from: other.end, to: near }];
    }),
  );
}

function clueEnds(
  finder: Finder,
  stack: Stack,
  resource: Resource,
  rule: PropertyRule,
  hit: Hit,
  clue: PropertyClue,
  reading: Reading,
): readonly { readonly end: End; readonly when: When }[] {
  const taken = hit.taken.slice(0, sharedElements(rule.path, clue.path));
  return valuesAt(finder.resolver, stack, resource.properties, clue.path, hit.when, taken).flatMap(
    ({ text, when }) => {
      const end = placeOf(clue.form, text, reading);
      return end === undefined ? [] : [{ end, when }];
    },
  );
}

type Condition = NonNullable<PropertyRule['when']>;

function counts(finder: Finder, stack: Stack, resource: Resource, rule: PropertyRule, hit: Hit): boolean {
  const valuesOf = (condition: Condition) =>
    condition.path === rule.path
      ? [hit.text]
      : valuesAt(
          finder.resolver,
          stack,
          resource.properties,
          condition.path,
          hit.when,
          hit.taken.slice(0, sharedElements(rule.path, condition.path)),
        ).map(({ text }) => text);
  if (rule.when !== undefined) {
    const wanted = rule.when;
    if (!valuesOf(wanted).some((text) => !isLiteral(text) || matches(text, wanted.in))) return false;
  }
  return !(rule.unless ?? []).some((unwanted) => {
    const values = valuesOf(unwanted);
    return values.length > 0 && values.every((text) => matches(text, unwanted.in));
  });
}

function matches(text: string, values: readonly (string | boolean)[] | undefined): boolean {
  if (values === undefined) return text !== '';
  return values.some((value) => String(value).toLowerCase() === text.toLowerCase());
}

/** Whether something gets to another region, to another account, or to a place that is not known. */
function isEdge(from: End, to: End, assumeOwn: boolean): boolean {
  if (assumeOwn) return differ(from.region, to.region) || differ(from.account, to.account);
  if (from.region === null || to.region === null || from.region !== to.region) return true;
  return from.account !== null && to.account !== null && from.account !== to.account;
}

const differ = (a: string | null, b: string | null) =>
  a !== null && b !== null && isLiteral(a) && isLiteral(b) && a !== b;

/** Two rows that see the same journey of the same thing make one edge: the one that knows more. */
function add(edges: RawEdge[], edge: RawEdge): void {
  const same = edges.findIndex((other) => {
    if (other.what !== edge.what) return false;
    // The same value under two conditions.
    if (other.rule === edge.rule) {
      return (
        other.propertyPath === edge.propertyPath && equal(other.from, edge.from) && equal(other.to, edge.to)
      );
    }
    return other.rule.end === edge.rule.end && agree(other.from, edge.from) && agree(other.to, edge.to);
  });
  if (same < 0) edges.push(edge);
  else if (known(edge) > known(edges[same]!)) edges[same] = edge;
}

const agree = (a: End, b: End) =>
  a.region !== null &&
  a.region === b.region &&
  (a.account === b.account || a.account === null || b.account === null);

const equal = (a: End, b: End) => a.region === b.region && a.account === b.account && a.why === b.why;

const known = ({ from, to }: RawEdge) =>
  [from, to].filter(({ account }) => account !== null && isLiteral(account)).length;
