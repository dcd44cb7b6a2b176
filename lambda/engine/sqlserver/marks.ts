import { type Mark as EngineMark, parseMark } from '../mark.js';
import { isDerivedName, likePattern, quoteName } from './names.js';
import type { Session } from './session.js';

/**
 * Its note is an extended property. Whoever owns a database can write one on it, and only who may create databases can
 * give it a name of ours: so a copy counts only when note and name agree.
 */
export interface Mark extends EngineMark {
  /**
   * The journal of a swap that has begun: this database is about to become live. Two renames cannot be one transaction
   * here, so who finds this after a kill finishes the second one.
   */
  readonly swap?: { readonly undo: string | null };
}

const PROPERTY = "class = 0 AND name = N'sovereign-backup'";
const NAME = "@name = N'sovereign-backup'";

export async function readMark(session: Session, database: string): Promise<Mark | undefined> {
  const [found] = await session.query<{ mark: string | null }>(
    `SELECT CONVERT(nvarchar(3750), value) AS mark FROM ${quoteName(database)}.sys.extended_properties WHERE ${PROPERTY}`,
  );
  return parseMark<Mark>(found?.mark);
}

export async function writeMark(session: Session, database: string, mark: Mark): Promise<void> {
  const q = quoteName(database);
  await session.query(
    `IF EXISTS (SELECT 1 FROM ${q}.sys.extended_properties WHERE ${PROPERTY})
       EXEC ${q}.sys.sp_updateextendedproperty ${NAME}, @value = @mark
     ELSE EXEC ${q}.sys.sp_addextendedproperty ${NAME}, @value = @mark`,
    { mark: JSON.stringify(mark) },
  );
}

export async function clearMark(session: Session, database: string): Promise<void> {
  const q = quoteName(database);
  await session.query(
    `IF EXISTS (SELECT 1 FROM ${q}.sys.extended_properties WHERE ${PROPERTY})
       EXEC ${q}.sys.sp_dropextendedproperty ${NAME}`,
  );
}

export interface ListedDatabase {
  readonly name: string;
  readonly state: string;
  readonly access: string;
  /** 1 when the name is like the pattern. */
  readonly matches: number;
}

/** Databases that are neither the server's own nor database snapshots. */
export function userDatabases(session: Session, pattern = '%'): Promise<ListedDatabase[]> {
  return session.query<ListedDatabase>(
    `SELECT name, state_desc AS state, user_access_desc AS access,
            CASE WHEN name LIKE @pattern ESCAPE N'\\' THEN 1 ELSE 0 END AS matches
     FROM sys.databases
     WHERE database_id > 4 AND source_database_id IS NULL AND is_distributor = 0 AND name <> N'rdsadmin'`,
    { pattern: likePattern(pattern) },
  );
}

export async function isLike(session: Session, name: string, pattern: string): Promise<boolean> {
  const [row] = await session.query<{ matches: number }>(
    "SELECT CASE WHEN @name LIKE @pattern ESCAPE N'\\' THEN 1 ELSE 0 END AS matches",
    { name, pattern: likePattern(pattern) },
  );
  return row!.matches === 1;
}

export interface Derived extends ListedDatabase {
  readonly kind: 'restore' | 'undo';
  /** Absent when there is none that agrees with the name, or the database cannot be read. */
  readonly mark?: Mark;
}

const SHAPE = /__(restore|undo)_[0-9a-f_]+$/;

/** The databases whose names are of our making, with what is noted on them. */
export async function derivedDatabases(
  session: Session,
  listed: readonly ListedDatabase[],
): Promise<Derived[]> {
  const found: Derived[] = [];
  for (const database of listed) {
    const kind = SHAPE.exec(database.name)?.[1] as Derived['kind'] | undefined;
    if (!kind) continue;
    const mark = database.state === 'ONLINE' ? await readMark(session, database.name) : undefined;
    const agrees = mark?.kind === kind && isDerivedName(database.name, kind, mark.database);
    found.push({ ...database, kind, ...(agrees ? { mark } : {}) });
  }
  return found;
}

/** Those of one live database. */
export async function copiesOf(session: Session, database: string): Promise<Derived[]> {
  const all = await derivedDatabases(session, await userDatabases(session));
  return all.filter(({ name, kind }) => isDerivedName(name, kind, database));
}
