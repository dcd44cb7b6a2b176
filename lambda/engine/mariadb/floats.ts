import type { Omission } from '../engine.js';
import { hasRows } from './catalog.js';
import { readColumns } from './columns.js';
import { type Connection, one, q } from './connect.js';
import type { Counting } from './counts.js';

/** ER_PARSE_ERROR. */
const SYNTAX = 1064;

const WHY = (tool: string) =>
  `${tool} writes a FLOAT in six digits; make it DOUBLE where all of its digits count`;

/**
 * What a dump loses of FLOAT columns, in the session's snapshot: a column is named where some value does not come back
 * from six digits, at the first of which the server stops looking. Where contents are not looked at, each may lose some.
 */
export async function lostDigits(
  client: Connection,
  request: Counting & { readonly tool: string },
): Promise<Omission[]> {
  const { database, catalog, history, depth, tool, alive } = request;
  const columns = await readColumns(client, database);
  const lost: Omission[] = [];
  for (const { name: table, versioned } of catalog.tables.filter(hasRows)) {
    const from = `${q(database, table)}${history && versioned ? ' for system_time all' : ''}`;
    for (const { name, type, generated } of columns.get(table) ?? []) {
      if (type !== 'float' || generated) continue;
      alive();
      const loses = depth === 'content' ? await losesDigits(client, from, q(name)) : undefined;
      if (loses === false) continue;
      const where = loses ? '' : ', where it has any';
      lost.push({ what: `digits beyond the sixth of ${table}.${name}${where}`, why: WHY(tool) });
    }
  }
  return lost;
}

/** Undefined where the server cannot tell (MySQL before 8.0.17). */
async function losesDigits(client: Connection, from: string, value: string): Promise<boolean | undefined> {
  await client.query('savepoint counting');
  const found = await one<{ lost: string | number }>(
    client,
    `select exists (select 1 from ${from} where ${value} <> cast(cast(${value} as char) as float)) as lost`,
  ).catch((error) => {
    if ((error as { errno?: number }).errno === SYNTAX) return undefined;
    throw error;
  });
  await client.query('rollback to savepoint counting');
  return found && Number(found.lost) === 1;
}
