import pg from 'pg';
import { type Mark as EngineMark, parseMark } from '../mark.js';
import { isDerivedName } from './names.js';

/**
 * Its note is the database's comment. The owner of any database can write one on it, and only a role that may create
 * databases can give it a name of ours: so a copy counts only when note and name agree.
 */
export interface Mark extends EngineMark {
  /** The comment that the database had while it was live. */
  readonly comment?: string | null;
}

export const markOf = (comment: string | null): Mark | undefined => parseMark<Mark>(comment);

export function commentSql(name: string, comment: string | null): string {
  const value = comment === null ? 'null' : pg.escapeLiteral(comment);
  return `comment on database ${pg.escapeIdentifier(name)} is ${value}`;
}

/** The databases that carry a mark of the kind for this live database. */
export async function markedDatabases(client: pg.Client, kind: Mark['kind'], database: string) {
  const { rows } = await client.query<{ name: string; comment: string | null }>(
    `select datname as name, shobj_description(oid, 'pg_database') as comment from pg_database order by datname`,
  );
  return rows.flatMap(({ name, comment }) => {
    const mark = markOf(comment);
    const ours = mark?.kind === kind && mark.database === database && isDerivedName(name, kind, database);
    return ours ? [{ name, mark }] : [];
  });
}

export async function databaseExists(client: pg.Client, name: string): Promise<boolean> {
  return ((await client.query('select from pg_database where datname = $1', [name])).rowCount ?? 0) > 0;
}
