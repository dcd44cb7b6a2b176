import type { Omission } from '../engine.js';
import type { Depth } from '../table-rows.js';
import { type Catalog, hasRows } from './catalog.js';
import { readColumns } from './columns.js';
import { type Connection, one, q } from './connect.js';

/** ER_PARSE_ERROR. */
const SYNTAX = 1064;

const WHY = (tool: string) =>
  `${tool} writes a FLOAT in six digits; make it DOUBLE where all of its digits count`;

/**
 * What a dump loses of FLOAT columns, in the session's snapshot: values that do not come back from six digits. Without
 * looking at contents, the columns are named, for nobody knows then what is in them.
 */
export async function lostDigits(
  client: Connection,
  request: {
    readonly database: string;
    readonly catalog: Pick<Catalog, 'tables'>;
    readonly history: boolean;
    readonly depth: Depth;
    readonly tool: string;
    readonly alive: () => void;
  },
): Promise<Omission[]> {
  const { database, catalog, history, depth, tool, alive } = request;
  const columns = await readColumns(client, database);
  const lost: Omission[] = [];
  for (const { name: table, versioned } of catalog.tables.filter(hasRows)) {
    const floats = (columns.get(table) ?? []).filter(({ type, generated }) => type === 'float' && !generated);
    if (floats.length === 0) continue;
    alive();
    const from = `${q(database, table)}${history && versioned ? ' for system_time all' : ''}`;
    const counts = depth === 'content' ? await countLost(client, from, floats) : undefined;
    for (const [index, { name }] of floats.entries()) {
      const values = counts?.[index];
      if (values === 0) continue;
      const where = values === undefined ? 'whatever values have more' : `in ${values} of its values`;
      lost.push({ what: `digits beyond the sixth of ${table}.${name}, ${where}`, why: WHY(tool) });
    }
  }
  return lost;
}

/** Of each column how many; undefined where the server cannot tell (MySQL before 8.0.17). */
async function countLost(
  client: Connection,
  from: string,
  floats: readonly { readonly name: string }[],
): Promise<number[] | undefined> {
  const sums = floats.map(({ name }, index) => {
    const value = q(name);
    return `ifnull(sum(${value} <> cast(cast(${value} as char) as float)), 0) as ${q(`n${index}`)}`;
  });
  await client.query('savepoint counting');
  const found = await one<Record<string, string | number>>(
    client,
    `select ${sums.join(', ')} from ${from}`,
  ).catch((error) => {
    if ((error as { errno?: number }).errno === SYNTAX) return undefined;
    throw error;
  });
  await client.query('rollback to savepoint counting');
  return found && floats.map((_, index) => Number(found[`n${index}`]));
}
