/** Prunes a template to what the audit reads, so that a thousand of them fit in memory. */
import { RECORD_PREFIX } from '../../objective/templates/kept';
import type { TemplateDocument, TemplateFacts, TemplateInput } from '../input';
import { isObject, own, type PlainObject, section } from '../resolve/stack';
import { budgetFor } from './budget';
import { circlesIn } from './circles';
import { propertiesToKeep } from './keep';
import { expandLoops } from './loops';

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
  const budget = budgetFor(characters);
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
  const metadata = section(whole, 'Metadata');
  const records = Object.keys(metadata).filter((key) => key.startsWith(RECORD_PREFIX));
  if (records.length > 0) pruned.Metadata = Object.fromEntries(records.map((key) => [key, metadata[key]]));
  return { document: pruned, facts: { circles, macros } };
}

/** Most resources come down to their type alone: one object for all of a type. */
const bare = new Map<string, PlainObject>();

function bareResource(type: string): PlainObject {
  let shared = bare.get(type);
  if (shared === undefined) {
    shared = { Type: type };
    if (bare.size < 5000) bare.set(type, shared);
  }
  return shared;
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
  const plain = typeof type === 'string' && condition === undefined && paths.length === 0;
  if (!isObject(properties)) return plain ? bareResource(type) : kept;
  const wanted = propertiesToKeep(typeof type === 'string' ? type : '');
  const chosen: Record<string, unknown> = {};
  for (const name of Object.keys(properties)) {
    if (wanted === 'all' || wanted.has(name) || name.startsWith('Fn::')) chosen[name] = properties[name];
  }
  if (plain && Object.keys(chosen).length === 0) return bareResource(type);
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
