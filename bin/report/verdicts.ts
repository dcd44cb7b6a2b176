import type { Edge, Verdict } from '../../lib/residency/model.js';

/** Worst first: the order of every list in the report. */
export const VERDICTS: readonly Verdict[] = [
  'impossible',
  'violation',
  'undetermined',
  'excepted',
  'allowed',
];

export const MEANING: Record<Verdict, string> = {
  impossible: 'another partition: no such copy can exist',
  violation: 'leaves its regime without an exception',
  undetermined: 'a place could not be resolved from the inputs',
  excepted: 'leaves its regime under a dated exception',
  allowed: 'stays in its regime',
};

/** All edges that go the same way with the same verdict: one arrow on the map, one row of the routes. */
export interface Route {
  readonly from: string | null;
  readonly to: string | null;
  readonly fromRegime: string | null;
  readonly toRegime: string | null;
  readonly verdict: Verdict;
  readonly edges: readonly Edge[];
}

export function routesOf(edges: readonly Edge[]): Route[] {
  const routes = new Map<string, Edge[]>();
  for (const edge of edges) {
    const { from, to } = edge;
    const id = JSON.stringify([from.region, to.region, to.country, from.regime, to.regime, edge.verdict]);
    const known = routes.get(id);
    if (known) known.push(edge);
    else routes.set(id, [edge]);
  }
  return [...routes.values()]
    .map((all) => ({
      from: all[0]!.from.region,
      to: all[0]!.to.region,
      fromRegime: all[0]!.from.regime,
      toRegime: all[0]!.to.regime,
      verdict: all[0]!.verdict,
      edges: all,
    }))
    .sort(byVerdictThenPlace);
}

function byVerdictThenPlace(a: Route, b: Route): number {
  return (
    VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict) ||
    compare(a.from ?? '~', b.from ?? '~') ||
    compare(a.to ?? '~', b.to ?? '~') ||
    compare(a.fromRegime ?? '~', b.fromRegime ?? '~') ||
    compare(a.toRegime ?? '~', b.toRegime ?? '~')
  );
}

/** By code unit: the machine's locale must not change the report. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
