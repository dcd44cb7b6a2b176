import type { AuditResult, Edge, Finding, Place, Verdict } from './model';

/** What a change of the templates (or of the policy) does to where data goes. */
export interface AuditDiff {
  readonly schemaVersion: 1;
  readonly summary: {
    readonly added: number;
    readonly removed: number;
    readonly changed: number;
    readonly findingsAdded: number;
    readonly findingsRemoved: number;
  };
  readonly added: readonly Edge[];
  readonly removed: readonly Edge[];
  readonly changed: readonly { readonly before: Verdict; readonly edge: Edge }[];
  readonly findings: { readonly added: readonly Finding[]; readonly removed: readonly Finding[] };
}

export function diffOf(before: AuditResult, after: AuditResult): AuditDiff {
  // One file against another: their names say nothing about what changed.
  const single = before.inputs.length === 1 && after.inputs.length === 1;
  const edgeKey = (edge: Edge) =>
    [
      single ? '' : edge.template,
      single ? '' : edge.stack,
      edge.logicalId,
      edge.propertyPath.replace(/\[\d+\]/g, '[]'),
      edge.what,
      placeKey(edge.from),
      placeKey(edge.to),
    ].join('\n');
  const findingKey = (finding: Finding) =>
    [finding.rule, single ? '' : finding.template, finding.logicalId, finding.message].join('\n');

  const edges = matched(before.edges, after.edges, edgeKey);
  const findings = matched(before.findings, after.findings, findingKey);
  const changed = edges.kept
    .filter(([old, now]) => old.verdict !== now.verdict)
    .map(([old, now]) => ({ before: old.verdict, edge: now }));
  return {
    schemaVersion: 1,
    summary: {
      added: edges.added.length,
      removed: edges.removed.length,
      changed: changed.length,
      findingsAdded: findings.added.length,
      findingsRemoved: findings.removed.length,
    },
    added: edges.added,
    removed: edges.removed,
    changed,
    findings: { added: findings.added, removed: findings.removed },
  };
}

/** Whether the new side has something to stop for that the old one had not. */
export function addsFindings(diff: AuditDiff, strict: boolean): boolean {
  const stops = ({ verdict }: Edge) =>
    verdict === 'violation' || verdict === 'impossible' || (strict && verdict === 'undetermined');
  return (
    diff.added.some(stops) ||
    diff.changed.some(({ edge }) => stops(edge)) ||
    diff.findings.added.some(({ severity }) => severity === 'error')
  );
}

const placeKey = ({ region, account }: Place) => `${region}/${account}`;

/** Pairs up what is on both sides, each thing once. */
function matched<T>(before: readonly T[], after: readonly T[], keyOf: (one: T) => string) {
  const open = new Map<string, T[]>();
  for (const one of before) {
    const key = keyOf(one);
    const same = open.get(key);
    if (same === undefined) open.set(key, [one]);
    else same.push(one);
  }
  const kept: [T, T][] = [];
  const added: T[] = [];
  for (const one of after) {
    const old = open.get(keyOf(one))?.shift();
    if (old === undefined) added.push(one);
    else kept.push([old, one]);
  }
  const gone = new Set([...open.values()].flat());
  return { kept, added, removed: before.filter((one) => gone.has(one)) };
}
