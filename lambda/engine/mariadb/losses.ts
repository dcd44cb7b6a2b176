import type { Omission } from '../engine.js';
import { hasRows } from './catalog.js';
import { dumpedSql } from './checksums.js';
import { type Column, readColumns } from './columns.js';
import { type Connection, one, q } from './connect.js';
import type { Counting } from './counts.js';

/** ER_PARSE_ERROR. */
const SYNTAX = 1064;

/** What a column may lose in a dump. */
interface Loss {
  readonly what: string;
  readonly why: string;
  /** SQL: whether a value does. */
  readonly if: string;
}

function lossOf(column: Column, all: readonly Column[], tool: string): Loss | undefined {
  const { type, lossy, kept } = column;
  const name = q(column.name);
  if (kept !== undefined && inSomeZone(kept, all))
    // Our session is in UTC, too.
    return { what: ZONED, why: whyZoned('UTC'), if: `not (${name} <=> (${kept}))` };
  if (column.generated) return undefined;
  if (type === 'float')
    return {
      what: 'digits beyond the sixth',
      why: `${tool} writes a FLOAT in six digits; make it DOUBLE where all of its digits count`,
      if: `${name} <> cast(cast(${name} as char) as float)`,
    };
  if (lossy !== undefined)
    return {
      what: 'some characters',
      why: `${tool} writes text in UTF-8, from which not all of ${lossy} comes back as it was; make it utf8mb4 where each character counts`,
      if: `cast(${name} as binary) <> cast(${dumpedSql(column)} as binary)`,
    };
  return undefined;
}

const ZONED = 'the stored values';

const whyZoned = (zone: string) =>
  `a restore computes them anew, in ${zone}, and they were computed in the time zone of whoever wrote them; make the column VIRTUAL, or compute it of a DATETIME`;

/** The same of tables of which only some rows are dumped: whether there is such a value is not looked at. */
export async function zonedIn(
  client: Connection,
  database: string,
  tables: readonly string[],
): Promise<Omission[]> {
  const columns = await readColumns(client, database);
  return tables.flatMap((table) => {
    const all = columns.get(table) ?? [];
    return all
      .filter(({ kept }) => kept !== undefined && inSomeZone(kept, all))
      .map(({ name }) => ({
        what: `${ZONED} of ${table}.${name}, where they differ`,
        why: whyZoned('the time zone of the server'),
      }));
  });
}

/** Whether what is computed may depend on the session's time zone. */
function inSomeZone(expression: string, columns: readonly Column[]): boolean {
  return (
    /\b(from_unixtime|unix_timestamp)\b/i.test(expression) ||
    columns.some(({ name, type }) => type === 'timestamp' && expression.includes(q(name)))
  );
}

/**
 * What a dump loses of columns, in the session's snapshot: one is named where some value does not come back, at the first of
 * which the server stops looking. Where contents are not looked at, each may lose some.
 */
export async function losses(
  client: Connection,
  request: Counting & { readonly tool: string },
): Promise<Omission[]> {
  const { database, catalog, history, depth, tool, alive } = request;
  const columns = await readColumns(client, database);
  const lost: Omission[] = [];
  for (const { name: table, versioned } of catalog.tables.filter(hasRows)) {
    const from = `${q(database, table)}${history && versioned ? ' for system_time all' : ''}`;
    const all = columns.get(table) ?? [];
    for (const column of all) {
      const loss = lossOf(column, all, tool);
      if (!loss) continue;
      alive();
      const found = depth === 'content' ? await isThere(client, from, loss.if) : undefined;
      if (found === false) continue;
      const where = found ? '' : ', where it has any';
      lost.push({ what: `${loss.what} of ${table}.${column.name}${where}`, why: loss.why });
    }
  }
  return lost;
}

/** Undefined where the server cannot tell (MySQL before 8.0.17 casts to no FLOAT). */
async function isThere(client: Connection, from: string, where: string): Promise<boolean | undefined> {
  await client.query('savepoint counting');
  const found = await one<{ lost: string | number }>(
    client,
    `select exists (select 1 from ${from} where ${where}) as lost`,
  ).catch((error) => {
    if ((error as { errno?: number }).errno === SYNTAX) return undefined;
    throw error;
  });
  await client.query('rollback to savepoint counting');
  return found && Number(found.lost) === 1;
}
