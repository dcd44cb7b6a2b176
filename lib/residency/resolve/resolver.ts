import { findRegion } from '../../regime/lookup';
import { ALWAYS, type Alternative, both, product, type When } from './alternatives';
import { physicalText } from './attributes';
import { conditionOf } from './conditions';
import type { Exports } from './exports';
import { INTRINSICS } from './intrinsics';
import { has, isObject, own, type PlainObject, type Stack, scalar, section } from './stack';
import { literal, Tokens } from './text';

/** Deeper than this an expression is not followed: it becomes an unknown. */
const MAX_DEPTH = 900;

const SUFFIXES: Readonly<Record<string, string>> = {
  aws: 'amazonaws.com',
  'aws-cn': 'amazonaws.com.cn',
  'aws-us-gov': 'amazonaws.com',
  'aws-eusc': 'amazonaws.eu',
  'aws-iso': 'c2s.ic.gov',
  'aws-iso-b': 'sc2s.sgov.gov',
  'aws-iso-e': 'cloud.adc-e.uk',
  'aws-iso-f': 'csp.hci.ic.gov',
};

/**
 * Works out what a template's expressions can be. Every expression gives a set of alternatives, one for each branch of
 * the `Fn::If`s in it; what is known only after deployment stays in the text as a mark.
 */
export class Resolver {
  public readonly tokens = new Tokens();
  /** Expressions that refer to themselves, as found on the way. */
  public readonly cycles = new Map<string, { stack: Stack; what: string }>();
  /** Set once all stacks are known. */
  public exports!: Exports;
  private readonly memo = new Map<string, readonly Alternative[]>();
  private readonly inProgress = new Set<string>();

  public evaluate(node: unknown, stack: Stack, when: When = ALWAYS, depth = 0): readonly Alternative[] {
    if (typeof node === 'string') return [{ value: this.text(node), when }];
    if (typeof node === 'number' || typeof node === 'boolean') return [{ value: String(node), when }];
    if (node === null || node === undefined) return [{ value: undefined, when }];
    if (depth > MAX_DEPTH)
      return this.unknown(`the expression is nested more than ${MAX_DEPTH} levels deep`, when);
    if (Array.isArray(node)) return this.list(node, stack, when, depth);
    if (!isObject(node)) return this.unknown('the value is of no kind that a template has', when);
    const call = intrinsicOf(node);
    if (call !== undefined) return this.call(call[0], call[1], stack, when, depth);
    return this.map(node, stack, when, depth);
  }

  /** The texts an expression can be, without lists, objects and `AWS::NoValue`. */
  public texts(node: unknown, stack: Stack, when: When = ALWAYS, depth = 0): Alternative<string>[] {
    return this.evaluate(node, stack, when, depth).flatMap((alternative) =>
      typeof alternative.value === 'string' ? [{ value: alternative.value, when: alternative.when }] : [],
    );
  }

  public unknown(why: string, when: When): readonly Alternative[] {
    return [{ value: this.tokens.unknown(why), when }];
  }

  /** Evaluates once what many expressions refer to; an expression that needs itself becomes an unknown. */
  public once(
    key: string,
    stack: Stack,
    what: string,
    work: () => readonly Alternative[],
  ): readonly Alternative[] {
    const done = this.memo.get(key);
    if (done !== undefined) return done;
    if (this.inProgress.has(key)) {
      this.cycles.set(key, { stack, what });
      return this.unknown(`${what} refers to itself`, ALWAYS);
    }
    this.inProgress.add(key);
    const result = work();
    this.inProgress.delete(key);
    this.memo.set(key, result);
    return result;
  }

  /** `Ref`: a pseudo parameter, a parameter, or a resource. */
  public reference(name: string, stack: Stack, when: When): readonly Alternative[] {
    const pseudo = this.pseudo(name, stack);
    if (pseudo !== undefined) return [{ value: pseudo, when }];
    if (name === 'AWS::NoValue') return [{ value: undefined, when }];
    const parameter = own(section(stack.input.document, 'Parameters'), name);
    if (isObject(parameter)) {
      return this.under(this.parameter(name, parameter, stack), when);
    }
    const resource = stack.resources.get(name);
    if (resource !== undefined) return [{ value: physicalText(this, stack, resource, null), when }];
    return this.unknown(`Ref ${name} names nothing in the template`, when);
  }

  /** What alternatives remain under further assumptions. */
  public under(alternatives: readonly Alternative[], when: When): readonly Alternative[] {
    if (when.size === 0) return alternatives;
    return alternatives.flatMap((alternative) => {
      const merged = both(when, alternative.when);
      return merged === undefined ? [] : [{ value: alternative.value, when: merged }];
    });
  }

  /** The assumption that a branch of `Fn::If` makes. */
  public assume(condition: string, holds: boolean, stack: Stack, when: When): When | undefined {
    const [key, value] = conditionOf(stack, condition, holds);
    return both(when, new Map([[key, value]]));
  }

  private call(
    name: string,
    argument: unknown,
    stack: Stack,
    when: When,
    depth: number,
  ): readonly Alternative[] {
    const intrinsic = INTRINSICS[name];
    if (intrinsic !== undefined) return intrinsic(this, argument, { stack, when, depth: depth + 1 });
    return this.unknown(`${name} is worked out only at deployment`, when);
  }

