import { REGIONS } from '../../regime/region-table';
import { type Alternative, product, type Value, type When } from './alternatives';
import { getAtt } from './attributes';
import type { Resolver } from './resolver';
import { isObject, own, type Stack, section } from './stack';
import { isLiteral, literal } from './text';

/** Where and under which assumptions an expression stands. */
export interface Scope {
  readonly stack: Stack;
  readonly when: When;
  readonly depth: number;
}

type Intrinsic = (resolver: Resolver, argument: unknown, scope: Scope) => readonly Alternative[];

const evaluate = (resolver: Resolver, node: unknown, scope: Scope) =>
  resolver.evaluate(node, scope.stack, scope.when, scope.depth);

/** Applies a function to every combination of the arguments' values. */
function apply(
  resolver: Resolver,
  args: readonly unknown[],
  scope: Scope,
  work: (values: readonly Value[], when: When) => Value | readonly Alternative[],
): readonly Alternative[] {
  const { rows, cut } = product(
    args.map((argument) => evaluate(resolver, argument, scope)),
    scope.when,
  );
  const results: Alternative[] = [];
  for (const { value, when } of rows) {
    const result = work(value, when);
    if (Array.isArray(result) && isAlternatives(result)) results.push(...result);
    else results.push({ value: result as Value, when });
  }
  return cut
    ? [...results, ...resolver.unknown('the expression has too many alternatives', scope.when)]
    : results;
}

const isAlternatives = (result: readonly unknown[]): result is readonly Alternative[] =>
  result.length > 0 && isObject(result[0]) && result[0].when instanceof Map;

function join(resolver: Resolver, argument: unknown, scope: Scope): readonly Alternative[] {
  if (!Array.isArray(argument) || argument.length !== 2) return malformed(resolver, 'Fn::Join', scope);
  return apply(resolver, argument, scope, ([delimiter, list]) => {
    if (typeof delimiter !== 'string')
      return resolver.tokens.unknown('the delimiter of Fn::Join is not text');
    if (typeof list === 'string') return list;
    if (!Array.isArray(list)) return resolver.tokens.unknown('Fn::Join got no list');
    return list.map((part) => asText(resolver, part)).join(delimiter);
  });
}

function select(resolver: Resolver, argument: unknown, scope: Scope): readonly Alternative[] {
  if (!Array.isArray(argument) || argument.length !== 2) return malformed(resolver, 'Fn::Select', scope);
  return apply(resolver, argument, scope, ([index, list]) => {
    const position = typeof index === 'string' && /^\d+$/.test(index) ? Number(index) : undefined;
    if (position === undefined) return resolver.tokens.unknown('the index of Fn::Select is not known');
    if (Array.isArray(list) && position < list.length) return list[position];
    const source = Array.isArray(list) ? list[list.length - 1] : list;
    const why = typeof source === 'string' ? resolver.tokens.why(source) : null;
    return resolver.tokens.unknown(why ?? `Fn::Select ${position} is beyond the end of its list`);
  });
}

function split(resolver: Resolver, argument: unknown, scope: Scope): readonly Alternative[] {
  if (!Array.isArray(argument) || argument.length !== 2) return malformed(resolver, 'Fn::Split', scope);
  return apply(resolver, argument, scope, ([delimiter, text]) => {
    if (typeof delimiter !== 'string' || delimiter === '' || typeof text !== 'string') {
      return resolver.tokens.unknown('the argument of Fn::Split is not text');
    }
    const parts: string[] = [];
    for (const part of text.split(delimiter)) {
      // What an unknown stands for may hold the delimiter itself: nothing after it has a sure position.
      if (resolver.tokens.all(part).some((token) => token.kind === 'unknown' || token.kind === 'resource')) {
        const rest = text.split(delimiter).slice(parts.length).join(delimiter);
        const sure = /^arn:/.test(text) && delimiter === ':' && parts.length >= 5;
        parts.push(sure ? rest : resolver.tokens.unknown(resolver.tokens.why(part) ?? 'not known'));
        break;
      }
      parts.push(part);
    }
    return parts;
  });
}

function sub(resolver: Resolver, argument: unknown, scope: Scope): readonly Alternative[] {
  const [template, given] = Array.isArray(argument) ? argument : [argument, undefined];
  if (typeof template !== 'string') return malformed(resolver, 'Fn::Sub', scope);
  const parts: (readonly Alternative[])[] = [];
  let end = 0;
  for (const match of template.matchAll(/\$\{([^}]*)\}/g)) {
    if (match.index > end) parts.push(evaluate(resolver, template.slice(end, match.index), scope));
    end = match.index + match[0].length;
    const name = match[1]!.trim();
    if (name.startsWith('!')) parts.push([{ value: `\${${literal(name.slice(1))}}`, when: scope.when }]);
    else if (isObject(given) && own(given, name) !== undefined)
      parts.push(evaluate(resolver, given[name], scope));
    else if (name.includes('.')) parts.push(getAtt(resolver, name, scope));
    else parts.push(resolver.reference(name, scope.stack, scope.when));
  }
  parts.push(evaluate(resolver, template.slice(end), scope));
  const { rows, cut } = product(parts, scope.when);
  const texts: Alternative[] = rows.map((row) => ({
    value: row.value.map((part) => asText(resolver, part)).join(''),
    when: row.when,
  }));
  return cut ? [...texts, ...resolver.unknown('the text has too many alternatives', scope.when)] : texts;
}

