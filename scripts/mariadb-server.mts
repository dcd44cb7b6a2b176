// A throwaway MariaDB or MySQL server: its own folder, a free port, gone afterwards however this process ends.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { chown, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import mysql from 'mysql2/promise';
import { freshData } from './fresh-data.mts';
import { freePort, guard, run, runAs } from './server-process.mts';

export interface MariadbOptions {
  /** Folder with the server's programs. @default - the variable TEST_MYSQL_BIN, else the newest found on this machine */
  readonly bin?: string;
  /** The password of root. @default - none */
  readonly password?: string;
  /** Options of the server, without the two dashes. */
  readonly settings?: Record<string, string>;
  /** Write to the disk as a real server does. @default false: fast, and the data is thrown away anyway */
  readonly durable?: boolean;
}

export type Row = Record<string, unknown>;

export interface MariadbServer {
  /** `mysql://root@127.0.0.1:PORT`: may do everything, never with a password in it. */
  readonly url: string;
  readonly port: number;
  readonly password?: string;
  readonly folder: string;
  /** `10.11.14-MariaDB`, `8.0.43`. */
  readonly version: string;
  readonly isMariadb: boolean;
  /** Where its own client tools are; absent: on the PATH. */
  readonly bin?: string;
  /** The operating system's number of the server process; another one after `restart`. */
  readonly pid: number;
  log(): Promise<string>;
  /** An open connection; the caller ends it. */
  connect(database?: string, user?: string): Promise<mysql.Connection>;
  /** Rows of the last of the statements, on a connection of its own. */
  query<R = Row>(sql: string, database?: string): Promise<R[]>;
  /** Kills the server without a word and starts it again on the same data. */
  crash(): Promise<void>;
  /** Stops the server and removes its folder. May be called more than once. */
  stop(): Promise<void>;
}

const NOT_FOUND = `MariaDB's server programs (mariadbd, mariadb-install-db) were not found.
  Debian, Ubuntu: apt-get install mariadb-server-core mariadb-client   (or: node scripts/setup.mts test)
  macOS:          brew install mariadb
Another place: name its bin folder in TEST_MYSQL_BIN.`;

const ACCOUNT = 'mysql';

interface Programs {
  readonly server: string;
  /** MariaDB's; MySQL's server makes its own tables. */
  readonly installer?: string;
}

function programsIn(folders: readonly string[]): Programs | undefined {
  const first = (name: string) => folders.map((folder) => join(folder, name)).find(existsSync);
  const installer = first('mariadb-install-db');
  const mariadb = first('mariadbd');
  if (mariadb && installer) return { server: mariadb, installer };
  const mysqld = first('mysqld');
  return mysqld ? { server: mysqld } : undefined;
}

/** The server programs that tests use, or nothing. */
export function findMariadb(bin = process.env.TEST_MYSQL_BIN): Programs | undefined {
  if (bin) return programsIn([bin, join(bin, '../sbin')]);
  const path = (process.env.PATH ?? '').split(delimiter);
  const brew = ['/opt/homebrew/opt/mariadb/bin', '/usr/local/opt/mariadb/bin'];
  return programsIn(['/usr/sbin', '/usr/bin', ...brew, ...path]);
}

/** In memory where there is room: creating a server's own tables is all waiting for the disk. */
function parentFolder(): string {
  try {
    accessSync('/dev/shm', constants.W_OK);
    const { bavail, bsize } = statfsSync('/dev/shm');
    if (bavail * bsize > 2 * 1024 ** 3) return '/dev/shm';
  } catch {
    // Not Linux, or too small.
  }
  return tmpdir();
}

const saidVersion = (program: string): string =>
  execFileSync(program, ['--no-defaults', '--version'], { encoding: 'utf8' });

/** A password is only given later, to the running server. */
async function makeData(programs: Programs, folder: string, options: MariadbOptions): Promise<void> {
  const data = join(folder, 'data');
  const as = { ...runAs(ACCOUNT), cwd: folder };
  const [program, ...own] = programs.installer
    ? [programs.installer, '--auth-root-authentication-method=normal', '--skip-test-db']
    : [programs.server, '--secure-file-priv=', '--initialize-insecure'];
  const args = ['--no-defaults', ...baseOf(options), ...own];
  const identity = [program, saidVersion(programs.server), String(as.uid ?? process.getuid?.()), ...args];
  // Two that make tables in one temporary folder take each other's away, even for that moment.
  const places = [`--datadir=${data}`, `--tmpdir=${folder}`];
  await freshData(identity, data, () => run(program, [...args, ...places], as));
}

