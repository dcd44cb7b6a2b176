import type { Duration } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { DeclarationError } from './errors';
import { addProblem } from './problems';

const WHY = 'is known only at deployment, and what is promised with it is checked before: write it out';

/** A duration that must be known at synthesis; one that is not is reported, and the default stands for it meanwhile. */
export function settled(
  scope: IConstruct,
  what: string,
  given: Duration | undefined,
  fallback: Duration,
): Duration {
  if (!given?.isUnresolved()) return given ?? fallback;
  addProblem(scope, `${what} ${WHY}`);
  return fallback;
}

/**
 * The same for what is declared outside of any construct.
 *
 * @throws DeclarationError when one of them is a token
 */
export function assertSettled(
  where: string,
  durations: { readonly [what: string]: Duration | undefined },
): void {
  for (const [what, duration] of Object.entries(durations)) {
    if (duration?.isUnresolved()) throw new DeclarationError(`${where}: ${what} ${WHY}`);
  }
}
