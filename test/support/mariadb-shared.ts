// A database of MariaDB or MySQL whose tables are shared by tenants, with what makes a restore of one tenant hard.
import type { MariadbServer } from './mariadb';
import { quoted } from './mariadb-tenants';

export const HARD_NAME = "Order lines'; drop table `x`";

export const SHARED = `
  create table countries (code char(2) primary key, name text not null);
  insert into countries values ('de', 'Germany'), ('fr', 'France');
  create table tenants (id bigint primary key, name varchar(100) not null, owner_id bigint);
  create table users (
    id bigint primary key auto_increment, tenant_id bigint not null, email varchar(200) not null, manager_id bigint, country char(2),
    mail_length int generated always as (char_length(email)) stored, note varchar(20) default 'none',
    key (tenant_id), key (manager_id), foreign key (tenant_id) references tenants (id),
    constraint manager foreign key (manager_id) references users (id), foreign key (country) references countries (code));
  alter table tenants add constraint owner foreign key (owner_id) references users (id);
  create table orders (tenant_id bigint not null, id bigint not null auto_increment, day date not null, body json, user_id bigint,
    primary key (tenant_id, id), key (id), key (user_id), foreign key (tenant_id) references tenants (id),
    foreign key (user_id) references users (id) on delete set null);
  create table ${quoted(HARD_NAME)} (order_tenant bigint not null, order_id bigint not null, line int not null,
    what text, price decimal(12,2), ${quoted('raw\\')} varbinary(20), flags bit(10), kind enum('a', 'it''s'), old varchar(20) charset latin1,
    chinese varchar(20) charset gbk, at timestamp(6) null, span time(1), exact double, rough float, place point, no_day date,
    primary key (order_tenant, order_id, line),
    foreign key (order_tenant, order_id) references orders (tenant_id, id) on delete cascade);
  create table events (tenant_id bigint not null, at datetime not null, what varchar(100), primary key (tenant_id, at))
    partition by range (year(at)) (partition p2025 values less than (2026), partition p2026 values less than (2027));
  create table ${quoted('groups')} (id int primary key, tenant_id bigint not null, head_member int, key (tenant_id));
  create table members (id int primary key, group_id int not null, name text, key (group_id),
    foreign key (group_id) references ${quoted('groups')} (id));
  alter table ${quoted('groups')} add constraint head foreign key (head_member) references members (id);
  create table schema_migrations (version varchar(20) primary key);
  insert into schema_migrations values ('1');
  create view everyone as select email from users;
`;

const upTo = (name: string, last: number) =>
  `(with recursive n as (select 1 as i union all select i + 1 from n where i < ${last}) select i from n) ${name}`;

/** Tenants 1 to n with a few rows in each table, in values that a text format can get wrong. */
const fill = (tenants: number) => `
  set sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00';
  insert into tenants select t.i, concat('tenant ', t.i), null from ${upTo('t', tenants)};
  insert into users (tenant_id, email, country) select t.i, concat('u', t.i, '-', u.i, '@x'), 'de' from ${upTo('t', tenants)}, ${upTo('u', 4)} order by u.i, t.i;
  update users u join (select tenant_id, min(id) as first from users group by tenant_id) m on m.tenant_id = u.tenant_id set u.manager_id = m.first;
  update tenants t set owner_id = (select min(id) from users m where m.tenant_id = t.id);
  insert into orders (tenant_id, day, body, user_id)
    select t.i, '2026-01-01' + interval o.i day, json_object('n', o.i, 'quote', '\\\\ " \\t \\n'), (select min(id) from users where tenant_id = t.i)
    from ${upTo('t', tenants)}, ${upTo('o', 5)};
  insert into ${quoted(HARD_NAME)}
    select tenant_id, id, l.i, elt(l.i, 'tab\\there\\nand \\\\N a line\\r it''s \\'; drop table users; -- \\0 \\Z', '', null, '\ufeff🐢 \\\\.'),
      l.i / 3, x'00ff0a0d5c09', b'1000000101', elt(1 + l.i % 2, 'a', 'it''s'), 'Zoë €', '中文', '2026-03-29 02:30:00.123456', '-03:04:05.6',
      0.1e0 + l.i / 7, 0.1e0 + l.i / 7, point(l.i, 0.1), elt(l.i, '0000-00-00', '2026-02-31', null, '2026-01-01')
    from orders, ${upTo('l', 4)};
  insert into events select t.i, '2025-12-31' + interval h.i hour, concat('e', h.i) from ${upTo('t', tenants)}, ${upTo('h', 40)};
  insert into ${quoted('groups')} select t.i * 10, t.i, null from ${upTo('t', tenants)};
  insert into members select g.id * 10 + m.i, g.id, concat('m', m.i) from ${quoted('groups')} g, ${upTo('m', 3)};
  update ${quoted('groups')} set head_member = id * 10 + 1;
  analyze table countries, tenants, users, orders, ${quoted(HARD_NAME)}, events, ${quoted('groups')}, members, schema_migrations;
`;

export async function createShared(server: MariadbServer, database: string, tenants = 5): Promise<void> {
  await server.query(`create database ${quoted(database)} default character set utf8mb4`);
  await server.query(SHARED, database);
  await server.query(fill(tenants), database);
}

/** All rows of a database as text, each with its table. */
export async function rowsOf(server: MariadbServer, database: string): Promise<Record<string, string[]>> {
  const client = await server.connect(database);
  try {
    await client.query(`set time_zone = '+00:00'`);
    const [tables] = await client.query<never>(
      `select table_name as name from information_schema.tables where table_schema = database() and table_type = 'BASE TABLE' order by 1`,
    );
    const found: Record<string, string[]> = {};
    for (const { name } of tables as { name: string }[]) {
      const [rows] = await client.query({
        sql: `select * from ${quoted(name)}`,
        rowsAsArray: true,
        typeCast: false,
      });
      found[name] = (rows as unknown as (Buffer | null)[][])
        .map((row) => row.map((value) => (value === null ? 'null' : value.toString('latin1'))).join('|'))
        .sort();
    }
    return found;
  } finally {
    await client.end();
  }
}
