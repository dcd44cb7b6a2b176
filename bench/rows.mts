// One tenant of shared tables beside all of them, on both engines: a dump should cost what the tenant's rows cost, and
// a restore a fixed time for each 100,000 rows.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { startMariadb } from '../scripts/mariadb-server.mts';
import { startPostgres } from '../scripts/postgres-server.mts';
import { byTurns, printRuns, type Runs, secondsOf } from './figures.mts';
import { measure } from './measure.mts';

const cli = join(import.meta.dirname, '../dist/bin/sovereign-backup.mjs');
const TENANTS = 100;
/** Of the tenant that is restored. */
const ROWS = 100_000;

export interface RowsBench {
  readonly server: string;
  readonly databaseMegabytes: number;
  /** Of each of the 100 tenants. */
  readonly rowsEach: number;
  readonly runs: Runs;
  readonly figures: readonly RowsFigure[];
}

/** With and without what any such run costs, measured on a tenant of five rows. */
export interface RowsFigure {
  readonly name: string;
  readonly value: number;
  readonly beyondFixed: number;
  readonly target: number;
}

/** One in four rows is an order, the others are its lines. */
const TABLES = (text: string) => `
  create table tenants (id int primary key);
  create table orders (id int primary key, tenant_id int not null references tenants (id), day date not null,
                       customer varchar(40) not null, state varchar(10) not null);
  create index orders_tenant on orders (tenant_id);
  create table order_lines (order_id int not null, line int not null, price decimal(10, 2) not null, what ${text} not null,
                            primary key (order_id, line), foreign key (order_id) references orders (id));`;

const DESCRIPTION = `schemaVersion: 1
tenants: { table: tenants, column: id }
tables:
  - { table: tenants, column: id }
  - { table: orders, column: tenant_id }
  - { table: order_lines, through: { columns: [order_id], to: { table: orders }, toColumns: [id] } }
`;

/** Orders numbered from `first`, `each` of them for every tenant from `from` to `to`. */
interface Fill {
  readonly from: number;
  readonly to: number;
  readonly first: number;
  readonly each: number;
}

interface Place {
  readonly version: string;
  readonly url: string;
  query(sql: string): Promise<unknown>;
  fill(fill: Fill): Promise<unknown>;
  /** Clears away what was deleted, or was before an update, as the server does by itself in time. */
  settle(): Promise<unknown>;
  megabytes(): Promise<number>;
  stop(): Promise<void>;
}

