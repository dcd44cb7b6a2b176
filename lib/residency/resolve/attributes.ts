/** What `Ref` and `Fn::GetAtt` give for resources. */
import { ALWAYS, type Alternative } from './alternatives';
import type { Scope } from './intrinsics';
import type { Resolver } from './resolver';
import { NESTED_STACKS, own, type Resource, type Stack, scalar } from './stack';
import { isLiteral } from './text';

/** Values made by somebody's own code: they may be anything, from anywhere. */
const MADE_BY_CODE = /^(Custom::|AWS::CloudFormation::(CustomResource|WaitCondition|Macro)|Alexa::)/;

export function isMadeByCode(type: string): boolean {
  return MADE_BY_CODE.test(type);
}

/** The text of a resource's `Ref` (attribute null) or attribute: a mark, in an ARN where the attribute is one. */
export function physicalText(
  resolver: Resolver,
  stack: Stack,
  resource: Resource,
  attribute: string | null,
): string {
  const { logicalId, type } = resource;
  if (isMadeByCode(type) && attribute !== null) {
    return resolver.tokens.unknown(`${logicalId}.${attribute} is made by the code behind ${type}`);
  }
  const mark = (of: string | null) =>
    resolver.tokens.mark(`resource ${stack.index} ${logicalId} ${of ?? ''}`, {
      kind: 'resource',
      stack,
      logicalId,
      attribute: of,
    });
  if (attribute === null || !attribute.endsWith('Arn')) return mark(attribute);
  const service = type.split('::')[1]?.toLowerCase() ?? '';
  if (type === 'AWS::S3::Bucket') return `arn:${stack.partition}:s3:::${mark(null)}`;
  if (service === 'iam') return `arn:${stack.partition}:iam::${stack.account}:${mark(attribute)}`;
  return `arn:${stack.partition}:${service}:${stack.region}:${stack.account}:${mark(attribute)}`;
}

export function getAtt(resolver: Resolver, argument: unknown, scope: Scope): readonly Alternative[] {
  const [logicalId, attributeNode] = parts(argument);
  if (typeof logicalId !== 'string') return resolver.unknown('Fn::GetAtt names no resource', scope.when);
  const results: Alternative[] = [];
  for (const { value: attribute, when } of resolver.texts(
    attributeNode,
    scope.stack,
    scope.when,
    scope.depth,
  )) {
    results.push(...resolver.under(attributeOf(resolver, logicalId, attribute, scope.stack), when));
  }
  return results;
}

function parts(argument: unknown): readonly [unknown, unknown] {
  if (Array.isArray(argument)) {
    const rest = argument.slice(1);
    return [argument[0], rest.length > 1 ? rest.map(scalar).join('.') : rest[0]];
  }
  if (typeof argument !== 'string') return [undefined, undefined];
  const dot = argument.indexOf('.');
  return dot < 0 ? [undefined, undefined] : [argument.slice(0, dot), argument.slice(dot + 1)];
}

function attributeOf(
  resolver: Resolver,
  logicalId: string,
  attribute: string,
  stack: Stack,
): readonly Alternative[] {
  const resource = stack.resources.get(logicalId);
  if (resource === undefined) {
    return resolver.unknown(`${logicalId} is not a resource of ${stack.input.path}`, ALWAYS);
  }
  if (!isLiteral(attribute)) return resolver.unknown('the attribute of Fn::GetAtt is not known', ALWAYS);
  if (NESTED_STACKS.has(resource.type) && attribute.startsWith('Outputs.')) {
    return resolver.exports.nestedOutput(stack, logicalId, attribute.slice('Outputs.'.length));
  }
  const carried = carriedValue(resource, attribute);
  if (carried !== undefined) {
    const key = `attribute ${stack.index} ${logicalId}.${attribute}`;
    return resolver.once(key, stack, `${logicalId}.${attribute}`, () => resolver.evaluate(carried, stack));
  }
  if (resource.type === 'Custom::CrossRegionExportReader') {
    return resolver.exports.crossRegion(attribute, stack);
  }
  return [{ value: physicalText(resolver, stack, resource, attribute), when: ALWAYS }];
}

/** Attributes whose value is written in the template itself. */
function carriedValue(resource: Resource, attribute: string): unknown {
  if (resource.type === 'AWS::SSM::Parameter' && attribute === 'Value')
    return own(resource.properties, 'Value');
  return undefined;
}

/** The physical name that a property gives a resource, for joining names across templates. */
export function nameProperty(type: string): string | undefined {
  return NAME_PROPERTIES[type];
}

const NAME_PROPERTIES: Readonly<Record<string, string>> = {
  'AWS::S3::Bucket': 'BucketName',
  'AWS::S3Express::DirectoryBucket': 'BucketName',
  'AWS::RDS::GlobalCluster': 'GlobalClusterIdentifier',
  'AWS::DocDB::GlobalCluster': 'GlobalClusterIdentifier',
  'AWS::Neptune::GlobalCluster': 'GlobalClusterIdentifier',
  'AWS::ElastiCache::GlobalReplicationGroup': 'GlobalReplicationGroupIdSuffix',
  'AWS::MemoryDB::MultiRegionCluster': 'MultiRegionClusterNameSuffix',
};
