import { S3Client } from '@aws-sdk/client-s3';
import type { S3StoreOptions } from './s3-store.js';
import { parseStoreUrl } from './store-url.js';

/**
 * A store's URL on a machine on which AWS's own tools may have been told to find S3 elsewhere (AWS_ENDPOINT_URL_S3,
 * AWS_ENDPOINT_URL, `endpoint_url` of the profile). Such an address counts as if it stood in the URL, so that archives
 * go where the place of the store was judged, and nowhere else.
 */
export async function configuredStore(url: string): Promise<S3StoreOptions> {
  const options = parseStoreUrl(url);
  if (options.endpoint !== undefined) return options;
  // The SDK's own answer, which heeds AWS_IGNORE_CONFIGURED_ENDPOINT_URLS, too.
  const client = new S3Client({ region: options.region });
  return parseStoreUrl(url, process.env, await client.config.serviceConfiguredEndpoint?.());
}
