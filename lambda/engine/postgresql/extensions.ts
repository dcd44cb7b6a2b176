import type pg from 'pg';
import { InputError } from '../../errors.js';

type Properties = Readonly<Record<string, unknown>>;

/** The extensions of the connected database, but the one that every database has. */
export async function extensionsOf(client: pg.Client): Promise<{ name: string; version: string }[]> {
  const { rows } = await client.query<{ name: string; version: string }>(
    `select extname as name, extversion as version from pg_extension where extname <> 'plpgsql' order by 1`,
  );
  return rows;
}

/** That the server has the code of every extension that the archive needs. */
export async function checkExtensions(client: pg.Client, properties: Properties): Promise<void> {
  const needed = Array.isArray(properties.extensions) ? properties.extensions : [];
  const { rows } = await client.query<{ name: string }>(
    `select needed.name from unnest($1::text[]) as needed(name)
     where not exists (select from pg_available_extensions a where a.name = needed.name) order by 1`,
    [needed],
  );
  if (rows.length > 0)
    throw new InputError(
      `the archive needs extensions that this server does not have: ${rows.map(({ name }) => JSON.stringify(name)).join(', ')}; install them first`,
    );
}

/** pg_dump does not write versions down: what is restored has the server's default one. In words, of the restored copy. */
export async function otherVersions(client: pg.Client, properties: Properties): Promise<string[]> {
  // Archives of earlier versions of this tool do not say.
  const archived = (properties.extensionVersions ?? {}) as Readonly<Record<string, string>>;
  return (await extensionsOf(client)).flatMap(({ name, version }) => {
    const before = archived[name];
    if (before === undefined || before === version) return [];
    return [`extension ${name} has version ${version} now, and had ${before} in the archive`];
  });
}
