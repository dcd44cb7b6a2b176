import type pg from 'pg';
import { InputError } from '../../../errors.js';
import { nameOf } from '../../../tenancy/description.js';
import type { StagedTable } from '../../../tenancy/stage.js';
import type { SharedRows } from './shared-rows.js';
import { names } from './shared-rows.js';

/** A gap up to this is closed by taking numbers one by one, which can never set a sequence back. */
const ONE_BY_ONE = 100_000;

/** A default that is the sequence's number, and nothing made of it (`'INV-' || nextval(…)`), from which no number can be told. */
const NUMBER_ITSELF = `^\\(?nextval\\('(''|[^'])*'::regclass\\)\\)?(::[a-z ]+)?$`;

interface Sequence {
  readonly sequence: string;
  readonly oid: string;
  readonly column: string;
  readonly increment: string;
  /** The last number that it can give. */
  readonly limit: string;
  readonly cycles: boolean;
  readonly last: string | null;
  readonly allowed: boolean;
}

/** Moves sequences past the numbers that rows bring with them; never back, for other tenants go on taking from them. */
export async function advanceSequences(
  client: pg.Client,
  rows: SharedRows,
  staged: StagedTable,
): Promise<void> {
  const table = rows.live(staged.planned.table);
  const { rows: found } = await client.query<Sequence>(
    `select distinct s.oid::regclass::text as sequence, s.oid::int8::text as oid, a.attname as column,
            q.seqincrement as increment, case when q.seqincrement > 0 then q.seqmax else q.seqmin end as limit,
            q.seqcycle as cycles, pg_sequence_last_value(s.oid)::text as last,
            has_sequence_privilege(s.oid, 'UPDATE') as allowed
     from pg_class s join pg_sequence q on q.seqrelid = s.oid
     join (select d.objid as seq, d.refobjid as rel, d.refobjsubid as num from pg_depend d
             where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
           union
           select d.refobjid, f.adrelid, f.adnum from pg_depend d join pg_attrdef f on f.oid = d.objid
             where d.classid = 'pg_attrdef'::regclass and d.refclassid = 'pg_class'::regclass) u on u.seq = s.oid
     join pg_attribute a on a.attrelid = u.rel and a.attnum = u.num join pg_type t on t.oid = a.atttypid
     left join pg_attrdef f on f.adrelid = u.rel and f.adnum = u.num
     where s.relkind = 'S' and u.rel = $1::oid
       and coalesce(nullif(t.typbasetype, 0), t.oid) in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype)
       and (f.oid is null or pg_get_expr(f.adbin, f.adrelid) ~ $2)`,
    [table.oid, NUMBER_ITSELF],
  );
  for (const { sequence, oid, column, increment, limit, cycles, last, allowed } of found) {
    if (cycles || !staged.columns.includes(column)) continue;
    const step = BigInt(increment);
    const up = step > 0n;
    // Not one that somebody chose, as the largest there is: past it no tenant would get any more.
    const { rows: ends } = await client.query<{ end: string | null }>(
      `select trunc(${up ? 'max' : 'min'}(${names([column])}::numeric))::text as end from ${staged.name}
       where ${names([column])} ${up ? '<' : '>'} $1::int8`,
      [limit],
    );
    const end = ends[0]!.end;
    if (end === null) continue;
    const gap = last === null ? undefined : (BigInt(end) - BigInt(last)) / step;
    if (gap !== undefined && (up ? BigInt(end) <= BigInt(last!) : BigInt(end) >= BigInt(last!))) continue;
    if (!allowed)
      throw new InputError(
        `sequence ${sequence} of ${nameOf(table)}.${column} has to go on past ${end}, and the role has no UPDATE on it; nothing was changed`,
      );
    if (gap !== undefined && gap <= BigInt(ONE_BY_ONE))
      await client.query('select count(nextval($1::oid::regclass)) from generate_series(1, $2::int)', [
        oid,
        String(gap + 1n),
      ]);
    else
      await client.query(
        `select setval($1::oid::regclass, $2::int8)
         where ${up ? '$2::int8 >' : '$2::int8 <'} coalesce(pg_sequence_last_value($1::oid), ${up ? '$2::int8 - 1' : '$2::int8 + 1'})`,
        [oid, end],
      );
  }
}