const PLACES: Record<'postgresql' | 'mariadb', (bin?: string) => Promise<Place>> = {
  async postgresql(bin) {
    const settings = { shared_buffers: '512MB', max_wal_size: '8GB' };
    const server = await startPostgres({ ...(bin ? { bin } : {}), durable: true, settings });
    await server.query('create database app');
    const query = (sql: string) => server.query(sql, [], 'app');
    return {
      version: `PostgreSQL ${server.version}`,
      url: server.url,
      query,
      async fill({ from, to, first, each }) {
        await query(`
          insert into tenants select t from generate_series(${from}, ${to}) t;
          insert into orders select ${first} + (t - ${from}) * ${each} + n, t, date '2026-01-01' + n % 300, md5(n::text), (array['open', 'closed'])[1 + n % 2]
            from generate_series(${from}, ${to}) t, generate_series(0, ${each - 1}) n;
          insert into order_lines select o.id, l, (o.id * l % 10000) / 100.0, md5((o.id * l)::text) || ' ' || md5((o.id + l)::text)
            from orders o, generate_series(1, 3) l where o.id >= ${first};`);
        await server.query('vacuum analyze', [], 'app');
      },
      settle: () => server.query('vacuum', [], 'app'),
      megabytes: async () =>
        Number((await server.query(`select pg_database_size('app')::float8 / 1e6 as mb`))[0]!.mb),
      stop: () => server.stop(),
    };
  },
  async mariadb() {
    const server = await startMariadb({ durable: true, settings: { 'innodb-buffer-pool-size': '512M' } });
    await server.query('create database app default character set utf8mb4');
    const query = (sql: string) => server.query<{ mb: number }>(sql, 'app');
    return {
      version: `MariaDB ${server.version}`,
      url: server.url,
      query,
      fill: ({ from, to, first, each }) =>
        query(`
          insert into tenants select seq from seq_${from}_to_${to};
          insert into orders select ${first} + (t.seq - ${from}) * ${each} + n.seq, t.seq, '2026-01-01' + interval n.seq % 300 day, md5(n.seq), elt(1 + n.seq % 2, 'open', 'closed')
            from seq_${from}_to_${to} t, seq_0_to_${each - 1} n;
          insert into order_lines select o.id, l.seq, (o.id * l.seq % 10000) / 100, concat(md5(o.id * l.seq), ' ', md5(o.id + l.seq))
            from orders o, seq_1_to_3 l where o.id >= ${first};
          analyze table tenants, orders, order_lines`),
      settle: async () => {
        for (let tries = 0; tries < 600; tries += 1) {
          const [old] = await server.query<{ Value: string }>(
            `show global status like 'Innodb_history_list_length'`,
          );
          if (old!.Value === '0') return;
          await setTimeout(100);
        }
        throw new Error('MariaDB keeps old versions of rows for more than a minute');
      },
      megabytes: async () =>
        Number(
          (
            await query(
              `select sum(data_length + index_length) / 1e6 as mb from information_schema.tables where table_schema = 'app'`,
            )
          )[0]!.mb,
        ),
      stop: () => server.stop(),
    };
  },
};

