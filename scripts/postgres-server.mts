// A throwaway PostgreSQL server: its own folder, a free port, gone afterwards however this process ends.
// One implementation for the tests, the demo and the benchmark.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { chown, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freshData } from './fresh-data.mts';
import { freePort, guard, run, runAs } from './server-process.mts';

export interface PostgresOptions {
  /** Folder with `postgres`, `initdb` and the clients. @default - the newest found on this machine */
  readonly bin?: string;
  /** Ask for this password (SCRAM) on every connection. @default - no password asked */
  readonly password?: string;
  /** Lines for postgresql.conf. */
  readonly settings?: Record<string, string>;
  /** Keep fsync on, as a real server does. @default false: fast, and the data is thrown away anyway */
  readonly durable?: boolean;
}

export interface PostgresServer {
  /** `postgres://postgres@127.0.0.1:PORT`: the superuser, never with a password in it. */
  readonly url: string;
  readonly port: number;
  readonly password?: string;
  readonly folder: string;
  /** Folder of the client tools that belong to this server. */
  readonly bin: string;
  /** Folder of its own programs; those of another version come without clients. */
  readonly serverBin: string;
  readonly version: string;
  readonly major: number;
  /** The operating system's number of the server process. */
  readonly pid: number;
  /** The server's own log so far. */
  log(): Promise<string>;
  /** An open connection; the caller ends it. */
  connect(database?: string): Promise<pg.Client>;
  /** Rows of one statement on a connection of its own. */
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    sql: string,
    values?: unknown[],
    database?: string,
  ): Promise<Row[]>;
  /** Ends the server as a crash (`SIGKILL`) or an immediate shutdown (`SIGQUIT`) does. */
  crash(signal: 'SIGKILL' | 'SIGQUIT'): Promise<void>;
  /** Starts it again after a crash, on the same port with the same data. */
  restart(): Promise<void>;
  /** Stops the server and removes its folder. May be called more than once. */
  stop(): Promise<void>;
}

const NOT_FOUND = `PostgreSQL's server programs (postgres, initdb) were not found.
  Debian, Ubuntu: apt-get install postgresql   (or: node scripts/setup.mts test)
  macOS:          brew install postgresql@17
Another place: put its bin folder into PATH.`;

const executable = (folder: string): boolean =>
  existsSync(join(folder, 'postgres')) && existsSync(join(folder, 'initdb'));

function folderNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Numbers in names count as numbers: 17 comes before 9.6. */
const newestFirst = (a: string, b: string): number => b.localeCompare(a, 'en', { numeric: true });

/** Where the newest PostgreSQL server programs of this machine are, or those that were asked for, or nothing. */
export function findPostgres(): string | undefined {
  const asked = process.env.SOVEREIGN_TEST_PG_SERVER;
  if (asked) return asked;
  const debian = folderNames('/usr/lib/postgresql')
    .sort(newestFirst)
    .map((version) => join('/usr/lib/postgresql', version, 'bin'));
  const homebrew = ['/opt/homebrew/opt', '/usr/local/opt'].flatMap((folder) =>
    folderNames(folder)
      .filter((name) => /^postgresql(@\d+)?$/.test(name))
      .sort(newestFirst)
      .map((name) => join(folder, name, 'bin')),
  );
  return [...debian, ...homebrew, ...(process.env.PATH ?? '').split(delimiter)].find(executable);
}

async function ready(folder: string, server: ChildProcess): Promise<boolean> {
  const deadline = Date.now() + 60_000;
  while (server.exitCode === null && server.signalCode === null && Date.now() < deadline) {
    // The eighth line of this file is what pg_ctl waits for, too.
    const lines = (await readFile(join(folder, 'data/postmaster.pid'), 'utf8').catch(() => '')).split('\n');
    if (lines[7]?.trim() === 'ready') return true;
    await sleep(20);
  }
  return false;
}

function settings(folder: string, port: number, options: PostgresOptions): string {
  const quoted = (value: string) => `'${value.replaceAll("'", "''")}'`;
  const values: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: folder,
    max_connections: '60',
    ...(options.durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    ...options.settings,
  };
  return Object.entries(values)
    .map(([name, value]) => `${name} = ${quoted(value)}\n`)
    .join('');
}

