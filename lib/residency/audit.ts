import { createHash } from 'node:crypto';
import { CATALOGUE_VERSION, REGIMES } from '../regime/regime-table';
import { REGIONS } from '../regime/region-table';
import { Buckets } from './edge/buckets';
import { edgesOf, type Finder } from './edge/find';
import { GlobalClusters } from './edge/global';
import type { AuditOptions, TemplateInput } from './input';
import { findingsOf } from './judge/findings';
import { Judge } from './judge/judge';
import { Regimes } from './judge/regimes';
import type { AuditResult, Edge, Verdict } from './model';
import { type AuditPolicy, DEFAULT_POLICY } from './policy';
import { prepareInput } from './read/prepare';
import { buildStacks } from './resolve/build';
import { Exports } from './resolve/exports';
import { Resolver } from './resolve/resolver';
import type { Stack } from './resolve/stack';
import { movingRulesOf, PROPERTY_RULES } from './rules';

/**
 * Finds every edge along which the templates move data, and judges it by the policy. Reads nothing but its arguments:
 * the same arguments give the same result.
 */
export function audit(
  inputs: readonly TemplateInput[],
  policy: AuditPolicy = DEFAULT_POLICY,
  options: AuditOptions = { now: new Date() },
): AuditResult {
  const resolver = new Resolver();
  const prepared = inputs.map(prepareInput);
  const stacks = buildStacks(prepared, resolver);
  resolver.exports = new Exports(resolver, stacks);
  const regimes = new Regimes(policy);
  const judge = new Judge(policy, regimes, options.now);
  const finder: Finder = {
    resolver,
    buckets: new Buckets(resolver, stacks, policy.places.buckets),
    globals: new GlobalClusters(resolver, stacks, policy.places.globalClusters),
  };
  const edges: Edge[] = [];
  for (const stack of stacks) {
    for (const resource of stack.resources.ofTypes((type) => movingRulesOf(type) !== undefined)) {
      for (const raw of edgesOf(finder, stack, resource)) edges.push(judge.edge(raw));
    }
  }
  const found = findingsOf({ stacks, edges, policy, regimes, resolver, now: options.now });
  const findings = [...(options.notes ?? []), ...found];
  return {
    schemaVersion: 1,
    summary: { ...sizes(stacks), edges: edges.length, ...counted(edges) },
    edges,
    findings,
    catalogue: { version: CATALOGUE_VERSION, sha256: catalogueHash() },
    inputs: files(stacks),
  };
}

/** Whether a result is a reason to stop a pipeline: a violation, an error, and in strict mode anything undetermined. */
export function hasFindings(result: AuditResult, strict: boolean): boolean {
  const { violation, impossible, undetermined } = result.summary;
  if (violation > 0 || impossible > 0 || (strict && undetermined > 0)) return true;
  return result.findings.some(({ severity }) => severity === 'error');
}

function counted(edges: readonly Edge[]): Record<Verdict, number> {
  const counts: Record<Verdict, number> = {
    allowed: 0,
    excepted: 0,
    undetermined: 0,
    violation: 0,
    impossible: 0,
  };
  for (const { verdict } of edges) counts[verdict]++;
  return counts;
}

/** Templates and their resources, each template once however many stacks are made of it. */
function sizes(stacks: readonly Stack[]): { templates: number; resources: number } {
  const byPath = new Map<string, number>();
  for (const stack of stacks) byPath.set(stack.input.path, stack.resources.size);
  let resources = 0;
  for (const size of byPath.values()) resources += size;
  return { templates: byPath.size, resources };
}

function files(stacks: readonly Stack[]): AuditResult['inputs'] {
  const byPath = new Map<string, string>();
  for (const { input } of stacks) byPath.set(input.path, input.sha256);
  return [...byPath].map(([path, sha256]) => ({ path, sha256 }));
}

let hash: string | undefined;

/** Of everything that is not in the templates or the policy and yet decides a verdict. */
function catalogueHash(): string {
  hash ??= createHash('sha256')
    .update(JSON.stringify([REGIONS, REGIMES, PROPERTY_RULES]))
    .digest('hex');
  return hash;
}
