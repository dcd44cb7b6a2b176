import type { Omission } from '../engine.js';
import type { Catalog } from './catalog.js';
import { type Connection, rows } from './connect.js';

interface Found {
  readonly db: string;
  readonly name: string;
}

const KEYS = `select distinct table_schema as db, concat(table_name, '.', index_name) as name
  from information_schema.statistics where table_schema = ? and comment = 'disabled' order by name`;
const HISTOGRAMS = `select schema_name as db, concat(table_name, '.', column_name) as name
  from information_schema.column_statistics where schema_name = ? order by name`;
/** MariaDB's own, which the tool writes for a whole server only. */
const STATISTICS = `select db_name as db, table_name as name from mysql.table_stats where db_name = ?
  union select db_name, table_name from mysql.index_stats where db_name = ?
  union select db_name, table_name from mysql.column_stats where db_name = ? order by name`;
/** ER_TABLEACCESS_DENIED_ERROR, ER_NO_SUCH_TABLE. */
const HIDDEN = [1142, 1146];
const NAMED = 10;
/** What SHOW CREATE writes with a backslash, which is a backslash and nothing more in this mode. */
const COMMENTS = `select * from (
    select routine_schema as db, concat(lower(routine_type), ' ', routine_name) as name, sql_mode as mode, routine_comment as said
      from information_schema.routines where routine_schema = ?
    union all select event_schema, concat('event ', event_name), sql_mode, event_comment
      from information_schema.events where event_schema = ?) as programs
  where mode like '%NO_BACKSLASH_ESCAPES%' and (locate(char(92), said) > 0 or locate(char(10), said) > 0 or locate(char(13), said) > 0)
  order by name`;

/** What a database has beside its rows that the tools do not write, or not so that it comes back. */
export async function unwritten(
  client: Connection,
  database: string,
  { tables }: Catalog,
  { mariadb }: { readonly mariadb: boolean },
): Promise<Omission[]> {
  const find = async (sql: string): Promise<string[]> => {
    const values = Array(sql.split('?').length - 1).fill(database);
    const found = await rows<Found>(client, sql, values);
    // The server takes some names for the same that differ in case.
    return found.filter(({ db }) => db === database).map(({ name }) => name);
  };
  const lacking = async (sql: string, what: string, why: string): Promise<Omission[]> =>
    (await find(sql)).map((name) => ({ what: `${what} ${name}`, why }));
  const keys = tables.some(({ engine }) => ['myisam', 'aria'].includes((engine ?? '').toLowerCase()));
  return [
    ...(keys
      ? await lacking(KEYS, 'that keys are disabled:', 'the tool does not write it; a restore enables them')
      : []),
    ...(mariadb
      ? statisticsOf(await find(STATISTICS).catch(noneWhereHidden))
      : await lacking(
          HISTOGRAMS,
          'the histogram of',
          'mysqldump does not write it; ANALYZE TABLE makes it anew',
        )),
    ...(await lacking(
      COMMENTS,
      'the exact comment of',
      'its backslashes and ends of lines are written with a backslash more, which NO_BACKSLASH_ESCAPES in its sql_mode keeps; make it anew in another mode where the comment counts',
    )),
  ];
}

/** In one, for an ANALYZE may have made them for thousands of tables. */
function statisticsOf(tables: readonly string[]): Omission[] {
  if (tables.length === 0) return [];
  const more = tables.length > NAMED ? ` and ${tables.length - NAMED} more` : '';
  return [
    {
      what: `statistics and histograms (ANALYZE TABLE … PERSISTENT) of ${tables.slice(0, NAMED).join(', ')}${more}`,
      why: 'the tool writes them for a whole server only; the same ANALYZE TABLE makes them anew',
    },
  ];
}

/** Of a user who has rights on the own database alone; what the planner knew is no data that could be lost. */
function noneWhereHidden(error: unknown): string[] {
  if (HIDDEN.includes((error as { errno?: number }).errno ?? 0)) return [];
  throw error;
}
