// The same for MariaDB: dump beside `mariadb-dump | zstd -3`, restore beside `zstd -d | mariadb`.
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMariadb } from '../scripts/mariadb-server.mts';
import { byTurns, type Figure, figure, type Runs } from './figures.mts';
import { measure } from './measure.mts';

const cli = join(import.meta.dirname, '../dist/bin/sovereign-backup.mjs');
const TARGET = 1.15;
/** As it is typed, with what a backup needs; zstd's level 3 is its own. */
const PLAIN = 'mariadb-dump | zstd -3';

/** Half of it numbers, half of it words of very different frequency. */
const FILL = `
  create table accounts (id int primary key, branch int not null, balance int not null, filler char(84) not null);
  insert into accounts select seq, seq % 10, seq * 7 % 100000, '' from seq_1_to_$ACCOUNTS;
  create table tickets (id bigint primary key, opened datetime not null, customer char(36) not null,
                        state varchar(10) not null, body text not null);
  insert into tickets
    select seq, '2026-01-01' + interval seq * 37 second, md5(seq * 7), elt(1 + seq % 3, 'open', 'waiting', 'closed'),
           (select group_concat(substr(md5(floor(4000 * pow(rand(), 3))), 1, 3 + x.seq % 8) separator ' ')
              from seq_1_to_60 x where x.seq + t.seq > 0)
      from seq_1_to_$TICKETS t;`;

export interface MariadbBench {
  readonly server: string;
  readonly databaseMegabytes: number;
  readonly archiveMegabytes: number;
  readonly plainMegabytes: number;
  readonly dumps: Runs;
  readonly restores: Runs;
  readonly figures: readonly Figure[];
  /** Of our own process, over all runs. */
  readonly peakMegabytes: number;
}

export async function benchMariadb(options: {
  megabytes: number;
  rounds: number;
  progress: (line: string) => void;
}): Promise<MariadbBench> {
  const { megabytes, rounds, progress } = options;
  const folder = await mkdtemp(join(tmpdir(), 'sovereign-bench-'));
  progress('starting MariaDB');
  const server = await startMariadb({ durable: true, settings: { 'innodb-buffer-pool-size': '512M' } });
  try {
    progress(`MariaDB ${server.version}: filling a database of about ${megabytes} MB`);
    await server.query('create database bench');
    const rows = (each: number) => String(Math.round((megabytes / 2) * each));
    await server.query(FILL.replace('$ACCOUNTS', rows(8000)).replace('$TICKETS', rows(1750)), 'bench');
    await server.query('analyze table accounts, tickets', 'bench');
    const [filled] = await server.query<{ mb: number }>(
      "select sum(data_length + index_length) / 1e6 as mb from information_schema.tables where table_schema = 'bench'",
    );
    const plain = join(folder, 'plain.zst');
    const store = join(folder, 'store');
    const key = join(folder, 'key');
    await measure(process.execPath, [cli, 'keygen', key]);
    const ours = (command: string, ...args: string[]) =>
      measure(process.execPath, [
        ...[cli, command, 'bench', '--server', server.url, '--store', store, '--key-file', key, '--json'],
        ...args,
      ]);
    const where = `-h127.0.0.1 -P${server.port} -uroot`;
    const shell = (script: string) => measure('bash', ['-o', 'pipefail', '-c', script, 'bench', plain]);
    const wanted = '--single-transaction --quick --routines --triggers --events --hex-blob';

    progress(`dumping, 1 + ${rounds} rounds`);
    const dumps = await byTurns(rounds, [
      {
        name: PLAIN,
        run: () => shell(`mariadb-dump ${where} ${wanted} bench | zstd -q -3 -f -o "$1"`),
      },
      { name: 'dump --checksums rows', run: () => ours('dump', '--checksums', 'rows') },
      {
        name: 'dump --checksums rows --level 3',
        run: () => ours('dump', '--checksums', 'rows', '--level', '3'),
      },
      { name: 'dump', run: () => ours('dump') },
    ]);
    const { bytes } = JSON.parse((await ours('dump')).stdout);

    progress(`restoring, 1 + ${rounds} rounds`);
    const clean = async () => {
      const others = await server.query<{ name: string }>(
        "select schema_name as name from information_schema.schemata where schema_name regexp '^(theirs|bench__)'",
      );
      for (const { name } of others) await server.query(`drop database \`${name}\``);
    };
    const ourRestore = async (...args: string[]) => {
      await clean();
      return ours('restore', '--confirm', 'bench', ...args);
    };
    const restores = await byTurns(rounds, [
      {
        name: 'zstd -d | mariadb',
        run: async () => {
          await clean();
          await server.query('create database theirs');
          return shell(`zstd -q -d -c "$1" | mariadb ${where} theirs`);
        },
      },
      { name: 'restore --checksums rows', run: () => ourRestore('--checksums', 'rows') },
      { name: 'restore', run: () => ourRestore() },
    ]);
    const mine = Object.values({ ...dumps, ...restores }).flat();
    return {
      server: server.version,
      databaseMegabytes: Number(filled!.mb),
      archiveMegabytes: bytes / 1e6,
      plainMegabytes: (await stat(plain)).size / 1e6,
      dumps,
      restores,
      figures: [
        figure(`dump with row counts, time over ${PLAIN}`, dumps, {
          ours: 'dump --checksums rows',
          theirs: PLAIN,
          target: TARGET,
        }),
        figure('the same at level 3, as the plain dump', dumps, {
          ours: 'dump --checksums rows --level 3',
          theirs: PLAIN,
          target: TARGET,
        }),
        figure('dump with checksums of content, time over the dump with row counts', dumps, {
          ours: 'dump',
          theirs: 'dump --checksums rows',
          target: 1.25,
        }),
        figure('restore with row counts, time over zstd -d | mariadb', restores, {
          ours: 'restore --checksums rows',
          theirs: 'zstd -d | mariadb',
          target: TARGET,
        }),
        figure('restore with checksums of content, time over the same', restores, {
          ours: 'restore',
          theirs: 'zstd -d | mariadb',
        }),
      ],
      peakMegabytes: Math.max(
        ...mine
          .filter(({ program }) => program === process.execPath)
          .map(({ peakMegabytes }) => peakMegabytes),
      ),
    };
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
