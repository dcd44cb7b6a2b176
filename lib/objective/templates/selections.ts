import { parseArn } from '../../residency/edge/arn';
import type { Value } from '../../residency/resolve/alternatives';
import type { Resolver } from '../../residency/resolve/resolver';
import type { Resource, Stack } from '../../residency/resolve/stack';
import { isLiteral } from '../../residency/resolve/text';
import type { TypeRecord } from '../type-table';
import { branches, fieldsOf, listOf, textOf, textsOf } from './values';

type Operator = 'StringEquals' | 'StringNotEquals' | 'StringLike' | 'StringNotLike';
const OPERATORS: readonly Operator[] = ['StringEquals', 'StringNotEquals', 'StringLike', 'StringNotLike'];

interface Condition {
  readonly operator: Operator;
  readonly key: string;
  readonly value: string;
}

/** What a backup selection takes. */
export interface Selection {
  readonly stack: Stack;
  readonly logicalId: string;
  readonly plan: { readonly stack: Stack; readonly logicalId: string } | null;
  readonly resources: readonly string[];
  readonly except: readonly string[];
  /** Any of these. */
  readonly anyOf: readonly Condition[];
  /** All of these. */
  readonly allOf: readonly Condition[];
}

/** A resource, or resources of a type of which only some tags are known. */
export interface Target {
  readonly stack: Stack;
  /** Null for resources that no template declares. */
  readonly logicalId: string | null;
  readonly type: TypeRecord | null;
  readonly tags: ReadonlyMap<string, string>;
}

export function selectionVariants(
  resolver: Resolver,
  stack: Stack,
  resource: Resource,
): readonly Selection[] {
  const planText = textOf(branches(resolver, stack, resource.properties.BackupPlanId)[0]);
  const token = planText === undefined ? undefined : resolver.tokens.lone(planText);
  const plan = token?.kind === 'resource' ? { stack: token.stack, logicalId: token.logicalId } : null;
  return branches(resolver, stack, resource.properties.BackupSelection).map((value) => {
    const fields = fieldsOf(value);
    const conditions = fieldsOf(fields.Conditions);
    return {
      stack,
      logicalId: resource.logicalId,
      plan,
      resources: textsOf(fields.Resources),
      except: textsOf(fields.NotResources),
      anyOf: listOf(fields.ListOfTags).flatMap((each) => conditionOf('StringEquals', each)),
      allOf: OPERATORS.flatMap((operator) =>
        listOf(conditions[operator]).flatMap((each) => conditionOf(operator, each)),
      ),
    };
  });
}

function conditionOf(operator: Operator, value: Value): Condition[] {
  const { ConditionKey: key, ConditionValue: text } = fieldsOf(value);
  if (typeof key !== 'string' || typeof text !== 'string') return [];
  return [{ operator, key: key.replace(/^aws:ResourceTag\//, ''), value: text }];
}

/** Whether the selection takes the target for certain. */
export function takes(selection: Selection, target: Target, resolver: Resolver): boolean {
  const { resources, except, anyOf, allOf } = selection;
  if (except.some((arn) => names(arn, target, resolver))) return false;
  const byTag = anyOf.length > 0 && anyOf.some((condition) => holds(condition, target.tags));
  const byName = resources.some((arn) => names(arn, target, resolver));
  const chosen = byTag || byName || (resources.length === 0 && anyOf.length === 0);
  return chosen && allOf.every((condition) => holds(condition, target.tags));
}

/** A tag of which nothing is known is not there: what may hold does not hold for certain. */
function holds({ operator, key, value }: Condition, tags: ReadonlyMap<string, string>): boolean {
  const given = tags.get(key);
  if (given === undefined || !isLiteral(given)) {
    return given === undefined && (operator === 'StringNotEquals' || operator === 'StringNotLike');
  }
  const same = operator.endsWith('Like') ? matchesGlob(value, given) : value === given;
  return operator.includes('Not') ? !same : same;
}

/** Whether an ARN, a pattern of ARNs or a reference is of the target. */
function names(arn: string, target: Target, resolver: Resolver): boolean {
  if (arn === '*') return true;
  const parsed = parseArn(arn);
  const token = resolver.tokens.all(arn).find(({ kind }) => kind === 'resource');
  if (token?.kind === 'resource') {
    return token.stack === target.stack && token.logicalId === target.logicalId;
  }
  if (target.type === null || parsed === undefined || !arn.includes('*')) return false;
  // A pattern takes all of the type when it is as wide as the type's own.
  const [, , service, , , ...rest] = arn.split(':');
  const [ofService, , , ...kind] = target.type.arnPattern.split(':');
  return service === ofService && matchesGlob(rest.join(':'), kind.join(':').replace('*', '\u0000'));
}

/** `*` is any text. */
export function matchesGlob(pattern: string, text: string): boolean {
  const parts = pattern.split('*');
  if (parts.length === 1) return pattern === text;
  if (!text.startsWith(parts[0]!) || !text.endsWith(parts[parts.length - 1]!)) return false;
  let at = parts[0]!.length;
  const end = text.length - parts[parts.length - 1]!.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return at <= end;
}

/** The tags that a target of the selection has for certain, one set for each way to be chosen. */
export function requiredTags({ anyOf, allOf }: Selection): readonly ReadonlyMap<string, string>[] {
  const certain = allOf
    .filter(({ operator }) => operator === 'StringEquals')
    .map(({ key, value }) => [key, value] as const);
  if (anyOf.length === 0) return [new Map(certain)];
  return anyOf.map(({ key, value }) => new Map([...certain, [key, value] as const]));
}

const WORDS: Readonly<Record<Operator, string>> = {
  StringEquals: '=',
  StringNotEquals: '≠',
  StringLike: ' like ',
  StringNotLike: ' not like ',
};

/** The conditions for people; empty without any. */
export function conditionText({ anyOf, allOf }: Selection): string {
  const one = ({ operator, key, value }: Condition) => `${key}${WORDS[operator]}${value}`;
  const any = anyOf.map(one).join(' or ');
  const all = allOf.map(one).join(' and ');
  return [any, all].filter(Boolean).join(' and ');
}