/** Starts a server and waits until it takes connections. */
export async function startMariadb(options: MariadbOptions = {}): Promise<MariadbServer> {
  const programs = findMariadb(options.bin);
  if (!programs) throw new Error(NOT_FOUND);
  const folder = await mkdtemp(join(parentFolder(), 'sovereign-my-'));
  try {
    const { uid, gid } = runAs(ACCOUNT);
    if (uid !== undefined && gid !== undefined) await chown(folder, uid, gid);
    await makeData(programs, folder, options);
    const server = new Server(programs.server, folder, options);
    await server.start();
    await server.secure();
    return server;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** A server that was unpacked somewhere looks for its messages beside itself. */
function baseOf({ bin = process.env.TEST_MYSQL_BIN }: MariadbOptions): string[] {
  return bin ? [`--basedir=${join(bin, '..')}`] : [];
}

class Server implements MariadbServer {
  public port = 0;
  public readonly version: string;
  public readonly isMariadb: boolean;
  private child: ChildProcess | undefined;
  private watcher: ChildProcess | undefined;
  private stopping: Promise<void> | undefined;
  private readonly program: string;
  public readonly folder: string;
  private readonly options: MariadbOptions;
  public readonly bin: string | undefined;
  public password: string | undefined;

  constructor(program: string, folder: string, options: MariadbOptions) {
    this.program = program;
    this.folder = folder;
    this.options = options;
    this.bin = options.bin ?? process.env.TEST_MYSQL_BIN;
    const said = saidVersion(program);
    this.version = /Ver (\S+)/.exec(said)?.[1] ?? '0';
    this.isMariadb = said.includes('MariaDB');
  }

  public get url(): string {
    return `mysql://root@127.0.0.1:${this.port}`;
  }

  public get pid(): number {
    return this.child!.pid!;
  }

  public log(): Promise<string> {
    return readFile(join(this.folder, 'log'), 'utf8');
  }

  public async start(): Promise<void> {
    // Somebody else may take the free port before the server does.
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      if (this.port === 0 || attempt > 1) this.port = await freePort();
      const log = await open(join(this.folder, 'log'), 'a');
      this.child = spawn(this.program, this.arguments(), {
        ...runAs(ACCOUNT),
        cwd: this.folder,
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
      });
      await once(this.child, 'spawn');
      await log.close();
      this.child.unref();
      this.watcher = guard(this.child.pid!, this.folder);
      if (await this.ready()) return;
      this.watcher.kill('SIGKILL');
      this.child.kill('SIGKILL');
      if (!/Address already in use|port is already in use/i.test(await this.log())) break;
    }
    throw new Error(`the server did not start:\n${await this.log()}`);
  }

  private arguments(): string[] {
    const settings: Record<string, string> = {
      datadir: join(this.folder, 'data'),
      port: String(this.port),
      'bind-address': '127.0.0.1',
      socket: join(this.folder, 'socket'),
      'pid-file': join(this.folder, 'pid'),
      // A server that starts removes from there what looks like a temporary table, another one's, too.
      tmpdir: this.folder,
      'max-allowed-packet': '1G',
      'innodb-buffer-pool-size': '128M',
      ...(this.isMariadb
        ? {}
        : { mysqlx: 'OFF', 'secure-file-priv': '', 'information-schema-stats-expiry': '0' }),
      ...(this.options.durable
        ? {}
        : { 'innodb-flush-log-at-trx-commit': '0', 'sync-binlog': '0', 'innodb-doublewrite': '0' }),
      ...this.options.settings,
    };
    return [
      '--no-defaults',
      ...baseOf(this.options),
      ...Object.entries(settings).map(([name, value]) => `--${name}=${value}`),
    ];
  }

  private async ready(): Promise<boolean> {
    const { child } = this;
    const deadline = Date.now() + 60_000;
    while (child?.exitCode === null && child.signalCode === null && Date.now() < deadline) {
      const connection = await this.connect().catch(() => undefined);
      if (connection) {
        await connection.end();
        return true;
      }
      await sleep(50);
    }
    return false;
  }

  /** Gives root its password, and lets it in over the network. */
  public async secure(): Promise<void> {
    const { password } = this.options;
    if (!password) return;
    await this.query(`alter user root@localhost identified by ${mysql.escape(password)}`);
    this.password = password;
  }

  public connect(database?: string, user = 'root'): Promise<mysql.Connection> {
    return mysql.createConnection({
      host: '127.0.0.1',
      port: this.port,
      user,
      multipleStatements: true,
      charset: 'utf8mb4',
      ...(database === undefined ? {} : { database }),
      ...(this.password === undefined || user !== 'root' ? {} : { password: this.password }),
    });
  }

  public async query<R = Row>(sql: string, database?: string): Promise<R[]> {
    const connection = await this.connect(database);
    try {
      const [rows] = await connection.query(sql);
      // Of several statements, each has its own list.
      const last = Array.isArray(rows) ? rows.filter(Array.isArray).at(-1) : undefined;
      return (last ?? rows) as R[];
    } finally {
      await connection.end();
    }
  }

  public async crash(): Promise<void> {
    this.watcher?.kill('SIGKILL');
    const gone = once(this.child!, 'exit');
    this.child!.ref();
    this.child!.kill('SIGKILL');
    await gone;
    await this.start();
  }

  public stop(): Promise<void> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  private async end(): Promise<void> {
    const { child } = this;
    if (child && child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.ref();
      // All of it is thrown away: there is nothing to be put in order first.
      child.kill('SIGKILL');
      await gone;
    }
    this.watcher?.kill('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }
}
