import { type Check, checklistOf } from './checklist';
import { type Copy, copiesOf, type Home, isElsewhere, type Lock, strongestLock } from './store';
import { type Drill, type Layer, span, type WorstCase, worstCaseLoss } from './worst-case';

/** The best that any layer promises, and which one that is. */
export interface Best extends WorstCase {
  readonly layer: string;
}

/** What the declared schedules, windows, retentions and copies add up to for one resource. */
export interface Assessment {
  /** Of the layer that loses least; null where nothing backs the resource up. */
  readonly loss: Best | null;
  /** The same when the resource's region is gone, with what is kept elsewhere; null where nothing is. */
  readonly lossWithoutRegion: Best | null;
  /** How many days one can go back; null is for ever. 0 where nothing backs the resource up. */
  readonly reachBackDays: number | null;
  readonly copies: readonly Copy[];
  /** Accounts and regions in which there are copies. */
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
  /** Kilometres to the furthest copy; null where there is none or nobody knows. */
  readonly furthestKm: number | null;
  /** The strongest lock of any copy. */
  readonly immutability: Lock;
  readonly drill: Drill | null;
  readonly checklist: readonly Check[];
}

export function assess(home: Home, layers: readonly Layer[], drill: Drill | null = null): Assessment {
  const copies = copiesOf(
    layers.flatMap(({ stores }) => stores ?? []),
    home,
  );
  const kept = [...layers, ...copies].map(({ retentionDays }) => retentionDays);
  const distances = copies.flatMap(({ km }) => (km === null ? [] : [km]));
  return {
    loss: leastLoss(layers),
    lossWithoutRegion: leastLoss(
      layers.flatMap((layer) => {
        const away = (layer.stores ?? []).slice(1).filter((store) => isElsewhere(store, home) === true);
        // A dump is written to all its stores at once.
        if (away.some(({ kind }) => kind === 'archive')) return [layer];
        const made = layer.stores?.[0];
        if (made !== undefined && isElsewhere(made, home) === true) return [layer];
        // A copy of a continuous backup is a snapshot: it comes at the rule's own pace.
        return away.length > 0 ? [{ ...layer, lagMinutes: undefined, copied: true }] : [];
      }),
    ),
    reachBackDays: kept.includes(undefined) ? null : Math.max(0, ...(kept as number[])),
    copies,
    accounts: distinct(copies.map(({ account }) => account)),
    regions: distinct(copies.map(({ region }) => region)),
    furthestKm: distances.length > 0 ? Math.max(...distances) : null,
    immutability: strongestLock(copies),
    drill,
    checklist: checklistOf(copies, home, drill),
  };
}

function leastLoss(layers: readonly (Layer & { readonly copied?: boolean })[]): Best | null {
  let best: Best | null = null;
  for (const layer of layers) {
    const { minutes, arithmetic } = worstCaseLoss(layer);
    if (best !== null && best.minutes <= minutes) continue;
    const copying = layer.copied ? ', and the time that the copy takes, which nothing bounds' : '';
    best = { layer: layer.name, minutes, arithmetic: arithmetic + copying };
  }
  return best;
}

const distinct = (values: readonly (string | null)[]) =>
  [...new Set(values.filter((value): value is string => value !== null))].sort();

/** What was promised. */
export interface Objective {
  readonly maxLossMinutes?: number;
  readonly retentionDays?: number;
  /** Places in which a copy must be. */
  readonly copies?: number;
  /** Whether one copy must be under a lock that nobody can remove. */
  readonly immutable?: boolean;
  /** The longest time between two tested restores. */
  readonly restoreTestMinutes?: number;
}

/** How a resource's layers miss the objective, each with its arithmetic. Any one layer that meets a part is enough. */
export function objectiveProblems(
  subject: string,
  layers: readonly Layer[],
  objective: Objective,
  home: Home = { region: null, account: null },
  drill: Drill | null = null,
): string[] {
  if (layers.length === 0) return [`${subject}: nothing backs it up`];
  const found = assess(home, layers, drill);
  const problems: string[] = [];
  const { maxLossMinutes: limit, retentionDays: days, copies, restoreTestMinutes: pace } = objective;
  if (limit !== undefined && found.loss!.minutes > limit) {
    const sums = layers.map((layer) => `${layer.name}: ${worstCaseLoss(layer).arithmetic}`).join('; ');
    problems.push(
      `${subject}: the objective allows a loss of ${span(limit)}, and the worst case is more. ${sums}. ` +
        'Run more often, shorten the windows, use continuous backup where the service has it, or relax the objective',
    );
  }
  if (days !== undefined && found.reachBackDays !== null && found.reachBackDays < days) {
    const list = layers.map((layer) => `${layer.name}: ${layer.retentionDays} days`).join('; ');
    problems.push(
      `${subject}: the objective reaches back ${days} days, and nothing is kept that long. ${list}. ` +
        'Keep recovery points longer, or relax the objective',
    );
  }
  if (copies !== undefined && found.copies.length < copies) {
    problems.push(
      `${subject}: the objective asks for ${copies} copies, and there ${found.copies.length === 1 ? 'is' : 'are'} ` +
        `${found.copies.length}${placesOf(found.copies)}. Copy to another region or account, or relax the objective`,
    );
  }
  if (objective.immutable) {
    const check = found.checklist.find(({ item }) => item === '1 immutable')!;
    if (check.ok !== true) {
      problems.push(
        `${subject}: the objective asks for a copy that nobody can delete, and ${check.reason}. Copy into an ` +
          'AirGappedVault, or lock a vault irreversibly',
      );
    }
  }
  if (pace !== undefined && (drill === null || drill.everyMinutes > pace)) {
    const got = drill === null ? 'none is' : `${drill.name} tests one every ${span(drill.everyMinutes)}`;
    problems.push(
      `${subject}: the objective asks for a tested restore every ${span(pace)}, and ${got}. Add a restore testing plan ` +
        'for the type, or run it more often',
    );
  }
  return problems;
}

function placesOf(copies: readonly Copy[]): string {
  const places = copies.map(({ kind, name, region }) => [name ?? kind, region].filter(Boolean).join(' in '));
  return places.length > 0 ? ` (${places.join(', ')})` : '';
}
