// A database whose tables are shared by tenants, with the things that make a restore of one tenant hard.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PostgresServer } from './postgres';

export const SHARED = `
  create table countries (code text primary key, name text not null);
  insert into countries values ('de', 'Germany'), ('fr', 'France');
  create table tenants (id bigint primary key, name text not null, owner_id bigint);
  create table users (
    id bigint generated always as identity primary key,
    tenant_id bigint not null references tenants (id),
    email text not null, manager_id bigint references users (id), country text references countries (code),
    mail_length int generated always as (length(email)) stored, note text default 'none');
  create index on users (tenant_id);
  create index on users (manager_id);
  alter table tenants add foreign key (owner_id) references users (id);
  create table orders (tenant_id bigint not null references tenants (id), id bigserial, day date not null, body jsonb,
    user_id bigint references users (id), primary key (tenant_id, id));
  create index on orders (user_id);
  create table "Order lines; drop table x" (order_tenant bigint not null, order_id bigint not null, line int not null, what text,
    price numeric(12,2), raw bytea, tags text[], at timestamptz, span interval, primary key (order_tenant, order_id, line),
    foreign key (order_tenant, order_id) references orders (tenant_id, id) on delete cascade);
  create table events (tenant_id bigint not null, at timestamptz not null, what text, primary key (tenant_id, at))
    partition by range (at);
  create table events_2025 partition of events for values from ('2025-01-01') to ('2026-01-01');
  create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01');
  create table groups (id int primary key, tenant_id bigint not null, head_member int, unique (tenant_id, id));
  create index on groups (tenant_id);
  create table members (id int primary key, group_id int not null references groups (id), name text);
  create index on members (group_id);
  alter table groups add foreign key (head_member) references members (id) deferrable;
  create table schema_migrations (version text primary key);
  insert into schema_migrations values ('1');
`;

/** Tenants 1 to n with a few rows in each table, in values that a text format can get wrong. */
export const FILL = `
  insert into tenants select n, 'tenant ' || n from generate_series(1, $N) n;
  insert into users (tenant_id, email, country) select t, format('u%s-%s@x', t, u), 'de' from generate_series(1, $N) t, generate_series(1, 4) u;
  update users u set manager_id = (select min(id) from users m where m.tenant_id = u.tenant_id);
  update tenants t set owner_id = (select min(id) from users m where m.tenant_id = t.id);
  insert into orders (tenant_id, day, body, user_id)
    select t, '2026-01-01'::date + o, jsonb_build_object('n', o, 'quote', E'\\\\ " \\t \\n'), (select min(id) from users where tenant_id = t)
    from generate_series(1, $N) t, generate_series(1, 5) o;
  insert into "Order lines; drop table x"
    select tenant_id, id, l, case l when 1 then E'tab\\there\\nand \\\\N a line\\r' when 2 then '' when 3 then null else '\\.' end,
      l / 3.0, decode('00ff0a0d5c', 'hex'), array['a,b', null, '"', E'\\n'], '2026-03-29 02:30:00.123456+02', '1 mon 2 days -03:04:05.6'
    from orders, generate_series(1, 4) l;
  insert into events select t, '2025-12-31'::timestamptz + make_interval(hours => h), 'e' || h from generate_series(1, $N) t, generate_series(1, 40) h;
  insert into groups select t * 10, t from generate_series(1, $N) t;
  insert into members select g.id * 10 + m, g.id, 'm' || m from groups g, generate_series(1, 3) m;
  update groups set head_member = id * 10 + 1;
  analyze;
`;

export async function createShared(server: PostgresServer, database: string, tenants = 5): Promise<void> {
  await server.query(`create database "${database}"`);
  await server.query(SHARED, [], database);
  await server.query(FILL.replaceAll('$N', String(tenants)), [], database);
}

/** What a person makes of the inferred description: the undecided table is shared. */
export function reviewed(yaml: string): string {
  return yaml.replace(/undecided: true.*/g, 'reference: true');
}

export function writeDescription(folder: string, name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** All rows of a database as text, each with its table; with `tenant`, only of others than this one. */
export async function rowsOf(server: PostgresServer, database: string): Promise<Record<string, string[]>> {
  const tables = await server.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and not c.relispartition and n.nspname = 'public' order by 1`,
    [],
    database,
  );
  const found: Record<string, string[]> = {};
  for (const { name } of tables) {
    const rows = await server.query<{ row: string }>(
      `select t::text as row from ${name} t order by 1`,
      [],
      database,
    );
    found[name] = rows.map(({ row }) => row);
  }
  return found;
}
