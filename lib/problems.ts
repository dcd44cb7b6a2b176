import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

const found = new WeakMap<IConstruct, string[]>();

/**
 * Reports something wrong with a declaration. Synthesis goes on, so that all problems of an app come together, and then
 * fails with each of them after the path of its construct.
 */
export function addProblem(scope: IConstruct, message: string): void {
  const known = found.get(scope);
  if (known) {
    if (!known.includes(message)) known.push(message);
    return;
  }
  const problems = [message];
  found.set(scope, problems);
  scope.node.addValidation({ validate: () => problems });
}

/** Tells of something that works and may still not be meant; `id` is what `Validations.acknowledge` takes. */
export function addWarning(scope: IConstruct, id: string, message: string): void {
  Validations.of(scope).addWarning(`cdk-sovereign-backup:${id}`, message);
}
