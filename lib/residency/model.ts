/** The vocabulary of the audit: what docs/audit-format.md promises to others. Pure values, no construct. */

/** The kinds of thing that travel along an edge. */
export type Cargo =
  | 'backup'
  | 'snapshot'
  | 'replica'
  | 'key'
  | 'secret'
  | 'image'
  | 'log'
  | 'event'
  | 'metadata'
  | 'object';

export type Verdict = 'allowed' | 'excepted' | 'undetermined' | 'violation' | 'impossible';

/** One end of an edge. `null` is a value nobody could determine from the inputs. */
export interface Place {
  readonly region: string | null;
  readonly account: string | null;
  readonly partition: string | null;
  readonly regime: string | null;
}

/** Where in which input something was found. */
export interface Locus {
  readonly template: string;
  readonly stack: string | null;
  readonly logicalId: string;
  readonly constructPath: string | null;
  readonly resourceType: string;
  readonly propertyPath: string;
}

export interface Edge extends Locus {
  readonly verdict: Verdict;
  /** Stable id of the rule that gave the verdict. */
  readonly rule: string;
  readonly what: Cargo;
  readonly from: Place;
  readonly to: Place;
  readonly message: string;
}

export type Severity = 'error' | 'warning' | 'note';

/** Something worth saying that is not an edge: copies too close, a key that could be replicated, a type not assessed. */
export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  readonly template: string | null;
  readonly logicalId: string | null;
  readonly message: string;
}

export interface AuditResult {
  readonly schemaVersion: 1;
  readonly summary: {
    readonly templates: number;
    readonly resources: number;
    readonly edges: number;
  } & Readonly<Record<Verdict, number>>;
  readonly edges: readonly Edge[];
  readonly findings: readonly Finding[];
  readonly catalogue: { readonly version: string; readonly sha256: string };
  readonly inputs: readonly { readonly path: string; readonly sha256: string }[];
}

/**
 * One property of a CloudFormation resource type that could carry a region, an account or a destination, and what a
 * person decided about it. The rows are in data/properties.json.
 */
export interface PropertyRule {
  readonly type: string;
  /** Dotted; `[]` is each element of a list, `{}` each value of a map. */
  readonly path: string;
  readonly class: 'moves-data' | 'names-region' | 'not-relevant';
  /** Why, in one line. */
  readonly reason: string;
  /** The rest only for `moves-data`. */
  readonly what?: Cargo;
  /** How to get from the value to a place. */
  readonly form?: PropertyForm;
  /** Which end of the edge the property names; the other end is the stack's own region. Default `to`. */
  readonly end?: 'to' | 'from';
  /** The row counts only when this property of the same resource has one of these values (or any value at all). */
  readonly when?: { readonly path: string; readonly in?: readonly (string | boolean)[] };
}

export type PropertyForm =
  | 'region'
  | 'az'
  | 'arn'
  | 'account'
  | 'bucket'
  | 's3-uri'
  | 'kms-key'
  | 'global-id'
  | 'host'
  | 'switch'
  | 'policy';
