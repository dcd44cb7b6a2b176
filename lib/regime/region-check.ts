import { findRegion } from './lookup';
import { REGIONS } from './region-table';

/** The CDK writes a value that is known only at deployment as `${Token[...]}` (or `${AWS::Region}` once resolved). */
export function isUnresolved(value: string): boolean {
  return value.includes('${');
}

/** Why this is not a region that can be judged, as the end of a sentence; undefined when it can. */
export function regionProblem(region: string): string | undefined {
  if (isUnresolved(region)) {
    return (
      'is known only at deployment, so no regime can be checked: ' +
      "write the region out, as in env: { region: 'eu-central-1' }"
    );
  }
  if (findRegion(region)) return undefined;
  const near = closest(region);
  return `is not a region of the catalogue${near ? `: did you mean ${near}?` : ''}; an unknown region is refused, never guessed`;
}

function closest(region: string): string | undefined {
  const ranked = REGIONS.map(({ id }) => ({ id, distance: editDistance(region, id) }));
  ranked.sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= 3 ? best.id : undefined;
}

function editDistance(a: string, b: string): number {
  if (a.length > 40) return a.length;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}