export async function benchRows(options: {
  engine: 'postgresql' | 'mariadb';
  bin?: string;
  megabytes: number;
  rounds: number;
  progress: (line: string) => void;
}): Promise<RowsBench> {
  const { engine, bin, megabytes, rounds, progress } = options;
  const folder = await mkdtemp(join(tmpdir(), 'sovereign-bench-'));
  const place = await PLACES[engine](bin);
  try {
    progress(`${place.version}: ${TENANTS} tenants in shared tables, about ${megabytes} MB`);
    const each = Math.max(25, Math.round(megabytes * 15));
    await place.query(TABLES(engine === 'mariadb' ? 'varchar(200)' : 'text'));
    await place.fill({ from: 1, to: TENANTS, first: 1, each });
    const databaseMegabytes = await place.megabytes();
    const key = join(folder, 'key');
    const file = join(folder, 'tenancy.yaml');
    await writeFile(file, DESCRIPTION);
    await measure(process.execPath, [cli, 'keygen', key]);
    const env = { ...process.env, ...(bin ? { SOVEREIGN_BACKUP_PG_BIN: bin } : {}) };
    const ours = (command: string, tenant: string, ...args: string[]) => {
      const where = ['--server', place.url, '--store', join(folder, 'store'), '--key-file', key, '--json'];
      return measure(process.execPath, [cli, command, tenant, ...where, ...args], env);
    };
    const rows = ['--database', 'app', '--tenancy-file', file];
    const confirmed = (tenant: string) => [...rows, '--confirm', tenant];
    await place.fill({ from: 1001, to: 1001, first: 100_000_000, each: 1 });
    progress(`dumping, 1 + ${rounds} rounds`);
    const dumps = await byTurns(rounds, [
      { name: 'dump of the whole database', run: () => ours('dump', 'app') },
      { name: 'dump of 1 of 100 tenants', run: () => ours('dump', '50', ...rows) },
      { name: 'dump of a tenant of 5 rows', run: () => ours('dump', '1001', ...rows) },
    ]);
    await place.fill({ from: 1002, to: 1002, first: 200_000_000, each: ROWS / 4 });
    await ours('dump', '1002', ...rows);
    // Orders are numbered tenant by tenant, from 1.
    const [first, after] = [1 + 49 * each, 1 + 50 * each];
    const change = async (tenant: string, lines: string) => {
      await place.query(`update order_lines set price = price + 1 where ${lines}`);
      await place.query(`update orders set state = 'lost' where tenant_id = ${tenant}`);
      await place.settle();
      return ours('restore', tenant, ...confirmed(tenant));
    };
    const lose = async (tenant: string, lines: string) => {
      await place.query(`delete from order_lines where ${lines}`);
      await place.query(`delete from orders where tenant_id = ${tenant}`);
      await place.settle();
      return ours('restore', tenant, ...confirmed(tenant));
    };
    const [ofSmall, ofOne] = ['order_id >= 200000000', `order_id >= ${first} and order_id < ${after}`];
    progress(`restoring, 1 + ${rounds} rounds`);
    const restores = await byTurns(rounds, [
      {
        name: 'restore over 100,000 rows of which none differs',
        run: () => ours('restore', '1002', ...confirmed('1002')),
      },
      {
        name: 'restore over 100,000 rows that were all changed',
        run: () => change('1002', ofSmall),
      },
      { name: 'restore of 100,000 lost rows', run: () => lose('1002', ofSmall) },
      { name: 'restore of 1 of 100 tenants, all changed', run: () => change('50', ofOne) },
      { name: 'restore of 1 of 100 tenants, all lost', run: () => lose('50', ofOne) },
      { name: 'restore of a tenant of 5 rows', run: () => ours('restore', '1001', ...confirmed('1001')) },
    ]);
    const runs = { ...dumps, ...restores };
    const median = (name: string) => secondsOf(runs[name]!).median;
    const whole = median('dump of the whole database');
    const figureOf = (name: string, of: string, fixed: string, by: number, target: number): RowsFigure => ({
      name,
      value: median(of) / by,
      beyondFixed: (median(of) - median(fixed)) / by,
      target,
    });
    const rowsEach = each * 4 + 1;
    const [small, tiny] = ['dump of a tenant of 5 rows', 'restore of a tenant of 5 rows'] as const;
    return {
      server: place.version,
      databaseMegabytes,
      rowsEach,
      runs,
      figures: [
        figureOf(
          'dump of 1 of 100 tenants, share of the whole',
          'dump of 1 of 100 tenants',
          small,
          whole,
          0.03,
        ),
        figureOf(
          'restore of 1 of 100 tenants, all lost, seconds for each 100,000 rows',
          'restore of 1 of 100 tenants, all lost',
          tiny,
          rowsEach / ROWS,
          2,
        ),
        figureOf(
          'restore of 1 of 100 tenants, all changed, seconds for each 100,000 rows',
          'restore of 1 of 100 tenants, all changed',
          tiny,
          rowsEach / ROWS,
          2,
        ),
        figureOf('restore of 100,000 lost rows, seconds', 'restore of 100,000 lost rows', tiny, 1, 2),
        figureOf(
          'restore over 100,000 rows that were all changed, seconds',
          'restore over 100,000 rows that were all changed',
          tiny,
          1,
          2,
        ),
        figureOf(
          'restore over 100,000 rows of which none differs, seconds',
          'restore over 100,000 rows of which none differs',
          tiny,
          1,
          2,
        ),
      ],
    };
  } finally {
    await place.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

export function printRows({ server, databaseMegabytes, rowsEach, runs, figures }: RowsBench): void {
  console.log(
    `\n${server}, 100 tenants of ${rowsEach} rows in shared tables, ${databaseMegabytes.toFixed(0)} MB`,
  );
  printRuns('rows of shared tables', runs);
  console.log('');
  for (const { name, value, beyondFixed, target } of figures)
    console.log(
      `  ${name}: ${value.toFixed(3)} (target at most ${target}: ${value <= target ? 'reached' : 'missed'}); ` +
        `beyond that of five rows ${beyondFixed.toFixed(3)}`,
    );
}
