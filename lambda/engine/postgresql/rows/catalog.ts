import type pg from 'pg';
import type { CatalogTable } from '../../../tenancy/catalog.js';
import type { LiveCatalog } from '../../engine.js';
import type { ServerAddress } from '../../server.js';
import { addressOf, connect } from '../connect.js';
import { markOf } from '../marks.js';
import { databaseName, isDerivedName } from '../names.js';

/** A live table with what only PostgreSQL knows of it. */
export interface PgTable extends CatalogTable {
  readonly oid: number;
  /** Itself and its partitions, by number. */
  readonly relations: readonly number[];
  /** Types without length, as a literal is cast to. */
  readonly castTypes: Readonly<Record<string, string>>;
  /** Of columns whose equality is not the server's own, as that of `citext`, which the plain `=` of our sessions does not find. */
  readonly equal: Readonly<Record<string, string>>;
  /** Columns that can be inserted, and not updated. */
  readonly fixed: readonly string[];
  readonly bytes: number;
  /** Whether the server's own storage keeps it, whose rows tell which transaction wrote them. */
  readonly heap: boolean;
  /** Rules on it or its partitions that rewrite what is written. */
  readonly rules: readonly { readonly rule: string; readonly table: string }[];
}

/**
 * Ordinary tables and the roots of partitioned ones: not partitions, which come with their root, and nothing that
 * belongs to an extension. A foreign key of or to a partition counts as its root's.
 */
const TABLES = `
  with shown as (
    select c.oid, n.oid as nspoid, n.nspname, c.relname, c.relkind, c.reltuples
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'f') and c.relpersistence <> 't' and not c.relispartition
      and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and not exists (select from pg_depend d
        where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')),
  root as (
    select c.oid, coalesce(case when c.relispartition then pg_partition_root(c.oid) end, c.oid) as root
    from pg_class c where c.relkind in ('r', 'p', 'f'))
  select s.oid::int8::text as oid, s.nspname as schema, s.relname as table,
    obj_description(s.nspoid, 'pg_namespace') as note,
    case when exists (select from root r join pg_class c on c.oid = r.oid where r.root = s.oid and c.relkind = 'f') then 'foreign'
         when s.relkind = 'p' then 'partitioned'
         when exists (select from pg_inherits i where s.oid in (i.inhrelid, i.inhparent)) then 'inherited'
         else 'table' end as kind,
    (select coalesce(sum(greatest(c.reltuples, 0)), 0)::float8 from root r join pg_class c on c.oid = r.oid
      where r.root = s.oid and c.relkind <> 'p') as rows,
    exists (select from root r join pg_class c on c.oid = r.oid
      where r.root = s.oid and c.relkind = 'r' and c.reltuples < 0) as uncounted,
    (select coalesce(sum(pg_table_size(r.oid)), 0)::float8 from root r where r.root = s.oid) as bytes,
    (select json_agg(r.oid::int8::text order by r.oid) from root r where r.root = s.oid) as relations,
    not exists (select from root r join pg_class c on c.oid = r.oid join pg_am am on am.oid = c.relam
      where r.root = s.oid and c.relkind <> 'p' and am.amname <> 'heap') as heap,
    (select coalesce(json_agg(json_build_object(
        'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'cast', format_type(a.atttypid, -1),
        'nullable', not (a.attnotnull or t.typnotnull), 'generated', a.attgenerated <> '',
        'fixed', a.attidentity = 'a',
        'equal', case when t.typnamespace <> 'pg_catalog'::regnamespace then (
          select format('operator(%I.%s)', n.nspname, o.oprname) from pg_opclass c
          join pg_am m on m.oid = c.opcmethod and m.amname = 'btree'
          join pg_amop p on p.amopfamily = c.opcfamily and p.amopstrategy = 3
            and p.amoplefttype = c.opcintype and p.amoprighttype = c.opcintype
          join pg_operator o on o.oid = p.amopopr join pg_namespace n on n.oid = o.oprnamespace
          where c.opcintype = coalesce(nullif(t.typbasetype, 0), t.oid) and c.opcdefault and n.nspname <> 'pg_catalog') end,
        'hasDefault', a.atthasdef or a.attidentity <> '' or t.typdefault is not null) order by a.attnum), '[]')
      from pg_attribute a join pg_type t on t.oid = a.atttypid
      where a.attrelid = s.oid and a.attnum > 0 and not a.attisdropped) as columns,
    (select coalesce(json_agg(a.attname order by k.at), '[]') from pg_index i
      cross join unnest(i.indkey::int2[]) with ordinality k(num, at)
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.num
      where i.indrelid = s.oid and i.indisprimary and k.at <= i.indnkeyatts) as "primaryKey",
    (select coalesce(json_agg(keys.names), '[]') from pg_index i
      join pg_class ic on ic.oid = i.indexrelid join pg_am am on am.oid = ic.relam
      cross join lateral (select json_agg(a.attname order by k.at) as names
        from unnest(i.indkey::int2[]) with ordinality k(num, at)
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.num
        where k.at <= i.indnkeyatts
          and k.at < coalesce((select min(e.at) from unnest(i.indkey::int2[]) with ordinality e(num, at) where e.num = 0), 1000)) keys
      where i.indrelid = s.oid and i.indisvalid and i.indpred is null and am.amname in ('btree', 'hash')
        and keys.names is not null) as indexes,
    (select coalesce(json_agg(json_build_object(
        'name', f.conname, 'schema', fn.nspname, 'table', fc.relname,
        'columns', (select json_agg(a.attname order by k.at) from unnest(f.conkey) with ordinality k(num, at)
          join pg_attribute a on a.attrelid = f.conrelid and a.attnum = k.num),
        'toColumns', (select json_agg(a.attname order by k.at) from unnest(f.confkey) with ordinality k(num, at)
          join pg_attribute a on a.attrelid = f.confrelid and a.attnum = k.num),
        'onDelete', f.confdeltype, 'deferrable', f.condeferrable) order by f.conname), '[]')
      from pg_constraint f join root own on own.oid = f.conrelid join root target on target.oid = f.confrelid
      join pg_class fc on fc.oid = target.root join pg_namespace fn on fn.oid = fc.relnamespace
      where f.contype = 'f' and f.conparentid = 0 and own.root = s.oid) as "foreignKeys",
    (select coalesce(json_agg(json_build_object('rule', w.rulename, 'table', format('%s.%s', wn.nspname, wc.relname))
        order by wn.nspname, wc.relname, w.rulename), '[]')
      from pg_rewrite w join root r on r.oid = w.ev_class and r.root = s.oid
      join pg_class wc on wc.oid = w.ev_class join pg_namespace wn on wn.oid = wc.relnamespace
      where w.ev_type <> '1' and w.ev_enabled <> 'D') as rules
  from shown s order by s.nspname collate "C", s.relname collate "C"`;

