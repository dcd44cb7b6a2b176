/** Resources that need each other in a circle: CloudFormation refuses them, and so a template with them proves nothing. */
import { has, isObject, own, type PlainObject } from '../resolve/stack';
import { spend } from './budget';

const MAX_DEPTH = 1000;

/** One circle for each group of resources that are in one. */
export function circlesIn(
  resources: PlainObject,
  budget: { nodes: number },
  path: string,
): readonly (readonly string[])[] {
  const needs = new Map<string, readonly string[]>();
  for (const logicalId of Object.keys(resources)) {
    const resource = resources[logicalId];
    // A condition may leave out one of the two: only what always exists can be said to be a circle.
    if (!isObject(resource) || own(resource, 'Condition') !== undefined) continue;
    const named = new Set<string>();
    collect(own(resource, 'Properties'), named, budget, path, 0);
    const dependsOn = own(resource, 'DependsOn');
    for (const name of Array.isArray(dependsOn) ? dependsOn : [dependsOn]) {
      if (typeof name === 'string') named.add(name);
    }
    needs.set(
      logicalId,
      [...named].filter((name) => has(resources, name)),
    );
  }
  return circles(needs);
}

/** Names that an expression refers to, leaving out what stands in a branch. */
function collect(
  node: unknown,
  named: Set<string>,
  budget: { nodes: number },
  path: string,
  depth: number,
): void {
  if (typeof node !== 'object' || node === null) return;
  spend(budget, path);
  if (depth > MAX_DEPTH) return;
  if (Array.isArray(node)) {
    for (const element of node) collect(element, named, budget, path, depth + 1);
    return;
  }
  const object = node as PlainObject;
  for (const key in object) {
    const value = object[key];
    if (key === 'Fn::If') continue;
    if (key === 'Ref' && typeof value === 'string') named.add(value);
    else if (key === 'Fn::GetAtt') {
      const target = Array.isArray(value) ? value[0] : value;
      if (typeof target === 'string') named.add(target.split('.')[0]!);
    } else if (key === 'Fn::Sub') {
      const text = Array.isArray(value) ? value[0] : value;
      const given = Array.isArray(value) && isObject(value[1]) ? value[1] : {};
      if (typeof text === 'string') {
        for (const match of text.matchAll(/\$\{([^!}][^}]*)\}/g)) {
          const name = match[1]!.trim();
          if (own(given, name) === undefined) named.add(name.split('.')[0]!);
        }
      }
      collect(given, named, budget, path, depth + 1);
    } else collect(value, named, budget, path, depth + 1);
  }
}

/** Depth-first, without recursion: a chain may be as long as the template. */
function circles(needs: ReadonlyMap<string, readonly string[]>): string[][] {
  const done = new Set<string>();
  const found: string[][] = [];
  for (const start of needs.keys()) {
    if (done.has(start)) continue;
    const trail: { id: string; next: number }[] = [{ id: start, next: 0 }];
    const onTrail = new Set([start]);
    while (trail.length > 0) {
      const top = trail[trail.length - 1]!;
      const following = needs.get(top.id) ?? [];
      if (top.next >= following.length) {
        done.add(top.id);
        onTrail.delete(top.id);
        trail.pop();
        continue;
      }
      const id = following[top.next++]!;
      if (onTrail.has(id)) {
        const from = trail.findIndex((step) => step.id === id);
        found.push(trail.slice(from).map((step) => step.id));
      } else if (!done.has(id) && needs.has(id)) {
        trail.push({ id, next: 0 });
        onTrail.add(id);
      }
    }
    if (found.length >= 20) break;
  }
  return found;
}
