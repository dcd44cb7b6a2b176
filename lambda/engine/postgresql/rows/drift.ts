import type { CatalogTable } from '../../../tenancy/catalog.js';
import type { ContainerTable } from '../../../tenancy/container.js';
import { nameOf } from '../../../tenancy/description.js';

/** What has become of a table since the archive was written, and what of it a restore can bear. */
export interface Drift {
  /** Columns of the archive that the live table has. */
  readonly kept: readonly string[];
  /** Columns of the archive that the live table no longer has: bearable only where they hold nothing. */
  readonly dropped: readonly string[];
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

export function driftOf(archived: ContainerTable, live: CatalogTable): Drift {
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

const WHOLE = ['smallint', 'integer', 'bigint', 'numeric'];
const TEXT = ['character varying', 'text'];

/** Whether the text of a value of one type always means the same value in the other; a value too long still fails. */
function takes(now: string, then: string): boolean {
  if (now === then) return true;
  const base = (type: string) => type.replace(/\(\d+(,-?\d+)?\)/, '');
  const from = base(then);
  const to = base(now);
  if (TEXT.includes(from) && TEXT.includes(to)) return true;
  if (from === to) return now === to;
  const [small, large] = [WHOLE.indexOf(from), WHOLE.indexOf(to)];
  return small >= 0 && small < large && now === to && then === from;
}
