import type { Drill, Layer } from '../worst-case';
import type { Target } from './selections';

/** Something protected, or in need of it, before it is judged. */
export interface Row {
  readonly target: Target;
  readonly subject: string;
  readonly logicalId: string;
  readonly constructPath: string | null;
  readonly layers: readonly Layer[];
  readonly undetermined: readonly string[];
  /** Written down by a construct; absent where the templates' restore testing plans tell. */
  readonly drill?: Drill | null;
  /** Written down by a construct that has an objective of its own: what an estate promises is not about it. */
  readonly apart?: true;
}
