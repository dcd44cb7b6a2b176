import pg from 'pg';
import { reasonOf } from '../../errors.js';
import { nameOf } from './own-settings.js';
import type { DatabaseProperties } from './properties.js';

const q = pg.escapeIdentifier;
/** Their values are lists that are quoted already: given as one literal they would become a list of one. */
const LISTS = ['local_preload_libraries', 'search_path', 'session_preload_libraries', 'temp_tablespaces'];

/** What an expression can mean something else under; `pg_restore` itself sees to the rest, or must not have it. */
const OF_EXPRESSIONS = [
  'bytea_output',
  'datestyle',
  'default_text_search_config',
  'extra_float_digits',
  'intervalstyle',
  'lc_monetary',
  'lc_numeric',
  'lc_time',
  'timezone',
  'xmlbinary',
];

/**
 * Gives a database, before it is filled, the settings under which its CHECKs hold and its materialized views are computed,
 * those of the application's own among them. What cannot be given is told when all settings are.
 */
export async function applyExpressionSettings(
  client: pg.Client,
  name: string,
  { settings }: DatabaseProperties,
): Promise<void> {
  const own = (setting: string) =>
    OF_EXPRESSIONS.includes(nameOf(setting).toLowerCase()) || nameOf(setting).includes('.');
  for (const setting of settings.filter(({ role }) => role === null).flatMap(({ values }) => values)) {
    if (!own(setting)) continue;
    await client
      .query(
        `alter database ${q(name)} set ${q(nameOf(setting))} to ${pg.escapeLiteral(setting.slice(setting.indexOf('=') + 1))}`,
      )
      .catch(() => {});
  }
}

/** Gives a database the settings, grants and limit of another; what cannot be given is returned in words. */
export async function applySettings(
  client: pg.Client,
  name: string,
  properties: DatabaseProperties,
  options: { readonly grants: boolean },
): Promise<string[]> {
  const missed: string[] = [];
  const attempt = async (what: string, run: () => Promise<unknown>) => {
    await client.query('begin');
    try {
      await run();
      await client.query('commit');
    } catch (error) {
      await client.query('rollback');
      missed.push(`${what} could not be carried over: ${reasonOf(error)}`);
    }
  };
  // All of them, in their order.
  if (properties.settings.length > 0)
    await attempt('the settings', () => client.query(`alter database ${q(name)} reset all`));
  for (const { role, values } of properties.settings) {
    const target =
      role === null ? `alter database ${q(name)}` : `alter role ${q(role)} in database ${q(name)}`;
    for (const setting of values) {
      const equals = setting.indexOf('=');
      const parameter = setting.slice(0, equals);
      const value = setting.slice(equals + 1);
      await attempt(`setting ${parameter}${role === null ? '' : ` of role ${role}`}`, async () => {
        if (LISTS.includes(parameter)) {
          await client.query('select set_config($1, $2, true)', [parameter, value]);
          await client.query(`${target} set ${q(parameter)} from current`);
        } else await client.query(`${target} set ${q(parameter)} to ${pg.escapeLiteral(value)}`);
      });
    }
  }
  if (properties.connectionLimit >= 0)
    await attempt('the connection limit', () =>
      client.query(`alter database ${q(name)} connection limit ${Number(properties.connectionLimit)}`),
    );
  // Nobody else could connect while it was being filled.
  if (properties.grants === null || !options.grants)
    await attempt('the default grants', () =>
      client.query(`grant connect, temporary on database ${q(name)} to public`),
    );
  else {
    for (const { grantee, privilege, grantable } of properties.grants) {
      await attempt(`the grant of ${privilege} to ${grantee ?? 'public'}`, () =>
        client.query(
          `grant ${privileges.has(privilege) ? privilege : q(privilege)} on database ${q(name)} to ${grantee === null ? 'public' : q(grantee)}${grantable ? ' with grant option' : ''}`,
        ),
      );
    }
  }
  return missed;
}

const privileges = new Set(['CONNECT', 'TEMPORARY', 'CREATE']);
