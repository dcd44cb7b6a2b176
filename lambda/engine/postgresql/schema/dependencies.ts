import type pg from 'pg';

/** An object that belongs to another schema, or to none. */
export interface OutsideObject {
  /** For people: `table public.users`. */
  readonly text: string;
  /** For the server, which finds the object by them again, here or in another database. */
  readonly type: string;
  readonly names: readonly string[];
  readonly args: readonly string[];
}

export interface Dependencies {
  /** Objects elsewhere that the schema's objects need. */
  readonly needs: readonly OutsideObject[];
  /** Extensions whose objects they need. */
  readonly extensions: readonly string[];
  /** Objects elsewhere that need the schema's, in words: they would stay with the old schema when it is renamed. */
  readonly neededBy: readonly string[];
  /** Extensions that are installed in the schema: there can be only one of each in a database. */
  readonly installed: readonly string[];
}

/** Everything that a schema consists of, as the server numbers it: what has its name, and what hangs on that. */
const MEMBERS = `
  with ns as (select oid from pg_namespace where nspname = $1),
  relations as (select c.oid from pg_class c, ns where c.relnamespace = ns.oid),
  families as (select f.oid from pg_opfamily f, ns where f.opfnamespace = ns.oid),
  member(classid, objid) as materialized (
    select 'pg_namespace'::regclass::oid, oid from ns
    union all select 'pg_class'::regclass, oid from relations
    union all select 'pg_type'::regclass, t.oid from pg_type t, ns where t.typnamespace = ns.oid
    union all select 'pg_proc'::regclass, p.oid from pg_proc p, ns where p.pronamespace = ns.oid
    union all select 'pg_operator'::regclass, o.oid from pg_operator o, ns where o.oprnamespace = ns.oid
    union all select 'pg_opclass'::regclass, o.oid from pg_opclass o, ns where o.opcnamespace = ns.oid
    union all select 'pg_opfamily'::regclass, oid from families
    union all select 'pg_amop'::regclass, a.oid from pg_amop a where a.amopfamily in (select oid from families)
    union all select 'pg_amproc'::regclass, a.oid from pg_amproc a where a.amprocfamily in (select oid from families)
    union all select 'pg_conversion'::regclass, c.oid from pg_conversion c, ns where c.connamespace = ns.oid
    union all select 'pg_collation'::regclass, c.oid from pg_collation c, ns where c.collnamespace = ns.oid
    union all select 'pg_ts_config'::regclass, t.oid from pg_ts_config t, ns where t.cfgnamespace = ns.oid
    union all select 'pg_ts_dict'::regclass, t.oid from pg_ts_dict t, ns where t.dictnamespace = ns.oid
    union all select 'pg_ts_parser'::regclass, t.oid from pg_ts_parser t, ns where t.prsnamespace = ns.oid
    union all select 'pg_ts_template'::regclass, t.oid from pg_ts_template t, ns where t.tmplnamespace = ns.oid
    union all select 'pg_statistic_ext'::regclass, s.oid from pg_statistic_ext s, ns where s.stxnamespace = ns.oid
    union all select 'pg_constraint'::regclass, c.oid from pg_constraint c, ns where c.connamespace = ns.oid
    union all select 'pg_default_acl'::regclass, a.oid from pg_default_acl a, ns where a.defaclnamespace = ns.oid
    union all select 'pg_attrdef'::regclass, a.oid from pg_attrdef a where a.adrelid in (select oid from relations)
    union all select 'pg_trigger'::regclass, t.oid from pg_trigger t where t.tgrelid in (select oid from relations)
    union all select 'pg_rewrite'::regclass, r.oid from pg_rewrite r where r.ev_class in (select oid from relations)
    union all select 'pg_policy'::regclass, p.oid from pg_policy p where p.polrelid in (select oid from relations))`;

/** An object made by the server itself has a number below this one. */
const FIRST_OWN = 16384;