async function launch(folder: string, bin: string, port: number, options: PostgresOptions) {
  await writeFile(join(folder, 'data/postgresql.auto.conf'), settings(folder, port, options));
  const log = await open(join(folder, 'log'), 'a');
  const server = spawn(join(bin, 'postgres'), ['-D', join(folder, 'data')], {
    ...runAs(),
    cwd: folder,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  await once(server, 'spawn');
  await log.close();
  return server;
}

const versionOf = (bin: string): string =>
  execFileSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8' }).trim();

async function makeData(bin: string, folder: string, password: string | undefined): Promise<void> {
  const as = { ...runAs(), cwd: folder };
  const args = ['-U', 'postgres', '--no-locale', '-E', 'UTF8', '--no-sync'];
  const initdb = (...auth: string[]) => run(join(bin, 'initdb'), ['-D', 'data', ...args, ...auth], as);
  if (!password) {
    const identity = [bin, versionOf(bin), String(as.uid ?? process.getuid?.()), ...args];
    return freshData(identity, join(folder, 'data'), () => initdb('--auth=trust'));
  }
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, `${password}\n`);
  await initdb('--auth=scram-sha-256', `--pwfile=${passwordFile}`);
  await rm(passwordFile);
}

/** Starts a server and waits until it takes connections. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const bin = options.bin ?? findPostgres();
  if (!bin) throw new Error(NOT_FOUND);
  const folder = await mkdtemp(join(tmpdir(), 'sovereign-pg-'));
  try {
    const { uid, gid } = runAs();
    if (uid !== undefined && gid !== undefined) await chown(folder, uid, gid);
    await makeData(bin, folder, options.password);
    const log = () => readFile(join(folder, 'log'), 'utf8');
    // Somebody else may take the free port before the server does.
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      const port = await freePort();
      const server = await launch(folder, bin, port, options);
      const watcher = guard(server.pid!, folder);
      if (await ready(folder, server)) return handle({ bin, folder, port, server, watcher, log, options });
      watcher.kill('SIGKILL');
      server.kill('SIGQUIT');
      if (!(await log()).includes('could not bind')) break;
    }
    throw new Error(`PostgreSQL did not start:\n${await log()}`);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

interface Running {
  readonly bin: string;
  readonly folder: string;
  readonly port: number;
  server: ChildProcess;
  watcher: ChildProcess;
  readonly options: PostgresOptions;
  log(): Promise<string>;
}

function handle(running: Running): PostgresServer {
  const { bin, folder, port, options } = running;
  const version = /\d[\w.]*/.exec(versionOf(bin))?.[0] ?? '0';
  running.server.unref();

  const connect = async (database = 'postgres'): Promise<pg.Client> => {
    const client = new pg.Client({
      host: '127.0.0.1',
      port,
      user: 'postgres',
      database,
      // Never what PGPASSWORD happens to hold.
      password: options.password ?? 'unused',
    });
    // A server that stops ends its connections; that is no reason to crash whoever still holds one.
    client.on('error', () => {});
    await client.connect();
    return client;
  };

  const crash = async (signal: NodeJS.Signals): Promise<void> => {
    const { server } = running;
    if (server.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, 'exit');
    server.ref();
    server.kill(signal);
    await gone;
  };

  const restart = async (): Promise<void> => {
    running.watcher.kill('SIGKILL');
    const deadline = Date.now() + 30_000;
    for (;;) {
      await rm(join(folder, 'data/postmaster.pid'), { force: true });
      running.server = await launch(folder, bin, port, options);
      running.server.unref();
      running.watcher = guard(running.server.pid!, folder);
      if (await ready(folder, running.server)) return;
      // Sessions of the killed one may hold the shared memory for a moment.
      running.watcher.kill('SIGKILL');
      if (Date.now() > deadline) throw new Error(`PostgreSQL did not start again:\n${await running.log()}`);
      await sleep(200);
    }
  };

  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    const { server, watcher } = running;
    const gone = server.exitCode !== null || server.signalCode !== null ? undefined : once(server, 'exit');
    server.ref();
    server.kill('SIGINT');
    const impatience = setTimeout(() => server.kill('SIGQUIT'), 10_000);
    await gone;
    clearTimeout(impatience);
    watcher.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  };

  return {
    url: `postgres://postgres@127.0.0.1:${port}`,
    port,
    password: options.password,
    folder,
    bin: process.env.SOVEREIGN_BACKUP_PG_BIN ?? bin,
    serverBin: bin,
    version,
    major: Number.parseInt(version, 10),
    get pid() {
      return running.server.pid!;
    },
    log: running.log,
    connect,
    async query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[], database?: string) {
      const client = await connect(database);
      try {
        return (await client.query<Row>(sql, values)).rows;
      } finally {
        await client.end();
      }
    },
    crash,
    restart,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}
