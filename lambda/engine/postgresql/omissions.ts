import type pg from 'pg';
import type { Omission } from '../engine.js';

/** Each row is a thing that pg_dump leaves out without a word, or that means nothing where it is restored. */
const FOUND = `
  select format('the code of extension %s %s', extname, extversion) as what,
         'it must be installed on the server that the archive is restored to' as why
    from pg_extension where extname <> 'plpgsql'
  union all
  select format('the rows of foreign table %s.%s', n.nspname, c.relname), 'they lie on another server'
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'f'
  union all
  select format('index %s.%s', n.nspname, c.relname),
         'it is not valid, as after a CREATE INDEX CONCURRENTLY that failed, and pg_dump leaves it out'
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'i' and not (i.indisvalid and i.indisready) and n.nspname <> 'pg_toast'
  union all
  select format('the rows of %s', pg_describe_object('pg_class'::regclass, c.oid, 0)),
         format('it belongs to extension %s, which does not say that its rows are to be dumped; a restore has what CREATE EXTENSION makes of it', x.extname)
    from pg_extension x join pg_depend d on d.refclassid = 'pg_extension'::regclass and d.refobjid = x.oid
      and d.classid = 'pg_class'::regclass and d.deptype = 'e'
    join pg_class c on c.oid = d.objid
    where c.relkind in ('r', 'm') and pg_relation_size(c.oid) > 0 and not c.oid = any(coalesce(x.extconfig, '{}'))
  union all
  select pg_describe_object(o.classid, o.oid, 0), 'it lies in a schema of the server''s own, which pg_dump leaves out'
    from (select 'pg_proc'::regclass as classid, oid, pronamespace as namespace from pg_proc
      union all select 'pg_class'::regclass, oid, relnamespace from pg_class where relkind in ('r', 'v', 'm', 'S', 'p')
      union all select 'pg_operator'::regclass, oid, oprnamespace from pg_operator) o
    where o.oid >= 16384 and o.namespace in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
      and not exists (select from pg_depend d where d.classid = o.classid and d.objid = o.oid and d.deptype = 'e')
  union all
  select format('replication slot %s', slot_name),
         'it belongs to the database that is running; whoever reads it must begin anew after a restore'
    from pg_replication_slots where database = current_database()
  union all
  select case when me.rolsuper then format('the running of subscription %s', subname)
         else format('subscription %s', subname) end,
         case when me.rolsuper then 'a subscription is restored switched off'
         else 'only a superuser can dump subscriptions' end
    from pg_subscription s join pg_database d on d.oid = s.subdbid and d.datname = current_database(), me
  union all
  select format('the options (such as a password) of the user mapping of %s on server %s', usename, srvname),
         'only a superuser or the mapped role itself can read them'
    from pg_user_mappings, me where umoptions is null and not me.rolsuper`;

/** Of tables, `c`, that are dumped without the rest of their database. */
export async function largeObjectsOf(client: pg.Client, tables: string, value: unknown): Promise<Omission[]> {
  const { rows } = await client.query<{ there: boolean }>(
    `select exists (select from pg_class c join pg_attribute a on a.attrelid = c.oid join pg_type t on t.oid = a.atttypid
       where ${tables} and c.relkind = 'r' and a.attnum > 0 and 'oid'::regtype in (t.oid, t.typbasetype)) as there`,
    [value],
  );
  if (!rows[0]!.there) return [];
  return [
    {
      what: 'large objects',
      why: 'they belong to the database; columns of type oid hold their numbers alone',
    },
  ];
}

/** What an archive of the connected database will not hold, and why. */
export async function omissionsOf(client: pg.Client): Promise<Omission[]> {
  const { rows } = await client.query<{ what: string; why: string }>(
    `with me as (select rolsuper from pg_roles where rolname = current_user)
     select what, why from (${FOUND}) found order by 1`,
  );
  return [
    { what: 'roles and their passwords', why: 'they belong to the server, not to one database' },
    {
      what: 'tablespaces',
      why: 'they belong to the server, and must be there where the archive is restored to',
    },
    ...rows,
  ];
}
