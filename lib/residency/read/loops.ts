/** `Fn::ForEach`: loops of the AWS::LanguageExtensions transform, unrolled before anything else looks at the template. */
import type { TemplateDocument } from '../input';
import { has, isObject, own, type PlainObject, scalar, section } from '../resolve/stack';
import { spend } from './budget';

const LOOP = 'Fn::ForEach::';

interface Unrolling {
  readonly document: PlainObject;
  readonly path: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly budget: { nodes: number };
}

export function expandLoops(
  document: TemplateDocument,
  path: string,
  parameters: Readonly<Record<string, string>>,
  budget: { nodes: number },
): PlainObject {
  if (!mentionsLoops(document)) return document;
  const unrolling: Unrolling = { document, path, parameters, budget };
  const expanded: Record<string, unknown> = {};
  for (const name of Object.keys(document)) {
    expanded[name] =
      name === 'Resources' || name === 'Outputs' || name === 'Conditions'
        ? unroll(document[name], {}, unrolling, 0)
        : document[name];
  }
  return expanded;
}

/** The transform has to be named for loops to work, so templates without it need no walk. */
function mentionsLoops(document: PlainObject): boolean {
  const transform = own(document, 'Transform');
  const names = Array.isArray(transform) ? transform : [transform];
  return names.includes('AWS::LanguageExtensions');
}

type Bindings = Readonly<Record<string, string>>;

function unroll(node: unknown, bindings: Bindings, unrolling: Unrolling, depth: number): unknown {
  if (typeof node === 'string') return replaced(node, bindings);
  if (typeof node !== 'object' || node === null || depth > 1000) return node;
  spend(unrolling.budget, unrolling.path);
  if (Array.isArray(node)) return node.map((element) => unroll(element, bindings, unrolling, depth + 1));
  const object = node as PlainObject;
  const bound = own(object, 'Ref');
  if (typeof bound === 'string' && has(bindings, bound)) return bindings[bound];
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(object)) {
    const value = object[key];
    if (!key.startsWith(LOOP) || !Array.isArray(value) || value.length !== 3) {
      define(result, replaced(key, bindings), unroll(value, bindings, unrolling, depth + 1));
      continue;
    }
    const [identifier, collection, body] = value;
    for (const element of elements(collection, bindings, unrolling)) {
      const inner = { ...bindings, [scalar(identifier)]: element };
      const part = unroll(body, inner, unrolling, depth + 1);
      if (isObject(part)) for (const name of Object.keys(part)) define(result, name, part[name]);
    }
  }
  return result;
}

function define(object: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

/** `${Name}` keeps all characters, `&{Name}` only letters and digits (logical ids take no others). */
function replaced(text: string, bindings: Bindings): string {
  if (!text.includes('{')) return text;
  return text.replace(/([$&])\{([^}]*)\}/g, (whole, mark: string, name: string) => {
    if (!has(bindings, name)) return whole;
    return mark === '&' ? bindings[name]!.replace(/[^A-Za-z0-9]/g, '') : bindings[name]!;
  });
}

/** A collection is written out, or is a list parameter. */
function elements(collection: unknown, bindings: Bindings, unrolling: Unrolling): readonly string[] {
  if (Array.isArray(collection)) {
    return collection.flatMap((element) =>
      isObject(element) ? elements(element, bindings, unrolling) : [replaced(scalar(element), bindings)],
    );
  }
  const name = isObject(collection) ? own(collection, 'Ref') : undefined;
  if (typeof name !== 'string') return [];
  if (has(bindings, name)) return [bindings[name]!];
  const given = own(unrolling.parameters, name);
  const parameter = section(section(unrolling.document, 'Parameters'), name);
  const text = given ?? own(parameter, 'Default');
  if (Array.isArray(text)) return text.map(scalar);
  return text === undefined || text === null
    ? []
    : scalar(text)
        .split(',')
        .map((part) => part.trim());
}
