// Dump and restore of one tenant beside PostgreSQL's own tools: same database, same server, same run.
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '../scripts/postgres-server.mts';
import { DATABASE, fill } from './database.mts';
import { byTurns, type Figure, figure, type Runs } from './figures.mts';
import { measure } from './measure.mts';

const cli = join(import.meta.dirname, '../dist/bin/sovereign-backup.mjs');
/** As many sessions as `restore` takes by itself. */
const JOBS = Math.min(availableParallelism(), 4);

export interface DumpBench {
  readonly server: string;
  readonly databaseMegabytes: number;
  /** Sizes of the encrypted dump, and of the yardstick's. */
  readonly archiveMegabytes: number;
  readonly plainMegabytes: number;
  readonly rounds: number;
  readonly dumps: Runs;
  readonly restores: Runs;
  readonly small: Runs;
  readonly figures: readonly Figure[];
  readonly peakMegabytes: number;
}

async function dropOthers(server: PostgresServer): Promise<void> {
  const others = await server.query(
    "SELECT quote_ident(datname) AS name FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1', 'small', $1)",
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
    settings: {
      shared_buffers: '512MB',
      max_wal_size: '8GB',
      maintenance_work_mem: '128MB',
      // What one round has loaded would be vacuumed while the next is measured, whosever that is.
      autovacuum: 'off',
    },
  });
  try {
    progress(`PostgreSQL ${server.version}: filling a database of about ${options.megabytes} MB`);
    const databaseMegabytes = await fill(server, options.megabytes);
    await server.query('CREATE DATABASE small');
    const connection = ['-h', '127.0.0.1', '-p', String(server.port), '-U', 'postgres'];
    await measure(join(server.bin, 'pgbench'), [...connection, '-i', '-q', '-s', '1', 'small']);
    const env = { ...process.env, SOVEREIGN_BACKUP_PG_BIN: server.bin };
    const tool = (name: string) => join(server.bin, name);
    const key = join(folder, 'key');
    const store = join(folder, 'store');
    await measure(process.execPath, [cli, 'keygen', key]);
    const ours = (command: string, tenant: string, ...args: string[]) => {
      const where = ['--server', server.url, '--store', store, '--key-file', key, '--json'];
      return measure(process.execPath, [cli, command, tenant, ...where, ...args], env);
    };

    const plain = join(folder, 'plain.dump');
    const ownZstd = server.major >= 16;
    const pipe = '"$1" -Fc -Z0 -d "$2" | zstd -q -3 -f -o "$3"';
    const theirDump = (database: string) => {
      const url = `${server.url}/${database}`;
      return ownZstd
        ? measure(tool('pg_dump'), ['-Fc', '-Z', 'zstd', '-f', plain, '-d', url], env)
        : measure('bash', ['-o', 'pipefail', '-c', pipe, 'bench', tool('pg_dump'), url, plain], env);
    };
    const dumper = ownZstd ? 'pg_dump -Fc -Z zstd' : 'pg_dump -Fc -Z0 | zstd -3';
    const loaded = join(folder, 'loaded.dump');

    progress(`dumping 10 MB, 1 + ${rounds} rounds`);
    const small = await byTurns(rounds, [
      { name: dumper, run: () => theirDump('small') },
      { name: 'dump', run: () => ours('dump', 'small') },
    ]);

    progress(`dumping, 1 + ${rounds} rounds`);
    // What pg_restore reads back is the dump itself, in the form that pg_dump wrote.
    await theirDump(DATABASE);
    const bare = ownZstd ? plain : join(folder, 'bare.dump');
    if (!ownZstd) await measure('zstd', ['-q', '-d', '-f', '-o', bare, plain]);
    const dumps = await byTurns(rounds, [
      { name: dumper, run: () => theirDump(DATABASE) },
      { name: 'dump --checksums rows', run: () => ours('dump', DATABASE, '--checksums', 'rows') },
      {
        name: 'dump --checksums rows --level 3',
        run: () => ours('dump', DATABASE, '--checksums', 'rows', '--level', '3'),
      },
      { name: 'dump', run: () => ours('dump', DATABASE) },
      {
        name: `dump --checksums rows --jobs ${JOBS}`,
        run: () => ours('dump', DATABASE, '--checksums', 'rows', '--jobs', String(JOBS)),
      },
      {
        name: 'pg_restore -f /dev/null',
        run: () => measure(tool('pg_restore'), ['-f', '/dev/null', bare], env),
      },
    ]);
    const { bytes, archive } = JSON.parse((await ours('dump', DATABASE)).stdout);
    await measure(process.execPath, [
      ...[cli, 'restore', DATABASE, '--store', store, '--key-file', key, '--to-file', loaded],
    ]);

    progress(`restoring, 1 + ${rounds} rounds`);
    const theirRestore = async (...args: string[]) => {
      await dropOthers(server);
      await server.query('CREATE DATABASE theirs TEMPLATE template0');
      const url = `${server.url}/theirs`;
      return measure(tool('pg_restore'), ['--exit-on-error', ...args, '-d', url, loaded], env);
    };
    // With what makes it a database that can be used: theirs is created, and analysed, as ours is.
    const usable =
      '"$1/createdb" $2 -T template0 theirs && "$1/pg_restore" --exit-on-error "$4" $2 -d theirs "$3" && "$1/vacuumdb" -q -Z "$4" $2 theirs';
    const theirUsable = async (jobs: string) => {
      await dropOthers(server);
      return measure('bash', ['-c', usable, 'bench', server.bin, connection.join(' '), loaded, jobs], env);
    };
    const ourRestore = async (...args: string[]) => {
      await dropOthers(server);
      return ours('restore', DATABASE, '--confirm', DATABASE, ...args);
    };
    const opened = await publicOpener(folder, join(store, 'local', DATABASE, archive), key);
    // The archive itself, which pg_restore can read only once it is opened.
    const theirOpened = async () => {
      await dropOthers(server);
      await server.query('CREATE DATABASE theirs TEMPLATE template0');
      const both = `${opened} > "$2" && "$1" --exit-on-error -j${JOBS} -d "$3" "$2"`;
      const words = [both, 'bench', tool('pg_restore'), join(folder, 'opened.dump'), `${server.url}/theirs`];
      return measure('bash', ['-o', 'pipefail', '-c', ...words], env);
    };
    const parallel = `pg_restore -j${JOBS}`;
    const restores = await byTurns(rounds, [
      { name: 'pg_restore', run: () => theirRestore() },
      { name: parallel, run: () => theirRestore(`-j${JOBS}`) },
      { name: `createdb, ${parallel}, vacuumdb -Z`, run: () => theirUsable(`-j${JOBS}`) },
      { name: `archive opened by public tools, ${parallel}`, run: theirOpened },
      { name: 'restore --checksums rows', run: () => ourRestore('--checksums', 'rows') },
      { name: 'restore', run: () => ourRestore() },
    ]);
    const peaks = [...Object.values(dumps), ...Object.values(restores)].flat();
    const mine = peaks.filter(({ program }) => program === process.execPath);
    return {
      server: server.version,
      databaseMegabytes,
      archiveMegabytes: bytes / 1e6,
      plainMegabytes: (await size(plain)) / 1e6,
      rounds,
      dumps,
      restores,
      small,
      figures: [
        figure('dump with row counts, time over the plain dump', dumps, {
          ours: 'dump --checksums rows',
          theirs: dumper,
          target: 1.1,
        }),
        figure('the same at level 3, as the plain dump', dumps, {
          ours: 'dump --checksums rows --level 3',
          theirs: dumper,
          target: 1.1,
        }),
        figure(`the same in ${JOBS} sessions, time over the plain dump in one`, dumps, {
          ours: `dump --checksums rows --jobs ${JOBS}`,
          theirs: dumper,
          target: 1.1,
        }),
        figure('dump with checksums of content, time over the dump with row counts', dumps, {
          ours: 'dump',
          theirs: 'dump --checksums rows',
          target: 1.25,
        }),
        figure('the read-back alone, time over the dump with row counts', dumps, {
          ours: 'pg_restore -f /dev/null',
          theirs: 'dump --checksums rows',
          target: 0.15,
        }),
        figure(`restore with row counts, time over ${parallel}`, restores, {
          ours: 'restore --checksums rows',
          theirs: parallel,
          target: 1.1,
        }),
        figure('restore with row counts, time over createdb, the same, and ANALYZE', restores, {
          ours: 'restore --checksums rows',
          theirs: `createdb, ${parallel}, vacuumdb -Z`,
          target: 1.1,
        }),
        figure(`restore with row counts, time over ${parallel} of the same archive`, restores, {
          ours: 'restore --checksums rows',
          theirs: `archive opened by public tools, ${parallel}`,
          target: 1.1,
        }),
        figure(`restore with checksums of content, time over ${parallel}`, restores, {
          ours: 'restore',
          theirs: parallel,
        }),
        figure('restore with row counts, time over pg_restore', restores, {
          ours: 'restore --checksums rows',
          theirs: 'pg_restore',
          target: 1 / 0.9,
        }),
        figure('dump of 10 MB, time over the plain dump', small, { ours: 'dump', theirs: dumper }),
      ],
      peakMegabytes: Math.max(...mine.map(({ peakMegabytes }) => peakMegabytes)),
    };
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The command by which docs/archive-format.md opens an archive, with the encryption SDK's own client. */
async function publicOpener(folder: string, archive: string, key: string): Promise<string> {
  const docs = await readFile(join(import.meta.dirname, '../docs/archive-format.md'), 'utf8');
  const source = /```js\n([\s\S]*?)```/.exec(docs)![1]!;
  const sdk = createRequire(import.meta.url).resolve('@aws-crypto/client-node');
  const script = join(folder, 'open.cjs');
  await writeFile(script, source.replace("'@aws-crypto/client-node'", JSON.stringify(sdk)));
  const manifest = JSON.parse(await readFile(join(archive, 'manifest.json'), 'utf8'));
  const words = [process.execPath, script, join(archive, 'data'), key, manifest.key.id];
  const unpack = manifest.compressed.algorithm === 'zstd' ? ' | zstd -dc' : '';
  return words.map((word) => `'${word}'`).join(' ') + unpack;
}

async function size(path: string): Promise<number> {
  return (await stat(path)).size;
}
