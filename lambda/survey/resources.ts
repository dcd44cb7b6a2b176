import {
  paginateGetResources,
  type ResourceGroupsTaggingAPIClient,
} from '@aws-sdk/client-resource-groups-tagging-api';
import type { Protection, TagTest } from './settings.js';

/**
 * The ARNs of what should be backed up. Only resources that have or once had a tag are known to the tagging API, so a
 * selection by type alone misses those that never had one; single ARNs are taken as they are.
 */
export async function findProtected(
  client: ResourceGroupsTaggingAPIClient,
  protection: Protection,
): Promise<string[]> {
  const { tags, anyTags = {}, conditions = [], resources, exclude } = protection;
  const filter = ([Key, value]: [string, string]) => ({ Key, Values: [value] });
  const all = Object.entries(tags).map(filter);
  const tagged = all.length + conditions.length + Object.keys(anyTags).length > 0;
  const found = new Set(tagged ? [] : resources.filter((arn) => !arn.includes('*')));
  // The API asks for all tags of a call, so that any of several takes a call for each.
  const calls = Object.keys(anyTags).length > 0 ? Object.entries(anyTags).map((one) => [filter(one)]) : [all];
  const wanted = resources.map(matcher);
  for (const TagFilters of tagged || resources.some((arn) => arn.includes('*')) ? calls : []) {
    const pages = paginateGetResources(
      { client },
      {
        TagFilters,
        // By service: the API's names of types differ from those in ARNs.
        ResourceTypeFilters: [...new Set(resources.map((arn) => arn.split(':')[2]))].filter(
          (service): service is string => service !== undefined && !service.includes('*'),
        ),
      },
    );
    for await (const page of pages) {
      for (const { ResourceARN: arn, Tags = [] } of page.ResourceTagMappingList ?? []) {
        const values = new Map(Tags.map(({ Key, Value }) => [Key, Value]));
        if (!arn || !wanted.some((matches) => matches(arn))) continue;
        if (conditions.every((condition) => holds(condition, values.get(condition.key)))) found.add(arn);
      }
    }
  }
  const excluded = exclude.map(matcher);
  return [...found].filter((arn) => !excluded.some((matches) => matches(arn))).sort();
}

function holds({ test, value }: TagTest, tag: string | undefined): boolean {
  const same = test.endsWith('Like') ? tag !== undefined && matcher(value)(tag) : tag === value;
  return test.startsWith('StringNot') ? !same : same;
}

function matcher(pattern: string): (arn: string) => boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const expression = new RegExp(`^${parts.join('.*')}$`);
  return (arn) => expression.test(arn);
}
