import type pg from 'pg';
import type { Omission } from '../engine.js';
import { extensionsOf } from './extensions.js';
import { omissionsOf } from './omissions.js';
import { type Settings, withoutValuesOfTheirOwn } from './own-settings.js';

/** What CREATE DATABASE needs to make a database like another one. */
export interface DatabaseProperties {
  readonly owner: string;
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
  /** `c` libc, `i` ICU, `b` builtin. */
  readonly provider: string;
  readonly locale: string | null;
  readonly icuRules: string | null;
  readonly connectionLimit: number;
  /** Where it lies; archives of earlier versions do not say. */
  readonly tablespace?: string;
  readonly comment: string | null;
  readonly settings: Settings;
  /** Known of an archive: settings with names of the application's own, whose values are not in it. */
  readonly withheld?: readonly string[];
  /** Null: PostgreSQL's defaults. The grantee is null for PUBLIC. */
  readonly grants:
    | readonly { readonly grantee: string | null; readonly privilege: string; readonly grantable: boolean }[]
    | null;
  /** Tablespaces of single tables and indexes. Known of an archive, as the extensions are. */
  readonly tablespaces?: readonly string[];
  /** Names of the extensions in it. Known of an archive; of a live database they are not asked for. */
  readonly extensions?: readonly string[];
  readonly extensionVersions?: Readonly<Record<string, string>>;
}

/** Columns came with versions; asked for by name they would be an error on older servers, out of a row's JSON not. */
const PROPERTIES = `
  select pg_get_userbyid(d.datdba) as owner, pg_encoding_to_char(d.encoding) as encoding,
         d.datcollate as collate, d.datctype as ctype,
         coalesce(to_jsonb(d)->>'datlocprovider', 'c') as provider,
         coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale') as locale,
         to_jsonb(d)->>'daticurules' as "icuRules", d.datconnlimit as "connectionLimit",
         (select spcname from pg_tablespace where oid = d.dattablespace) as tablespace,
         shobj_description(d.oid, 'pg_database') as comment,
         coalesce((select jsonb_agg(jsonb_build_object('role', r.rolname, 'values', to_jsonb(s.setconfig)) order by r.rolname)
           from pg_db_role_setting s left join pg_roles r on r.oid = s.setrole where s.setdatabase = d.oid), '[]') as settings,
         case when d.datacl is not null then
           coalesce((select jsonb_agg(jsonb_build_object('grantee', r.rolname, 'privilege', a.privilege_type, 'grantable', a.is_grantable)
             order by r.rolname nulls first, a.privilege_type)
             from aclexplode(d.datacl) a left join pg_roles r on r.oid = a.grantee), '[]') end as grants
  from pg_database d where d.datname = $1`;

export async function propertiesOf(
  client: pg.Client,
  database: string,
): Promise<DatabaseProperties | undefined> {
  return (await client.query<DatabaseProperties>(PROPERTIES, [database])).rows[0];
}

/** Owners that are the bootstrap user are in no dependency list, because that user cannot be dropped. */
const ROLES = `
  select distinct r.rolname as role from pg_roles r where r.oid in (
    select s.refobjid from pg_shdepend s join pg_database d on d.datname = current_database()
      where s.refclassid = 'pg_authid'::regclass
        and (s.dbid = d.oid or (s.classid = 'pg_database'::regclass and s.objid = d.oid))
    union select datdba from pg_database where datname = current_database()
    union select relowner from pg_class where oid >= 16384
    union select nspowner from pg_namespace where oid >= 16384
    union select proowner from pg_proc where oid >= 16384)
  order by 1`;

/** What a dump of the connected database refers to and leaves out. */
export async function describeDatabase(client: pg.Client): Promise<{
  readonly roles: string[];
  readonly omitted: Omission[];
  readonly properties: Record<string, unknown>;
}> {
  const { rows: roles } = await client.query<{ role: string }>(ROLES);
  const extensions = await extensionsOf(client);
  const { rows: spaces } = await client.query<{ name: string }>(
    `select distinct spcname as name from pg_class c join pg_tablespace t on t.oid = c.reltablespace
     where c.oid >= 16384 order by 1`,
  );
  const { rows: current } = await client.query<{ name: string }>('select current_database() as name');
  const properties = (await propertiesOf(client, current[0]!.name))!;
  const { settings, withheld } = await withoutValuesOfTheirOwn(client, properties.settings);
  return {
    roles: roles.map(({ role }) => role),
    omitted: [
      ...(await omissionsOf(client)),
      ...withheld.map((what) => ({
        what: `the value of ${what}`,
        why: 'applications keep secrets so, and a manifest is not encrypted; a restore takes it from the live database',
      })),
    ],
    properties: {
      ...properties,
      settings,
      ...(withheld.length > 0 ? { withheld } : {}),
      extensions: extensions.map(({ name }) => name),
      extensionVersions: Object.fromEntries(extensions.map(({ name, version }) => [name, version])),
      tablespaces: spaces.map(({ name }) => name),
    },
  };
}
