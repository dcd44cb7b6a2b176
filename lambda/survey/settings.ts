/** What `BackupWatch` asks of the survey, as the constant input of its schedule. */
export interface SurveySettings {
  /** Dimension of all metrics. */
  readonly watch: string;
  readonly protections?: readonly Protection[];
  readonly jobs?: readonly JobWindow[];
  readonly copies?: Copies;
  readonly drills?: readonly DrillPlan[];
  readonly snapshots?: readonly SnapshotPolicy[];
}

/** Resources that a plan selects, and how old their newest recovery point may be. */
export interface Protection {
  /** For people: the plan's path. */
  readonly name: string;
  /** Where recovery points are made: the plan's vault, and air-gapped ones. */
  readonly vaults: readonly string[];
  /** All of them must be there. */
  readonly tags: Readonly<Record<string, string>>;
  /** One of them must be there. */
  readonly anyTags?: Readonly<Record<string, string>>;
  readonly conditions?: readonly TagTest[];
  /** ARNs, with asterisks. */
  readonly resources: readonly string[];
  readonly exclude: readonly string[];
  readonly maxAgeMinutes: number;
  /** How far behind continuous backup may be, where the plan has it. */
  readonly maxLagMinutes?: number;
}

/** A condition as a selection has it: `StringEquals`, `StringNotEquals`, `StringLike`, `StringNotLike`. */
export interface TagTest {
  readonly test: string;
  readonly key: string;
  readonly value: string;
}

/** How long the jobs of a plan may take, by rule. */
export interface JobWindow {
  readonly vault: string;
  readonly planId: string;
  readonly minutesByRule: Readonly<Record<string, number>>;
}

/** Copies have no window of their own at AWS. */
export interface Copies {
  readonly lateAfterMinutes: number;
  readonly destinations: readonly { readonly vaultArn: string; readonly withinMinutes: number }[];
}

export interface DrillPlan {
  readonly planArn: string;
  readonly withinMinutes: number;
  /** Whether a verdict is expected; without one a completed restore is all there is. */
  readonly judged: boolean;
}

/** A policy of Data Lifecycle Manager. */
export interface SnapshotPolicy {
  readonly policyId: string;
  /** Any of them is enough. */
  readonly tags: Readonly<Record<string, string>>;
  readonly maxAgeMinutes: number;
  readonly excludeBootVolume: boolean;
}

/** What one part of the survey has found. */
export interface Finding {
  readonly measures: Readonly<Record<string, number>>;
  /** One line of the log each: what is wrong, by name. */
  readonly troubles: readonly Trouble[];
}

export interface Trouble {
  /** A sentence without the names. */
  readonly message: string;
  readonly arn: string;
  readonly ageMinutes?: number;
  readonly where?: string;
}

export const minutesSince = (then: Date, now: Date) => (now.getTime() - then.getTime()) / 60_000;

export const minutesBefore = (now: Date, minutes: number) => new Date(now.getTime() - minutes * 60_000);
