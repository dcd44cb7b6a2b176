import type pg from 'pg';
/** Of ALTER DATABASE SET and ALTER ROLE IN DATABASE SET; the role is null where it is for everybody. */
export type Settings = readonly { readonly role: string | null; readonly values: readonly string[] }[];

export const nameOf = (setting: string) => setting.slice(0, setting.indexOf('='));

/**
 * The settings of a database without those that the server does not know (`app.jwt_secret`): an application makes them up,
 * may well keep secrets in them, and whoever can list archives can read their manifests. Their names are told.
 */
export async function withoutValuesOfTheirOwn(
  client: pg.Client,
  settings: Settings,
): Promise<{ readonly settings: Settings; readonly withheld: string[] }> {
  // Of an extension that no library of this session knows, the part before the dot is its name.
  const { rows } = await client.query<{ name: string }>(
    `select name from pg_settings where name like '%.%' union all select extname from pg_extension`,
  );
  const known = new Set(rows.map(({ name }) => name));
  const theirs = (setting: string) => {
    const [prefix, ...rest] = nameOf(setting).split('.');
    return rest.length > 0 && !known.has(prefix!) && !known.has(nameOf(setting));
  };
  return {
    settings: settings
      .map(({ role, values }) => ({ role, values: values.filter((setting) => !theirs(setting)) }))
      .filter(({ values }) => values.length > 0),
    withheld: settings.flatMap(({ role, values }) =>
      values
        .filter(theirs)
        .map((setting) => `setting ${nameOf(setting)}${role === null ? '' : ` of role ${role}`}`),
    ),
  };
}