export async function dependenciesOf(client: pg.Client, schema: string): Promise<Dependencies> {
  const { rows: needs } = await client.query<OutsideObject & { extension: string | null }>(
    `${MEMBERS},
     outside as (
       select distinct d.refclassid, d.refobjid from pg_depend d join member m on m.classid = d.classid and m.objid = d.objid
       where d.deptype <> 'e' and d.refobjid >= ${FIRST_OWN}
         -- The server's own, on a table that somebody's foreign key refers to: that one needs the schema.
         and not (d.classid = 'pg_trigger'::regclass and d.refclassid = 'pg_constraint'::regclass)
         and not exists (select from member r where r.classid = d.refclassid and r.objid = d.refobjid))
     select pg_describe_object(o.refclassid, o.refobjid, 0) as text, a.type, a.object_names as names, a.object_args as args,
            case when o.refclassid = 'pg_extension'::regclass then (select extname from pg_extension where oid = o.refobjid)
              else (select x.extname from pg_depend e join pg_extension x on x.oid = e.refobjid
                where e.classid = o.refclassid and e.objid = o.refobjid and e.deptype = 'e'
                  and e.refclassid = 'pg_extension'::regclass limit 1) end as extension
     from outside o cross join pg_identify_object_as_address(o.refclassid, o.refobjid, 0) a order by 1`,
    [schema],
  );
  const { rows: neededBy } = await client.query<{ text: string }>(
    `${MEMBERS}
     select distinct pg_describe_object(d.classid, d.objid, 0) as text
     from pg_depend d join member m on m.classid = d.refclassid and m.objid = d.refobjid
     where not exists (select from member o where o.classid = d.classid and o.objid = d.objid)
       and not (d.classid = 'pg_class'::regclass and exists (
         select from pg_class c where c.oid = d.objid and c.relnamespace = 'pg_toast'::regnamespace))
       -- By which the server checks foreign keys, on the table that they refer to.
       and not (d.classid = 'pg_trigger'::regclass and exists (
         select from pg_trigger t where t.oid = d.objid and t.tgisinternal))
     order by 1`,
    [schema],
  );
  const { rows: installed } = await client.query<{ name: string }>(
    `select extname as name from pg_extension x join pg_namespace n on n.oid = x.extnamespace where n.nspname = $1 order by 1`,
    [schema],
  );
  return {
    needs: needs.filter(({ extension }) => extension === null).map(({ extension: _, ...object }) => object),
    extensions: [...new Set(needs.flatMap(({ extension }) => extension ?? []))].sort(),
    neededBy: neededBy.map(({ text }) => text),
    installed: installed.map(({ name }) => name),
  };
}

/** Roles that own something in the schema, or have rights to it. */
export async function rolesOf(client: pg.Client, schema: string): Promise<string[]> {
  const { rows } = await client.query<{ role: string }>(
    `${MEMBERS}
     select distinct r.rolname as role from pg_roles r where r.oid in (
       select s.refobjid from pg_shdepend s join pg_database d on d.oid = s.dbid and d.datname = current_database()
         join member m on m.classid = s.classid and m.objid = s.objid where s.refclassid = 'pg_authid'::regclass
       union select n.nspowner from pg_namespace n join ns on ns.oid = n.oid
       union select c.relowner from pg_class c where c.oid in (select oid from relations)
       union select p.proowner from pg_proc p join ns on ns.oid = p.pronamespace)
     order by 1`,
    [schema],
  );
  return rows.map(({ role }) => role);
}

/** Those of the objects that the connected database does not have, in words. */
export async function missing(client: pg.Client, objects: readonly OutsideObject[]): Promise<string[]> {
  const absent: string[] = [];
  for (const { text, type, names, args } of objects) {
    try {
      await client.query('select pg_get_object_address($1, $2, $3)', [type, names, args]);
    } catch (error) {
      // Class 42: there is no such thing. Anything else is not about the object.
      if (
        !(error as { code?: string }).code?.startsWith('42') &&
        (error as { code?: string }).code !== '3F000'
      )
        throw error;
      absent.push(text);
    }
  }
  return absent;
}

export function shortList(items: readonly string[]): string {
  const shown = items.slice(0, 15).join('; ');
  return items.length > 15 ? `${shown}; and ${items.length - 15} more` : shown;
}
