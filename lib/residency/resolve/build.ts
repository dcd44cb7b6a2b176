import type { TemplateInput } from '../input';
import { partitionOf, type Resolver } from './resolver';
import { isObject, own, type PlainObject, type Resource, type Resources, type Stack, section } from './stack';
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
    resources: new DocumentResources(input),
  };
}

/** The resources as the document has them, made into objects only when they are asked for: there may be a million. */
class DocumentResources implements Resources {
  private readonly declared: PlainObject;

  public constructor(private readonly input: TemplateInput) {
    this.declared = section(input.document, 'Resources');
  }

  public get size(): number {
    let size = 0;
    for (const logicalId in this.declared) if (this.typeOf(logicalId) !== undefined) size++;
    return size;
  }

  public get(logicalId: string): Resource | undefined {
    const type = this.typeOf(logicalId);
    if (type === undefined) return undefined;
    const declaration = this.declared[logicalId] as PlainObject;
    const condition = own(declaration, 'Condition');
    return {
      logicalId: literal(logicalId),
      type,
      properties: section(declaration, 'Properties'),
      condition: typeof condition === 'string' ? condition : null,
      constructPath: constructPathOf(declaration) ?? this.input.constructPaths?.[logicalId] ?? null,
    };
  }

  public *ofTypes(wanted: (type: string) => boolean): Iterable<Resource> {
    for (const logicalId in this.declared) {
      const type = this.typeOf(logicalId);
      if (type !== undefined && wanted(type)) yield this.get(logicalId)!;
    }
  }

  public *types(): Iterable<readonly [string, string]> {
    for (const logicalId in this.declared) {
      const type = this.typeOf(logicalId);
      if (type !== undefined) yield [logicalId, type];
    }
  }

  private typeOf(logicalId: string): string | undefined {
    const declaration = own(this.declared, logicalId);
    const type = isObject(declaration) ? own(declaration, 'Type') : undefined;
    return typeof type === 'string' ? type : undefined;
  }
}

function constructPathOf(declaration: PlainObject): string | undefined {
  const path = own(section(declaration, 'Metadata'), 'aws:cdk:path');
  return typeof path === 'string' ? path : undefined;
}
