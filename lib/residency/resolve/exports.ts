/** Values that stacks of one audit give each other: exports, outputs, nested stacks, the CDK's cross-region exports. */
import { ALWAYS, type Alternative } from './alternatives';
import type { Resolver } from './resolver';
import { isObject, own, type Stack, section } from './stack';
import { isLiteral } from './text';

interface Exported {
  readonly stack: Stack;
  readonly output: string;
}

export class Exports {
  private readonly nestedByParent = new Map<string, Stack>();
  private exportsByName: Map<string, Exported[]> | undefined;
  private stacksByName: Map<string, Stack[]> | undefined;
  private crossRegionByName: Map<string, { stack: Stack; node: unknown }[]> | undefined;

  public constructor(
    private readonly resolver: Resolver,
    private readonly stacks: readonly Stack[],
  ) {
    for (const stack of stacks) {
      if (stack.parent !== null) {
        this.nestedByParent.set(`${stack.parent.stack.index} ${stack.parent.logicalId}`, stack);
      }
    }
  }

  /** `Fn::ImportValue`: exports are looked up in the importing stack's own region and account. */
  public imported(name: string, importer: Stack): readonly Alternative[] {
    this.exportsByName ??= this.indexExports();
    const found = nearest(this.exportsByName.get(name) ?? [], importer.region, importer.account);
    if (found.length === 1) return this.output(found[0]!.stack, found[0]!.output);
    const shown = this.resolver.tokens.why(name) ?? `"${name}"`;
    return this.resolver.unknown(
      found.length === 0
        ? `export ${shown} is in none of the templates given`
        : `export ${shown} is in several of the templates given`,
      ALWAYS,
    );
  }

  public outputOf(stackName: string, output: string, region: string, asker: Stack): readonly Alternative[] {
    if (this.stacksByName === undefined) {
      this.stacksByName = new Map();
      for (const stack of this.stacks) {
        if (stack.name !== null) push(this.stacksByName, stack.name, stack);
      }
    }
    const candidates = (this.stacksByName.get(stackName) ?? []).map((stack) => ({ stack }));
    const found = nearest(candidates, region, asker.account);
    if (found.length === 1) return this.output(found[0]!.stack, output);
    return this.resolver.unknown(
      `output ${output} of stack ${stackName} is in none of the templates given, or in several`,
      ALWAYS,
    );
  }

  public nestedOutput(parent: Stack, logicalId: string, output: string): readonly Alternative[] {
    const nested = this.nestedByParent.get(`${parent.index} ${logicalId}`);
    if (nested !== undefined) return this.output(nested, output);
    return this.resolver.unknown(`the template of nested stack ${logicalId} is not given`, ALWAYS);
  }

  /** The CDK's custom resources that carry a value from a stack in another region. */
  public crossRegion(name: string, reader: Stack): readonly Alternative[] {
    this.crossRegionByName ??= this.indexCrossRegion();
    const found = this.crossRegionByName.get(name) ?? [];
    if (found.length === 1) {
      const { stack, node } = found[0]!;
      return this.resolver.once(`cross-region ${name}`, stack, name, () =>
        this.resolver.evaluate(node, stack),
      );
    }
    return this.resolver.unknown(
      `the stack that exports ${name} to ${reader.input.path} is not given`,
      ALWAYS,
    );
  }

  private output(stack: Stack, name: string): readonly Alternative[] {
    const output = own(section(stack.input.document, 'Outputs'), name);
    if (!isObject(output)) {
      return this.resolver.unknown(`${stack.input.path} has no output ${name}`, ALWAYS);
    }
    return this.resolver.once(`output ${stack.index} ${name}`, stack, `Output ${name}`, () =>
      this.resolver.evaluate(own(output, 'Value'), stack),
    );
  }

  private indexExports(): Map<string, Exported[]> {
    const index = new Map<string, Exported[]>();
    for (const stack of this.stacks) {
      const outputs = section(stack.input.document, 'Outputs');
      for (const output of Object.keys(outputs)) {
        const declaration = outputs[output];
        const declared = isObject(declaration) ? own(declaration, 'Export') : undefined;
        if (!isObject(declared)) continue;
        for (const { value } of this.resolver.texts(own(declared, 'Name'), stack))
          push(index, value, { stack, output });
      }
    }
    return index;
  }

  private indexCrossRegion(): Map<string, { stack: Stack; node: unknown }[]> {
    const index = new Map<string, { stack: Stack; node: unknown }[]>();
    for (const stack of this.stacks) {
      for (const resource of stack.resources.ofTypes((type) => type === 'Custom::CrossRegionExportWriter')) {
        const exports = section(section(resource.properties, 'WriterProps'), 'exports');
        for (const name of Object.keys(exports)) push(index, name, { stack, node: exports[name] });
      }
    }
    return index;
  }
}

/** Those that can be meant from this region and account; the same place before one that is not known. */
function nearest<T extends { readonly stack: Stack }>(
  found: readonly T[],
  region: string,
  account: string,
): readonly T[] {
  const possible = found.filter(({ stack }) => agree(stack.region, region) && agree(stack.account, account));
  const same = possible.filter(({ stack }) => stack.region === region);
  const closer = same.length > 0 ? same : possible;
  const inAccount = closer.filter(({ stack }) => stack.account === account);
  return inAccount.length > 0 ? inAccount : closer;
}

const agree = (a: string, b: string) => a === b || !isLiteral(a) || !isLiteral(b);

export function push<K, V>(index: Map<K, V[]>, key: K, value: V): void {
  const list = index.get(key);
  if (list === undefined) index.set(key, [value]);
  else list.push(value);
}
