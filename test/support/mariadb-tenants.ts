// What the tests of MariaDB tenants have in common.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runCli } from './cli';
import type { MariadbServer } from './mariadb';
import { type Workspace, workspace } from './tenants';

export const quoted = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

/** The commands on this server, with the client tools that belong to it. */
export function mariadbWorkspace(server: () => MariadbServer, user = 'root'): Promise<Workspace> {
  const { bin } = server();
  if (bin) process.env.SOVEREIGN_BACKUP_MYSQL_BIN = bin;
  return workspace(server, user, 'mysql');
}

/** Everything in a database that a dump must bring back, as one text: definitions and rows, in a fixed order. */
export function content(server: MariadbServer, database: string): string {
  const [tool, ...more] = server.isMariadb
    ? ['mariadb-dump']
    : ['mysqldump', '--set-gtid-purged=OFF', '--column-statistics=0'];
  const path = server.bin ? join(server.bin, tool!) : tool!;
  if (server.bin && !existsSync(path)) throw new Error(`${path} is missing beside the server`);
  const where = ['--protocol=tcp', '--host=127.0.0.1', `--port=${server.port}`, '--user=root'];
  const what = ['--routines', '--triggers', '--events', '--hex-blob', '--no-tablespaces', '--skip-dump-date'];
  const text = execFileSync(
    path,
    [
      '--no-defaults',
      ...where,
      ...what,
      ...more,
      '--single-transaction',
      '--order-by-primary',
      '--',
      database,
    ],
    { encoding: 'latin1', maxBuffer: 1 << 28, env: { ...process.env, MYSQL_PWD: server.password ?? '' } },
  );
  // Counters of tables may go on where they were; whose host it is does not matter. What was made among several
  // statements keeps its semicolon in MySQL.
  return text
    .replace(/;(\s*(?:\*\/)?\s*;;)$/gm, '$1')
    .replace(/^-- Host: .*$/gm, '')
    .replace(/ AUTO_INCREMENT=\d+/g, '');
}

export async function createTenant(server: MariadbServer, name: string, rows = 200): Promise<void> {
  await server.query(
    `create database ${quoted(name)}; use ${quoted(name)};
     create table orders (id int primary key, note text) engine=InnoDB;
     insert into orders with recursive n as (select 0 as i union all select i + 1 from n where i < 999)
       select a.i + 1000 * b.i + 1, sha2(a.i + 1000 * b.i, 256) from n a, n b where a.i + 1000 * b.i < ${rows}`,
  );
}

export async function rowsOf(server: MariadbServer, database: string, table = 'orders'): Promise<number> {
  const [row] = await server.query<{ n: number }>(`select count(*) as n from ${quoted(database)}.${table}`);
  return Number(row!.n);
}

/** CHECKSUM TABLE of every table of a database. */
export async function checksums(server: MariadbServer, database: string): Promise<unknown[]> {
  const tables = await server.query<{ name: string }>(
    `select table_name as name from information_schema.tables where table_schema = ${quotedText(database)} and table_type = 'BASE TABLE' order by 1`,
  );
  const sums: unknown[] = [];
  for (const { name } of tables)
    sums.push(...(await server.query(`checksum table ${quoted(database)}.${quoted(name)} extended`)));
  return sums;
}

export const quotedText = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;

export async function databases(server: MariadbServer): Promise<string[]> {
  const rows = await server.query<{ name: string }>(
    'select schema_name as name from information_schema.schemata order by binary schema_name',
  );
  return rows.map(({ name }) => name);
}

export { runCli };