  private text(raw: string): string {
    const text = literal(raw);
    if (!text.includes('{{resolve:')) return text;
    // Dynamic references: the value is in Systems Manager or Secrets Manager, not in the template.
    return text.replace(/\{\{resolve:[^{}]*\}\}/g, (reference) =>
      this.tokens.unknown(`${reference} is looked up only at deployment`),
    );
  }

  private list(node: readonly unknown[], stack: Stack, when: When, depth: number): readonly Alternative[] {
    const { rows, cut } = product(
      node.map((element) => this.evaluate(element, stack, when, depth + 1)),
      when,
    );
    const lists: Alternative[] = rows.map((row) => ({
      value: row.value.filter((element) => element !== undefined),
      when: row.when,
    }));
    return cut ? [...lists, ...this.unknown('the list has too many alternatives', when)] : lists;
  }

  private map(node: PlainObject, stack: Stack, when: When, depth: number): readonly Alternative[] {
    const keys = Object.keys(node);
    const { rows, cut } = product(
      keys.map((key) => this.evaluate(node[key], stack, when, depth + 1)),
      when,
    );
    const maps: Alternative[] = rows.map((row) => ({
      value: Object.fromEntries(keys.map((key, i) => [literal(key), row.value[i]])),
      when: row.when,
    }));
    return cut ? [...maps, ...this.unknown('the object has too many alternatives', when)] : maps;
  }

  private pseudo(name: string, stack: Stack): string | undefined {
    switch (name) {
      case 'AWS::Region':
        return stack.region;
      case 'AWS::AccountId':
        return stack.account;
      case 'AWS::Partition':
        return stack.partition;
      case 'AWS::URLSuffix':
        return SUFFIXES[stack.partition] ?? this.tokens.unknown('AWS::URLSuffix of an unknown partition');
      case 'AWS::StackName':
        return stack.name ?? this.tokens.unknown(`the name of the stack of ${stack.input.path}`);
      case 'AWS::StackId':
        return `arn:${stack.partition}:cloudformation:${stack.region}:${stack.account}:stack/${
          stack.name ?? this.tokens.unknown(`the name of the stack of ${stack.input.path}`)
        }`;
      case 'AWS::NotificationARNs':
        return this.tokens.unknown('AWS::NotificationARNs is known only at deployment');
      default:
        return undefined;
    }
  }

  private parameter(name: string, declaration: PlainObject, stack: Stack): readonly Alternative[] {
    return this.once(`parameter ${stack.index} ${name}`, stack, `Parameter ${name}`, () => {
      const type = scalar(own(declaration, 'Type') ?? 'String');
      const isList = type === 'CommaDelimitedList' || type.startsWith('List<');
      const given = this.givenParameter(name, stack);
      const values = given ?? this.defaultOf(name, type, declaration, stack);
      if (!isList) return values;
      return values.map(({ value, when }) => ({
        value: typeof value === 'string' ? value.split(',').map((part) => part.trim()) : value,
        when,
      }));
    });
  }

  private givenParameter(name: string, stack: Stack): readonly Alternative[] | undefined {
    const given = stack.input.parameters;
    if (given !== undefined && has(given, name)) {
      return [{ value: literal(given[name]!), when: ALWAYS }];
    }
    if (stack.parent === null) return undefined;
    const holder = stack.parent.stack.resources.get(stack.parent.logicalId);
    const passed = holder === undefined ? undefined : own(section(holder.properties, 'Parameters'), name);
    if (passed === undefined) return undefined;
    return this.evaluate(passed, stack.parent.stack).map(({ value, when }) => ({
      // A list given to a nested stack arrives as text.
      value: Array.isArray(value) ? value.map(scalar).join(',') : value,
      when,
    }));
  }

  private defaultOf(
    name: string,
    type: string,
    declaration: PlainObject,
    stack: Stack,
  ): readonly Alternative[] {
    // The default of such a parameter is the name under which Systems Manager holds the value.
    if (type.startsWith('AWS::SSM::Parameter::Value')) {
      return this.unknown(`parameter ${name} is looked up in Systems Manager only at deployment`, ALWAYS);
    }
    const value = own(declaration, 'Default');
    if (value !== undefined && value !== null) {
      const text = Array.isArray(value) ? value.map(scalar).join(',') : scalar(value);
      return [{ value: this.text(text), when: ALWAYS }];
    }
    const allowed = own(declaration, 'AllowedValues');
    if (Array.isArray(allowed) && allowed.length === 1)
      return [{ value: literal(scalar(allowed[0])), when: ALWAYS }];
    const where = stack.input.path;
    return this.unknown(
      `parameter ${name} of ${where} has no default (give one with --param ${name}=VALUE)`,
      ALWAYS,
    );
  }
}

/** The function and argument when an object is a call of an intrinsic function. */
export function intrinsicOf(node: PlainObject): readonly [string, unknown] | undefined {
  let only: string | undefined;
  for (const key in node) {
    if (only !== undefined) return undefined;
    only = key;
  }
  if (only === undefined) return undefined;
  return only === 'Ref' || only.startsWith('Fn::') ? [only, node[only]] : undefined;
}

/** The partition of a region; undefined for a region that nobody knows. */
export function partitionOf(region: string): string | undefined {
  return findRegion(region)?.partition;
}
