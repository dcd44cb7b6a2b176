import type { Cargo } from './model';

/** The policy file after validation: see schema/policy.schema.json. */
export interface AuditPolicy {
  /** Regimes that the policy redefines or adds, by id. */
  readonly regimes: Readonly<Record<string, PolicyRegime>>;
  /** Which regime an environment belongs to: keys are `account/region`, or a region alone. */
  readonly assign: Readonly<Record<string, string>>;
  readonly exceptions: readonly TransferException[];
  readonly places: {
    readonly buckets: Readonly<Record<string, string>>;
    /** The first region is the primary one. */
    readonly globalClusters: Readonly<Record<string, readonly string[]>>;
  };
  readonly soleRegion: Readonly<Record<string, SoleRegionAcceptance>>;
  /** What is asked of everything that is backed up; absent where nothing is. */
  readonly objectives?: PolicyObjectives;
}

/** Durations are written as `90m`, `2h`, `7d`. */
export interface PolicyObjectives {
  readonly maxDataLoss?: string;
  readonly retention?: string;
  readonly copies?: number;
  readonly immutable?: boolean;
  readonly restoreTest?: string;
  /** What need not keep them, by construct path, logical id or subject; `*` is any text. */
  readonly exempt?: readonly { readonly resource: string; readonly reason: string }[];
}

export interface PolicyRegime {
  readonly name?: string;
  readonly regions: readonly string[];
}

/** Permission for one direction of transfer, by a named instrument, until a day. */
export interface TransferException {
  readonly from: string;
  readonly to: string;
  readonly instrument: string;
  /** What may be moved; everything where absent. */
  readonly what?: readonly Cargo[];
  readonly approvedBy: string;
  /** Last day it counts, YYYY-MM-DD. */
  readonly expires: string;
  readonly conditions?: string;
}

/** Somebody's acceptance that a regime has no second region to copy to. */
export interface SoleRegionAcceptance {
  readonly acceptedBy: string;
  /** YYYY-MM-DD. */
  readonly reviewOn: string;
  readonly reason?: string;
}

/** The catalogue as it is: no regime changed, no exception, no place known beyond the templates. */
export const DEFAULT_POLICY: AuditPolicy = {
  regimes: {},
  assign: {},
  exceptions: [],
  places: { buckets: {}, globalClusters: {} },
  soleRegion: {},
};
