import {
  paginateGetResources,
  type ResourceGroupsTaggingAPIClient,
} from '@aws-sdk/client-resource-groups-tagging-api';
import type { Protection } from './settings.js';

/**
 * The ARNs of what should be backed up. Only resources that have or once had a tag are known to the tagging API, so a
 * selection by type alone misses those that never had one; single ARNs are taken as they are.
 */
export async function findProtected(
  client: ResourceGroupsTaggingAPIClient,
  protection: Protection,
): Promise<string[]> {
  const { tags, resources, exclude } = protection;
  const patterns = resources.filter((arn) => arn.includes('*'));
  const found = new Set(Object.keys(tags).length > 0 ? [] : resources.filter((arn) => !arn.includes('*')));
  if (patterns.length > 0 || Object.keys(tags).length > 0) {
    const wanted = resources.map(matcher);
    const pages = paginateGetResources(
      { client },
      {
        TagFilters: Object.entries(tags).map(([Key, value]) => ({ Key, Values: [value] })),
        // By service: the API's names of types differ from those in ARNs.
        ResourceTypeFilters: [...new Set(resources.map((arn) => arn.split(':')[2]))].filter(
          (service): service is string => service !== undefined && !service.includes('*'),
        ),
      },
    );
    for await (const page of pages) {
      for (const { ResourceARN: arn } of page.ResourceTagMappingList ?? []) {
        if (arn && wanted.some((matches) => matches(arn))) found.add(arn);
      }
    }
  }
  const excluded = exclude.map(matcher);
  return [...found].filter((arn) => !excluded.some((matches) => matches(arn))).sort();
}

function matcher(pattern: string): (arn: string) => boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const expression = new RegExp(`^${parts.join('.*')}$`);
  return (arn) => expression.test(arn);
}
