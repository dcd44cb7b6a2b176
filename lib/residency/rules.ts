import * as propertyRows from './data/properties.json';
import * as typeRows from './data/resource-types.json';
import type { PropertyRule } from './model';

/** A JSON file is the module itself for jsii's compiler and the default export for the bundler. */
function contentOf<T>(module: unknown): T {
  return ((module as { default?: T }).default ?? module) as T;
}

/** Every classified property of every resource type: see docs/data-moving-properties.md. */
export const PROPERTY_RULES = contentOf<readonly PropertyRule[]>(propertyRows);

/** Every resource type of CloudFormation that the properties were looked for in. */
export const RESOURCE_TYPES: ReadonlySet<string> = new Set(contentOf<readonly string[]>(typeRows));

/** Types with a row of any class: somebody has read what they do. */
export const DECIDED_TYPES: ReadonlySet<string> = new Set(PROPERTY_RULES.map(({ type }) => type));

/** The rows that make edges, by resource type. */
export const MOVING_RULES: ReadonlyMap<string, readonly PropertyRule[]> = (() => {
  const byType = new Map<string, PropertyRule[]>();
  for (const rule of PROPERTY_RULES) {
    if (rule.class !== 'moves-data') continue;
    const rules = byType.get(rule.type);
    if (rules === undefined) byType.set(rule.type, [rule]);
    else rules.push(rule);
  }
  return byType;
})();

/** An SDK call of the CDK may go under any name for a custom resource. */
export function movingRulesOf(type: string): readonly PropertyRule[] | undefined {
  return (
    MOVING_RULES.get(type) ?? (type.startsWith('Custom::') ? MOVING_RULES.get('Custom::AWS') : undefined)
  );
}
