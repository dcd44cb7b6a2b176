import type { Assessment, Objective } from '../assessment';
import type { Layer, WorstCase } from '../worst-case';

/** A layer with its sum worked out. */
export interface LayerResult extends Pick<Layer, 'name' | 'retentionDays'> {
  readonly loss: WorstCase;
}

/** One resource of the templates, or the resources that a selection takes by type and tag wherever they are declared. */
export interface ResourceResult extends Assessment {
  /** For people: a construct's path, or `EC2 tagged env=prod`. */
  readonly subject: string;
  /** As AWS Backup names it; null for a selection of every type. */
  readonly type: string | null;
  readonly template: string;
  readonly stack: string | null;
  readonly logicalId: string;
  readonly constructPath: string | null;
  readonly region: string | null;
  readonly account: string | null;
  readonly regime: string | null;
  readonly layers: readonly LayerResult[];
  /** What was promised for it, and by whom. */
  readonly objective: Objective | null;
  readonly statedBy: 'options' | 'policy' | 'template' | null;
  /** How the objective is missed, a sentence with the arithmetic for each part. */
  readonly missed: readonly string[];
  /** What could not be determined; the figures are then of what is known. */
  readonly undetermined: readonly string[];
  /** Why the policy lets it go without an objective; null where it does not. */
  readonly exempt: string | null;
}

export interface ObjectivesResult {
  readonly schemaVersion: 1;
  readonly summary: {
    readonly resources: number;
    readonly missed: number;
    readonly undetermined: number;
    /** Resources that nothing backs up. */
    readonly unprotected: number;
    readonly exempt: number;
  };
  readonly resources: readonly ResourceResult[];
  readonly inputs: readonly { readonly path: string; readonly sha256: string }[];
}

/** What is asked of every resource, over what the templates say themselves. */
export interface StatedObjective {
  readonly objective: Objective;
  readonly by: 'options' | 'policy';
}

/** Resources that need not keep the objective, by construct path or logical id; `*` is any text. */
export interface Exemption {
  readonly resource: string;
  readonly reason: string;
}
