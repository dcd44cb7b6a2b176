/** Prunes a template to what the audit reads, so that a thousand of them fit in memory. */
import { InputError, type TemplateDocument, type TemplateFacts, type TemplateInput } from '../input';
import { isObject, own, type PlainObject, section } from '../resolve/stack';
import { circlesIn } from './circles';
import { propertiesToKeep } from './keep';
import { expandLoops } from './loops';

/** More nodes than this per character of text can only come from YAML aliases that multiply each other. */
const FREE_NODES = 500_000;

export interface Prepared {
  readonly document: TemplateDocument;
  readonly facts: TemplateFacts;
}

/** Prepares an input, and the nested ones in it, unless that has been done. */
export function prepareInput(input: TemplateInput): TemplateInput {
  const nested = input.nested;
  const prepared =
    nested === undefined
      ? input
      : {
          ...input,
          nested: Object.fromEntries(Object.keys(nested).map((id) => [id, prepareInput(nested[id]!)])),
        };
  if (input.facts !== undefined) return prepared;
  return { ...prepared, ...prepare(input.document, input.path, input.parameters ?? {}) };
}

/**
 * @throws InputError where the document has no resources to speak of, or was made to blow up in memory
 */
export function prepare(
  document: TemplateDocument,
  path: string,
  parameters: Readonly<Record<string, string>> = {},
  characters = 0,
): Prepared {
  const budget = { nodes: Math.max(FREE_NODES, characters) };
  const whole = expandLoops(document, path, parameters, budget);
  const resources = section(whole, 'Resources');
  const kept: Record<string, unknown> = {};
  for (const logicalId of Object.keys(resources)) {
    const resource = resources[logicalId];
    if (isObject(resource)) kept[logicalId] = prunedResource(resource);
  }
  const macros = macrosOf(whole);
  const circles = macros.length > 0 ? [] : circlesIn(resources, budget, path);
  const pruned: Record<string, unknown> = { Resources: kept };
  for (const name of ['Parameters', 'Mappings', 'Conditions', 'Outputs']) {
    if (isObject(own(whole, name))) pruned[name] = whole[name];
  }
  return { document: pruned, facts: { circles, macros } };
}

function prunedResource(resource: PlainObject): PlainObject {
  const type = own(resource, 'Type');
  const kept: Record<string, unknown> = { Type: type };
  const condition = own(resource, 'Condition');
  if (condition !== undefined) kept.Condition = condition;
  const metadata = section(resource, 'Metadata');
  const paths = ['aws:cdk:path', 'aws:asset:path'].filter((key) => typeof own(metadata, key) === 'string');
  if (paths.length > 0) kept.Metadata = Object.fromEntries(paths.map((key) => [key, metadata[key]]));
  const properties = own(resource, 'Properties');
  if (!isObject(properties)) return kept;
  const wanted = propertiesToKeep(typeof type === 'string' ? type : '');
  const chosen: Record<string, unknown> = {};
  for (const name of Object.keys(properties)) {
    if (wanted === 'all' || wanted.has(name) || name.startsWith('Fn::')) chosen[name] = properties[name];
  }
  kept.Properties = chosen;
  return kept;
}

/** Macros of the whole template; the two of AWS that only change how a template is written are read here. */
function macrosOf(document: PlainObject): string[] {
  const transform = own(document, 'Transform');
  const names = Array.isArray(transform) ? transform : [transform];
  const found = names.flatMap((name) => {
    const text = isObject(name) ? own(name, 'Name') : name;
    return typeof text === 'string' && text !== 'AWS::LanguageExtensions' ? [text] : [];
  });
  if (own(document, 'Fn::Transform') !== undefined || own(section(document, 'Resources'), 'Fn::Transform')) {
    found.push('Fn::Transform');
  }
  return found;
}

/** Takes nodes from a document's budget. */
export function spend(budget: { nodes: number }, path: string): void {
  budget.nodes -= 1;
  if (budget.nodes < 0) {
    throw new InputError(
      `${path}: the template unfolds to more than its text can hold (aliases or loops that multiply each other); ` +
        'write the repeated parts out',
    );
  }
}
