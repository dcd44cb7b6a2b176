import type pg from 'pg';
import type { DatabaseProperties } from './properties.js';

/** Which of the tablespaces that the archive and the live database use can be used here; the others are told. */
export async function checkTablespaces(
  client: pg.Client,
  model: DatabaseProperties,
  archived: Readonly<Record<string, unknown>>,
): Promise<{ ofDatabase?: string; noTablespaces: boolean; warnings: string[] }> {
  const own = Array.isArray(archived.tablespaces) ? (archived.tablespaces as string[]) : [];
  // Where everything is by itself; to name it takes a right that not to name it does not.
  const { tablespace } = model;
  const ofDatabase = tablespace === 'pg_default' ? undefined : tablespace;
  const wanted = [...new Set([...own, ...(ofDatabase ? [ofDatabase] : [])])];
  const { rows } = await client.query<{ name: string }>(
    `select spcname as name from pg_tablespace
     where spcname = any ($1) and has_tablespace_privilege(oid, 'create')`,
    [wanted],
  );
  const usable = new Set(rows.map(({ name }) => name));
  const missing = wanted.filter((name) => !usable.has(name));
  return {
    ...(ofDatabase && usable.has(ofDatabase) ? { ofDatabase } : {}),
    noTablespaces: own.some((name) => !usable.has(name)),
    warnings: missing.map(
      (name) =>
        `tablespace ${JSON.stringify(name)} is not there or may not be used; what lay in it lies in the default one now`,
    ),
  };
}
