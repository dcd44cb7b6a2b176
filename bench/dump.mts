// Dump and restore of one tenant beside PostgreSQL's own tools: same database, same server, same run.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '../scripts/postgres-server.mts';
import { DATABASE, fill } from './database.mts';
import { type Measured, measure, type Spread, spread } from './measure.mts';

const cli = join(import.meta.dirname, '../dist/bin/sovereign-backup.mjs');

export interface Comparison {
  readonly ours: Spread;
  readonly theirs: Spread;
  /** Throughput of ours over theirs: above 1 is faster. Medians. */
  readonly ratio: number;
  readonly ourPeakMegabytes: number;
  readonly ourChildrenMegabytes: Record<string, number>;
  readonly theirPeakMegabytes: number;
}

export interface DumpBench {
  readonly server: string;
  readonly yardstick: string;
  readonly databaseMegabytes: number;
  readonly archiveMegabytes: number;
  readonly rounds: number;
  readonly dump: Comparison;
  readonly restore: Comparison;
}

function compare(ours: Measured[], theirs: Measured[]): Comparison {
  const most = (values: number[]) => Math.max(0, ...values);
  const names = [...new Set(ours.flatMap((each) => Object.keys(each.children)))];
  const ourSeconds = spread(ours.map((each) => each.seconds));
  const theirSeconds = spread(theirs.map((each) => each.seconds));
  return {
    ours: ourSeconds,
    theirs: theirSeconds,
    ratio: theirSeconds.median / ourSeconds.median,
    ourPeakMegabytes: most(ours.map((each) => each.peakMegabytes)),
    ourChildrenMegabytes: Object.fromEntries(
      names.map((name) => [name, most(ours.map((each) => each.children[name] ?? 0))]),
    ),
    theirPeakMegabytes: most(
      theirs.map((each) => Math.max(each.peakMegabytes, ...Object.values(each.children))),
    ),
  };
}

/** Runs both by turns, the other one first each time; the first pair only warms up. */
async function byTurns(rounds: number, ours: () => Promise<Measured>, theirs: () => Promise<Measured>) {
  const results = { ours: [] as Measured[], theirs: [] as Measured[] };
  for (let round = 0; round <= rounds; round += 1) {
    const pair = [
      { to: results.ours, run: ours },
      { to: results.theirs, run: theirs },
    ];
    for (const { to, run } of round % 2 ? pair : pair.reverse()) {
      const measured = await run();
      if (round > 0) to.push(measured);
    }
  }
  return compare(results.ours, results.theirs);
}

async function dropOthers(server: PostgresServer): Promise<void> {
  const others = await server.query(
    "SELECT quote_ident(datname) AS name FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1', $1)",
    [DATABASE],
  );
  for (const { name } of others) await server.query(`DROP DATABASE ${name} WITH (FORCE)`);
  await server.query('CHECKPOINT');
}

export async function benchDump(options: {
  bin?: string;
  megabytes: number;
  rounds: number;
  progress: (line: string) => void;
}): Promise<DumpBench> {
  const { rounds, progress } = options;
  const folder = await mkdtemp(join(tmpdir(), 'sovereign-bench-'));
  progress('starting PostgreSQL');
  const server = await startPostgres({
    bin: options.bin,
    durable: true,
    settings: { shared_buffers: '512MB', max_wal_size: '8GB', maintenance_work_mem: '128MB' },
  });
  try {
    progress(`PostgreSQL ${server.version}: filling a database of about ${options.megabytes} MB`);
    const databaseMegabytes = await fill(server, options.megabytes);
    const env = { ...process.env, SOVEREIGN_BACKUP_PG_BIN: server.bin };
    const tool = (name: string) => join(server.bin, name);
    const url = `${server.url}/${DATABASE}`;
    const key = join(folder, 'key');
    const store = join(folder, 'store');
    await measure(process.execPath, [cli, 'keygen', key]);
    const tenant = [DATABASE, '--server', server.url, '--store', store, '--key-file', key];

    const plain = join(folder, 'plain.dump');
    const ownZstd = server.major >= 16;
    const pipe = '"$1" -Fc -Z0 -d "$2" | zstd -q -3 -f -o "$3"';
    const theirDump = ownZstd
      ? () => measure(tool('pg_dump'), ['-Fc', '-Z', 'zstd', '-f', plain, '-d', url], env)
      : () => measure('bash', ['-o', 'pipefail', '-c', pipe, 'bench', tool('pg_dump'), url, plain], env);
    const ourDump = () => measure(process.execPath, [cli, 'dump', ...tenant, '--json'], env);
    progress(`dumping, 1 + ${rounds} rounds`);
    const dump = await byTurns(rounds, ourDump, theirDump);
    const { bytes } = JSON.parse((await ourDump()).stdout);

    const side = `${server.url}/theirs`;
    const unpipe = 'zstd -q -d -c "$3" | "$1" --exit-on-error -d "$2"';
    const theirRestore = async () => {
      await dropOthers(server);
      await server.query('CREATE DATABASE theirs TEMPLATE template0');
      return ownZstd
        ? measure(tool('pg_restore'), ['--exit-on-error', '-d', side, plain], env)
        : measure('bash', ['-o', 'pipefail', '-c', unpipe, 'bench', tool('pg_restore'), side, plain], env);
    };
    const ourRestore = async () => {
      await dropOthers(server);
      return measure(process.execPath, [cli, 'restore', ...tenant, '--confirm', DATABASE, '--json'], env);
    };
    progress(`restoring, 1 + ${rounds} rounds`);
    const restore = await byTurns(rounds, ourRestore, theirRestore);
    return {
      server: server.version,
      yardstick: ownZstd
        ? 'pg_dump -Fc -Z zstd; pg_restore'
        : 'pg_dump -Fc -Z0 | zstd -3; zstd -d | pg_restore',
      databaseMegabytes,
      archiveMegabytes: bytes / 1e6,
      rounds,
      dump,
      restore,
    };
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
