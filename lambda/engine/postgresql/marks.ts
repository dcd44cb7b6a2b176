import pg from 'pg';
import { isDerivedName } from './names.js';

/**
 * The note on a database that is ours. The owner of any database can write such a note on it, and only a role that may
 * create databases can give it a name of ours: so a copy counts only when note and name agree.
 */
export interface Mark {
  readonly tool: 'sovereign-backup';
  readonly kind: 'restore' | 'undo';
  readonly tenant: string;
  readonly database: string;
  /** Of a side copy: the time of its archive. Of an undo copy: when it was put aside. */
  readonly at: string;
  readonly archive?: string;
  /** The comment that the database had while it was live. */
  readonly comment?: string | null;
}

export function markOf(comment: string | null): Mark | undefined {
  if (!comment?.startsWith('{')) return undefined;
  try {
    const mark = JSON.parse(comment) as Mark;
    return mark.tool === 'sovereign-backup' && typeof mark.database === 'string' ? mark : undefined;
  } catch {
    return undefined;
  }
}

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
