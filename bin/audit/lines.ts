import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Finds the line on which a template declares a resource, for tools that show results in an editor. Only templates with
 * results are read again.
 */
export function lineFinder(paths: readonly string[]): (template: string, logicalId: string) => number | null {
  const linesOf = new Map<string, readonly string[]>();
  const read = (template: string): readonly string[] => {
    for (const candidate of [template, ...paths.map((path) => join(path, template))]) {
      try {
        if (statSync(candidate).isFile()) return readFileSync(candidate, 'utf8').split('\n');
      } catch {
        // Standard input, or a path relative to another of the paths given.
      }
    }
    return [];
  };
  return (template, logicalId) => {
    let lines = linesOf.get(template);
    if (lines === undefined) {
      lines = read(template);
      linesOf.set(template, lines);
    }
    const start = lines.findIndex((line) => /^\s*["']?Resources["']?\s*:/.test(line));
    const declares = (line: string) => {
      const text = line.trimStart().replace(/^["']/, '');
      return text.startsWith(logicalId) && /^["']?\s*:/.test(text.slice(logicalId.length));
    };
    const found = lines.findIndex((line, i) => i > start && declares(line));
    return found < 0 ? null : found + 1;
  };
}
