import type { TemplateInput } from '../input';
import { partitionOf, type Resolver } from './resolver';
import { isObject, own, type PlainObject, type Resource, type Stack, section } from './stack';
import { literal } from './text';

/** The stacks of the audit, each nested one after the stack that holds it. */
export function buildStacks(inputs: readonly TemplateInput[], resolver: Resolver): readonly Stack[] {
  const stacks: Stack[] = [];
  const add = (input: TemplateInput, parent: Stack['parent']): void => {
    const stack = buildStack(input, parent, stacks.length, resolver);
    stacks.push(stack);
    for (const logicalId of Object.keys(input.nested ?? {}))
      add(input.nested![logicalId]!, { stack, logicalId });
  };
  for (const input of inputs) add(input, null);
  return stacks;
}

function buildStack(input: TemplateInput, parent: Stack['parent'], index: number, resolver: Resolver): Stack {
  // A nested stack is deployed with its parent, so it shares even a place that is not known.
  const region =
    parent?.stack.region ?? input.region ?? resolver.tokens.mark(`region ${index}`, { kind: 'region' });
  const account =
    parent?.stack.account ?? input.account ?? resolver.tokens.mark(`account ${index}`, { kind: 'account' });
  const partition =
    parent?.stack.partition ??
    partitionOf(region) ??
    resolver.tokens.mark(`partition ${index}`, { kind: 'partition' });
  return {
    index,
    input,
    parent,
    name: input.stack,
    region,
    account,
    partition,
    resources: resourcesOf(input),
  };
}

function resourcesOf(input: TemplateInput): ReadonlyMap<string, Resource> {
  const resources = new Map<string, Resource>();
  const declared = section(input.document, 'Resources');
  for (const logicalId of Object.keys(declared)) {
    const declaration = declared[logicalId];
    if (!isObject(declaration)) continue;
    const type = own(declaration, 'Type');
    if (typeof type !== 'string') continue;
    const condition = own(declaration, 'Condition');
    resources.set(logicalId, {
      logicalId: literal(logicalId),
      type,
      properties: section(declaration, 'Properties'),
      condition: typeof condition === 'string' ? condition : null,
      constructPath: constructPathOf(declaration) ?? input.constructPaths?.[logicalId] ?? null,
    });
  }
  return resources;
}

function constructPathOf(declaration: PlainObject): string | undefined {
  const path = own(section(declaration, 'Metadata'), 'aws:cdk:path');
  return typeof path === 'string' ? path : undefined;
}
