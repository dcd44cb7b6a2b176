/** How much a template may unfold to. */
import { InputError } from '../input';
import type { PlainObject } from '../resolve/stack';

/** More nodes than this per character of text can only come from YAML aliases that multiply each other. */
const FREE_NODES = 500_000;

const MAX_LEVELS = 1000;

/**
 * Walks a document that may use aliases, so that one made to multiply in memory ends here.
 *
 * @throws InputError where it unfolds to more than its text can hold, or holds itself
 */
export function checkSize(node: unknown, path: string, budget: { nodes: number }, depth = 0): void {
  if (typeof node !== 'object' || node === null) return;
  spend(budget, path);
  if (depth > MAX_LEVELS) {
    throw new InputError(`${path}: is nested more than ${MAX_LEVELS} levels deep, or an alias holds itself`);
  }
  if (Array.isArray(node)) {
    for (const element of node) checkSize(element, path, budget, depth + 1);
    return;
  }
  for (const key in node) checkSize((node as PlainObject)[key], path, budget, depth + 1);
}

export function budgetFor(characters: number): { nodes: number } {
  return { nodes: Math.max(FREE_NODES, characters) };
}

/** Takes nodes from a document's budget. */
export function spend(budget: { nodes: number }, path: string): void {
  budget.nodes -= 1;
  if (budget.nodes < 0) {
    throw new InputError(
      `${path}: the template unfolds to more than its text can hold (aliases or loops that multiply each other); ` +
        'write the repeated parts out',
    );
  }
}
