import { Names, Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { longestGapMinutes } from './objective/cron';
import { RECORD_PREFIX } from './objective/templates/kept';
import type { Drill, Layer } from './objective/worst-case';
import { addProblem } from './problems';

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

/** Writes down that restores of what another construct has recorded are tried, and judged, on a schedule. */
export function recordDrill(scope: IConstruct, of: IConstruct, schedule: string): void {
  let everyMinutes: number;
  try {
    everyMinutes = longestGapMinutes(schedule);
  } catch (error) {
    addProblem(scope, `its schedule cannot be read: ${(error as Error).message}`);
    return;
  }
  const drill: Drill = { name: `the drill ${scope.node.path}`, everyMinutes, judged: true };
  Stack.of(scope).addMetadata(`${RECORD_PREFIX}drill-${Names.nodeUniqueId(scope.node)}`, {
    drills: [{ of: of.node.path, ...drill }],
  });
}

const recorded = new WeakMap<IConstruct, object[]>();
