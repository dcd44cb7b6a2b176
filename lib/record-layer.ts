import { Names, Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { RECORD_PREFIX } from './objective/templates/kept';
import type { Layer } from './objective/worst-case';

/**
 * Writes into the template's Metadata how something is backed up that no property of a resource shows, so that the
 * `objectives` command can count it from the template alone.
 */
export function recordLayer(scope: IConstruct, subject: string, layer: Layer): void {
  const layers = recorded.get(scope) ?? [];
  const stores = layer.stores?.map(({ name, ...store }) => (name === null ? store : { name, ...store }));
  layers.push({ subject, constructPath: scope.node.path, ...layer, stores });
  recorded.set(scope, layers);
  Stack.of(scope).addMetadata(`${RECORD_PREFIX}layers-${Names.nodeUniqueId(scope.node)}`, { layers });
}

const recorded = new WeakMap<IConstruct, object[]>();
