import pg from 'pg';
import { type Mark, markOf } from '../marks.js';
import { isDerivedName } from '../names.js';

/** As `commentSql`, of a schema. */
export function schemaComment(name: string, comment: string | null): string {
  const value = comment === null ? 'null' : pg.escapeLiteral(comment);
  return `comment on schema ${pg.escapeIdentifier(name)} is ${value}`;
}

/** The schemas that carry a mark of the kind for this live schema. */
export async function markedSchemas(client: pg.Client, kind: Mark['kind'], schema: string) {
  const { rows } = await client.query<{ name: string; comment: string | null }>(
    `select nspname as name, obj_description(oid, 'pg_namespace') as comment from pg_namespace order by nspname`,
  );
  return rows.flatMap(({ name, comment }) => {
    const mark = markOf(comment);
    const ours = mark?.kind === kind && mark.database === schema && isDerivedName(name, kind, schema);
    return ours ? [{ name, mark }] : [];
  });
}

/** Undefined where there is none; else its comment. */
export async function schemaOf(
  client: pg.Client,
  name: string,
): Promise<{ comment: string | null } | undefined> {
  const { rows } = await client.query<{ comment: string | null }>(
    `select obj_description(oid, 'pg_namespace') as comment from pg_namespace where nspname = $1`,
    [name],
  );
  return rows[0];
}