function findInMap(resolver: Resolver, argument: unknown, scope: Scope): readonly Alternative[] {
  if (!Array.isArray(argument) || argument.length < 3) return malformed(resolver, 'Fn::FindInMap', scope);
  const mappings = section(scope.stack.input.document, 'Mappings');
  const fallback = isObject(argument[3]) ? own(argument[3], 'DefaultValue') : undefined;
  return apply(resolver, argument.slice(0, 3), scope, (keys, when) => {
    let found: unknown = mappings;
    for (const key of keys) {
      if (typeof key !== 'string') return resolver.tokens.unknown('a key of Fn::FindInMap is not text');
      if (!isLiteral(key)) return resolver.tokens.unknown(resolver.tokens.why(key) ?? 'a key is not known');
      found = isObject(found) ? own(found, key) : undefined;
    }
    const place = { ...scope, when };
    if (found !== undefined) return evaluate(resolver, found, place);
    if (fallback !== undefined) return evaluate(resolver, fallback, place);
    return resolver.tokens.unknown(`the mapping ${keys.join('.')} does not exist`);
  });
}

function branch(resolver: Resolver, argument: unknown, scope: Scope): readonly Alternative[] {
  if (!Array.isArray(argument) || argument.length !== 3) return malformed(resolver, 'Fn::If', scope);
  const [condition, yes, no] = argument;
  if (typeof condition !== 'string') return malformed(resolver, 'Fn::If', scope);
  const results: Alternative[] = [];
  for (const [node, holds] of [
    [yes, true],
    [no, false],
  ] as const) {
    const when = resolver.assume(condition, holds, scope.stack, scope.when);
    if (when !== undefined) results.push(...evaluate(resolver, node, { ...scope, when }));
  }
  return results;
}

function importValue(resolver: Resolver, argument: unknown, scope: Scope): readonly Alternative[] {
  return apply(resolver, [argument], scope, ([name], when) => {
    if (typeof name !== 'string') return resolver.tokens.unknown('the name of Fn::ImportValue is not text');
    return resolver.under(resolver.exports.imported(name, scope.stack), when);
  });
}

function getStackOutput(resolver: Resolver, argument: unknown, scope: Scope): readonly Alternative[] {
  if (!isObject(argument)) return malformed(resolver, 'Fn::GetStackOutput', scope);
  const names = ['StackName', 'OutputName', 'Region'].map((key) => own(argument, key));
  return apply(resolver, names, scope, ([stackName, output, region], when) => {
    if (typeof stackName !== 'string' || typeof output !== 'string') {
      return resolver.tokens.unknown('Fn::GetStackOutput names no stack or output');
    }
    const at = typeof region === 'string' ? region : scope.stack.region;
    return resolver.under(resolver.exports.outputOf(stackName, output, at, scope.stack), when);
  });
}

function getAzs(resolver: Resolver, argument: unknown, scope: Scope): readonly Alternative[] {
  return apply(resolver, [argument], scope, ([region]) => {
    const of = typeof region === 'string' && region !== '' ? region : scope.stack.region;
    if (!isLiteral(of)) return resolver.tokens.unknown('the zones of a region that is not known');
    return REGIONS.some((known) => known.id === of) ? ['a', 'b', 'c'].map((zone) => of + zone) : [];
  });
}

/** Values in JSON as CloudFormation writes it; marks stay readable in it. */
function toJsonString(resolver: Resolver, argument: unknown, scope: Scope): readonly Alternative[] {
  return apply(resolver, [argument], scope, ([value]) => JSON.stringify(value) ?? '');
}

const condition: Intrinsic = (resolver, _argument, scope) =>
  resolver.unknown('the value of a condition is known only at deployment', scope.when);

export const INTRINSICS: Readonly<Record<string, Intrinsic>> = {
  Ref: (resolver, argument, scope) =>
    typeof argument === 'string'
      ? resolver.reference(argument, scope.stack, scope.when)
      : malformed(resolver, 'Ref', scope),
  'Fn::GetAtt': getAtt,
  'Fn::Join': join,
  'Fn::Sub': sub,
  'Fn::Select': select,
  'Fn::Split': split,
  'Fn::FindInMap': findInMap,
  'Fn::If': branch,
  'Fn::ImportValue': importValue,
  'Fn::GetStackOutput': getStackOutput,
  'Fn::GetAZs': getAzs,
  // What is encoded here is read by people and parsers as the text it was.
  'Fn::Base64': (resolver, argument, scope) => evaluate(resolver, argument, scope),
  'Fn::ToJsonString': toJsonString,
  'Fn::Length': (resolver, argument, scope) =>
    apply(resolver, [argument], scope, ([list]) =>
      Array.isArray(list) ? String(list.length) : resolver.tokens.unknown('the length of an unknown list'),
    ),
  'Fn::And': condition,
  'Fn::Or': condition,
  'Fn::Not': condition,
  'Fn::Equals': condition,
};

function asText(resolver: Resolver, value: Value): string {
  if (typeof value === 'string') return value;
  if (value === undefined) return '';
  return Array.isArray(value)
    ? value.map((part) => asText(resolver, part)).join(',')
    : resolver.tokens.unknown('an object where text is needed');
}

function malformed(resolver: Resolver, name: string, scope: Scope): readonly Alternative[] {
  return resolver.unknown(`${name} is not written as CloudFormation wants it`, scope.when);
}
