import type { ObjectivesResult } from '../../lib/objective/templates/model.js';
import { findRegime } from '../../lib/regime/lookup.js';

/** What the report prints beyond the audit's result: what was promised, and what made the report. */
export interface ReportContext {
  readonly toolVersion: string;
  readonly policy: ReportPolicy;
  /** The policy file, or null when the default catalogue was applied alone. */
  readonly policyFile: { readonly path: string; readonly sha256: string } | null;
  /** What the templates' backups add up to; absent leaves the section out. */
  readonly objectives?: ObjectivesResult;
  /** The day as of which exceptions were judged, YYYY-MM-DD. */
  readonly asOf: string;
  /** YYYY-MM-DD, from SOURCE_DATE_EPOCH; null leaves it out. */
  readonly generatedOn: string | null;
}

/** As much of the policy file as the report prints. */
export interface ReportPolicy {
  readonly regimes: Readonly<Record<string, { readonly name?: string; readonly regions: readonly string[] }>>;
  readonly exceptions: readonly ReportException[];
  readonly soleRegion: Readonly<
    Record<string, { readonly acceptedBy: string; readonly reviewOn: string; readonly reason?: string }>
  >;
}

export interface ReportException {
  readonly from: string;
  readonly to: string;
  readonly instrument: string;
  /** Everything where absent. */
  readonly what?: readonly string[];
  readonly approvedBy: string;
  /** Last day it counts, YYYY-MM-DD. */
  readonly expires: string;
  readonly conditions?: string;
}

export interface ReportRegime {
  readonly id: string;
  readonly name: string | null;
  readonly law: string | null;
  readonly regions: readonly string[];
  /** Whether the policy file defines or changes it. */
  readonly fromPolicy: boolean;
}

/** A regime as the audit applied it: the policy's, else the catalogue's. */
export function regimeOf(id: string, policy: ReportPolicy): ReportRegime {
  const own = Object.hasOwn(policy.regimes, id) ? policy.regimes[id] : undefined;
  const known = findRegime(id);
  return {
    id,
    name: own?.name ?? known?.name ?? null,
    law: known?.law ?? null,
    regions: own?.regions ?? known?.regions ?? [],
    fromPolicy: own !== undefined,
  };
}
