/** The vocabulary of the audit: what docs/audit.md promises to others. Pure values, no construct. */

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
  /** The country of a place outside AWS, by ISO 3166, as its owner declared it; absent for places in AWS. */
  readonly country?: string;
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

/** A property that is read together with another, and how its value names a place. */
export interface PropertyClue {
  /** From the root of the properties; where it shares a `[]` with the row's own path, the same element is meant. */
  readonly path: string;
  readonly form: PropertyForm;
}

/**
 * One property of a CloudFormation resource type that could carry a region, an account or a destination, and what a
 * person decided about it. The rows are in data/properties.json; docs/data-moving-properties.md says how to decide one.
 */
export interface PropertyRule {
  readonly type: string;
  /** Dotted; `[]` is each element of a list, `{}` each value of a map. A value that is a list counts element by element. */
  readonly path: string;
  readonly class: 'moves-data' | 'names-region' | 'not-relevant';
  /** Why, in one line. */
  readonly reason: string;
  /** The rest only for `moves-data`. */
  readonly what?: Cargo;
  /** How to get from the value to a place. */
  readonly form?: PropertyForm;
  /** Which end of the edge the property names; the other end is the stack's own place. Default `to`. */
  readonly end?: 'to' | 'from';
  /** The other end of the edge, where a property names it too; where that one is absent, the stack's own place. */
  readonly other?: PropertyClue;
  /**
   * Properties that say more about the place at this row's end (the account next to a region, the key of a bucket
   * whose name has no region). They fill in what the value itself leaves open and never overrule it.
   */
  readonly also?: readonly PropertyClue[];
  /**
   * The row counts only when this property of the same resource has one of these values (or any value at all).
   * Letter case does not matter; `true` also matches `'true'`; a value that cannot be resolved counts as one of them.
   * Same `[]` rule as for clues.
   */
  readonly when?: { readonly path: string; readonly in?: readonly (string | boolean)[] };
  /** The row is silent when one of these has one of the values (or any): another row tells more, or it is switched off. */
  readonly unless?: readonly { readonly path: string; readonly in?: readonly (string | boolean)[] }[];
  /**
   * AWS takes only something in the stack's own region here, so a value nobody can resolve is no edge; a region or
   * account that is known to differ still is. Without it, such a value makes an `undetermined` edge.
   */
  readonly assumeOwn?: true;
}

/**
 * How a value names a place.
 * - `region`: a region name; `*`, `all` and the like mean any region (unknown); an ARN counts by its region field.
 * - `az`: an availability zone, the region and a letter. A zone id (`use1-az1`) is unknown.
 * - `arn`: an ARN. A value that is no ARN is a name or id in the stack's own place. An S3 ARN is a `bucket`.
 * - `account`: an account id; the region is the stack's own unless `also` says otherwise.
 * - `bucket`: a bucket's name or ARN, an access point's ARN; the name carries no region: join or policy map.
 * - `s3-uri`: `s3://bucket/key`, a virtual-hosted or path-style S3 URL, or a bare bucket name.
 * - `kms-key`: a key ARN or alias ARN; an id or an alias name is in the stack's own place.
 * - `global-id`: an identifier shared by the members of a global cluster: join across the templates or policy map. A
 *   member in the same stack as the declaration of the global cluster is its primary: no edge of its own.
 * - `host`: a host name or URL. An AWS endpoint carries its region; anything else is a place outside AWS (unknown).
 *   A value that is an ARN counts as `arn`.
 * - `switch`: `true` (or a value of `when`) makes every region the other end: region unknown, account the own one.
 * - `account-switch`: the same for every account of the organisation: region the own one, account unknown.
 * - `model`: a Bedrock model or inference profile. A geographic or global profile (`eu.`, `us.`, `apac.`, `global.` …
 *   before the provider's name, also as the last part of an `inference-profile/` ARN) runs in regions unknown;
 *   everything else counts as `arn`.
 * - `policy`: a JSON document (object or text) whose copy targets are read by what it says: `copy_actions` of an
 *   Organizations backup policy (keys are vault ARNs), `DestinationArn` of a Logs subscription filter policy.
 * - `sdk-call`: the JSON text of an AWS SDK call of the CDK's `AwsCustomResource`.
 * - `external-stores`: the JSON text by which our worker is told of stores at other providers; `country` in the query
 *   of each `url` is the place, outside AWS.
 * - `pipeline`: the YAML text of an OpenSearch Ingestion pipeline: `region` and `bucket` of its sinks.
 */
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
  | 'account-switch'
  | 'model'
  | 'policy'
  | 'sdk-call'
  | 'external-stores'
  | 'pipeline';
