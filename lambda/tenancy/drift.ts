import type { CatalogTable } from './catalog.js';
import type { ContainerTable } from './container.js';
import { nameOf } from './description.js';

/** What has become of a table since the archive was written, and what of it a restore can bear. */
export interface Drift {
  /** Columns of the archive that the live table has. */
  readonly kept: readonly string[];
  /** Columns of the archive that the live table no longer has: bearable only where they hold nothing. */
  readonly dropped: readonly string[];
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Whether the text of a value of one type always means the same value in another; one too long may still fail. */
export type Takes = (now: string, then: string) => boolean;

export function driftOf(archived: ContainerTable, live: CatalogTable, takes: Takes): Drift {
  const name = nameOf(archived);
  const problems: string[] = [];
  const warnings: string[] = [];
  const columns = new Map(live.columns.map((column) => [column.name, column]));
  const kept: string[] = [];
  const dropped: string[] = [];
  for (const { name: column, type } of archived.columns) {
    const now = columns.get(column);
    if (!now) dropped.push(column);
    else if (now.generated)
      problems.push(`${name}.${column} is computed now, and was written when the archive was made`);
    else {
      kept.push(column);
      if (!takes(now.type, type))
        problems.push(
          `${name}.${column} is ${now.type} now, and was ${type}: its values could mean something else`,
        );
      else if (now.type !== type) warnings.push(`${name}.${column} is ${now.type} now, and was ${type}`);
    }
  }
  const had = new Set(archived.columns.map((column) => column.name));
  for (const { name: column, nullable, generated, hasDefault } of live.columns) {
    if (had.has(column) || generated) continue;
    if (hasDefault || nullable)
      warnings.push(`${name}.${column} was added since, and gets ${hasDefault ? 'its default' : 'null'}`);
    else problems.push(`${name}.${column} was added since, cannot be null and has no default`);
  }
  return { kept, dropped, problems, warnings };
}