const ON_DELETE = { a: 'no action', r: 'restrict', c: 'cascade', n: 'set null', d: 'set default' } as const;

interface Row {
  readonly oid: string;
  readonly schema: string;
  readonly table: string;
  readonly note: string | null;
  readonly kind: CatalogTable['kind'];
  readonly rows: number;
  readonly uncounted: boolean;
  readonly bytes: number;
  readonly heap: boolean;
  readonly rules: PgTable['rules'];
  readonly relations: string[];
  readonly columns: (CatalogTable['columns'][number] & {
    readonly cast: string;
    readonly fixed: boolean;
    readonly equal: string | null;
  })[];
  readonly primaryKey: string[];
  readonly indexes: string[][];
  readonly foreignKeys: {
    readonly name: string;
    readonly schema: string;
    readonly table: string;
    readonly columns: string[];
    readonly toColumns: string[];
    readonly onDelete: keyof typeof ON_DELETE;
    readonly deferrable: boolean;
  }[];
}

/** Of tables for which a description names no schema. */
export const DEFAULT_SCHEMA = 'public';

export async function catalog(server: ServerAddress, database: string): Promise<LiveCatalog> {
  const client = await connect(addressOf(server), databaseName(database));
  try {
    return { tables: await readCatalog(client), defaultSchema: DEFAULT_SCHEMA };
  } finally {
    await client.end();
  }
}

export async function readCatalog(client: pg.Client): Promise<PgTable[]> {
  const { rows } = await client.query<Row>(TABLES);
  return rows.filter(({ schema, note }) => !isKept(schema, note)).map(tableOf);
}

/** A schema that holds what a restore put aside: no application's, and in no dump. */
export function isKept(schema: string, note: string | null): boolean {
  const mark = markOf(note);
  return mark?.kind === 'undo' && isDerivedName(schema, 'undo', mark.database);
}

function tableOf(row: Row): PgTable {
  return {
    schema: row.schema,
    table: row.table,
    kind: row.kind,
    oid: Number(row.oid),
    relations: row.relations.map(Number),
    bytes: row.bytes,
    heap: row.heap,
    rules: row.rules,
    estimatedRows: row.uncounted ? -1 : Math.round(row.rows),
    columns: row.columns.map(({ cast: _, fixed: __, equal: ___, ...column }) => column),
    equal: Object.fromEntries(
      row.columns.flatMap(({ name, equal }) => (equal === null ? [] : [[name, equal]])),
    ),
    fixed: row.columns.flatMap(({ name, fixed }) => (fixed ? [name] : [])),
    castTypes: Object.fromEntries(row.columns.map(({ name, cast }) => [name, cast])),
    primaryKey: row.primaryKey,
    indexes: row.indexes,
    foreignKeys: row.foreignKeys.map(({ schema, table, onDelete, ...key }) => ({
      ...key,
      to: { schema, table },
      onDelete: ON_DELETE[onDelete],
    })),
  };
}
