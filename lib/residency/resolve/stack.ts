import type { TemplateInput } from '../input';

/** One deployed template: a stack of an assembly, a nested stack, or a template on its own. */
export interface Stack {
  /** Position in the audit; part of the keys of this stack's tokens. */
  readonly index: number;
  readonly input: TemplateInput;
  /** For a nested stack: the stack that holds it, and under which logical id. */
  readonly parent: { readonly stack: Stack; readonly logicalId: string } | null;
  readonly name: string | null;
  /** Text: a region's name, or the mark of a region that is not known. */
  readonly region: string;
  readonly account: string;
  readonly partition: string;
  readonly resources: Resources;
}

export interface Resources {
  readonly size: number;
  get(logicalId: string): Resource | undefined;
  ofTypes(wanted: (type: string) => boolean): Iterable<Resource>;
  /** Logical id and type of each. */
  types(): Iterable<readonly [string, string]>;
}

export interface Resource {
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly condition: string | null;
  readonly constructPath: string | null;
}

/** Resources that are templates themselves. */
export const NESTED_STACKS: ReadonlySet<string> = new Set([
  'AWS::CloudFormation::Stack',
  'AWS::Serverless::Application',
]);

export type PlainObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is PlainObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Text of a value that should be a scalar. `String` fails on what a template may well hold: an object with a `toString` of
 * its own.
 */
export function scalar(value: unknown): string {
  return typeof value === 'object' && value !== null ? '[object]' : String(value);
}

/** A section of a template (`Parameters`, `Mappings`, ...): an empty object where it is missing or not an object. */
export function section(document: PlainObject, name: string): PlainObject {
  const value = own(document, name);
  return isObject(value) ? value : {};
}

/** A property of an object that came from outside: never one of the prototype's. */
export function own(object: PlainObject, key: string): unknown {
  return has(object, key) ? object[key] : undefined;
}

const isOwn = Object.prototype.hasOwnProperty;

/** `Object.hasOwn`, which the language level that jsii compiles to does not have. */
export function has(object: object, key: string): boolean {
  return isOwn.call(object, key);
}
