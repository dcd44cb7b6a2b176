import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { InputError, reasonOf } from '../../errors.js';
import { outputOf } from '../tool.js';
import type { PostgresAddress } from './connect.js';

export interface Clients {
  readonly folder: string;
  readonly version: string;
  readonly major: number;
}

/** `15.14` of `pg_dump (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`, `16.1` of a server's own. */
export function versionIn(text: string): string {
  return /\d+(?:\.\d+|devel|beta\d+|rc\d+)*/.exec(text.replace(/^.*\(PostgreSQL\)/, ''))?.[0] ?? '0';
}

export function majorOf(version: string): number {
  return Number.parseInt(version, 10);
}

/**
 * The client tools nearest above what is asked for: they can read every server and archive up to their own version,
 * and nearer ones say less that an older server does not understand.
 */
export async function findClients(
  need: { readonly major: number; readonly why: string },
  installed: Promise<readonly Clients[]> = installedClients(),
): Promise<Clients> {
  const found = await installed;
  const [fit] = found.filter(({ major }) => major >= need.major).sort((a, b) => a.major - b.major);
  if (fit) return fit;
  const install = `apt-get install postgresql-client-${need.major} (macOS: brew install libpq), or set SOVEREIGN_BACKUP_PG_BIN to a folder with pg_dump and pg_restore`;
  if (found.length === 0)
    throw new InputError(`pg_dump and pg_restore were not found; install them: ${install}`);
  const have = found.map(({ version, folder }) => `${version} in ${folder}`).join(', ');
  throw new InputError(
    `pg_dump is older than needed: ${need.why}, so version ${need.major} or newer is needed, and there is ${have}; ${install}`,
  );
}

/** Every version once, where it was found first. Takes a while, because each is asked: worth beginning early. */
export function installedClients(): Promise<readonly Clients[]> {
  const installed = Promise.all(candidateFolders().map(clientsIn)).then((all) => {
    const byVersion = new Map<string, Clients>();
    for (const clients of all)
      if (clients && !byVersion.has(clients.version)) byVersion.set(clients.version, clients);
    return [...byVersion.values()];
  });
  // Whoever waits for it gets the error; that may be nobody, when connecting fails first.
  installed.catch(() => {});
  return installed;
}

function candidateFolders(): string[] {
  const chosen = process.env.SOVEREIGN_BACKUP_PG_BIN;
  if (chosen) return [chosen];
  const under = (folder: string, inner: string, shape: RegExp) => {
    try {
      return readdirSync(folder)
        .filter((name) => shape.test(name))
        .map((name) => join(folder, name, inner));
    } catch {
      return [];
    }
  };
  return [
    ...under('/usr/lib/postgresql', 'bin', /^\d+$/),
    ...under('/usr', 'bin', /^pgsql-\d+$/),
    ...under('/opt/homebrew/opt', 'bin', /^(postgresql(@\d+)?|libpq)$/),
    ...under('/usr/local/opt', 'bin', /^(postgresql(@\d+)?|libpq)$/),
    ...(process.env.PATH ?? '').split(delimiter).filter((folder) => folder.startsWith('/')),
  ];
}

async function clientsIn(folder: string): Promise<Clients | undefined> {
  if (!['pg_dump', 'pg_restore'].every((name) => existsSync(join(folder, name)))) return undefined;
  // Debian's own chooser, slow to start; what it chooses from lies under /usr/lib/postgresql.
  if (!process.env.SOVEREIGN_BACKUP_PG_BIN && realpathSync(join(folder, 'pg_dump')).endsWith('/pg_wrapper'))
    return undefined;
  try {
    const version = versionIn(await outputOf(join(folder, 'pg_dump'), ['--version'], baseEnvironment()));
    return { folder, version, major: majorOf(version) };
  } catch (error) {
    if (process.env.SOVEREIGN_BACKUP_PG_BIN)
      throw new InputError(`pg_dump in ${folder} cannot be run: ${reasonOf(error)}`);
    return undefined;
  }
}

/** Only what the tools need: no credentials of anything else. English, because their messages are read. */
function baseEnvironment(): NodeJS.ProcessEnv {
  const names = ['PATH', 'HOME', 'LD_LIBRARY_PATH', 'TMPDIR', 'PGPASSFILE', 'KRB5CCNAME', 'KRB5_CONFIG'];
  const kept = names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}

/** For pg_restore. Rows come before the policies on them; a materialized view is computed under them, as in the live database. */
export const READING = ['--enable-row-security'];

/** For the session that loads, whatever is set for the role, the database or an application: only this reads all that was dumped. */
export const LOADING =
  '-c maintenance_work_mem=128MB -c statement_timeout=0 -c default_transaction_read_only=off -c array_nulls=on';

export function clientEnvironment(address: PostgresAddress, options?: string): NodeJS.ProcessEnv {
  return {
    ...baseEnvironment(),
    ...(address.password === undefined ? {} : { PGPASSWORD: address.password }),
    ...(options === undefined ? {} : { PGOPTIONS: options }),
  };
}

/** Where to connect, as libpq reads it; a database's name can then never be taken for options. */
export function connectionString(
  address: PostgresAddress,
  database: string,
  application = 'sovereign-backup',
): string {
  const values: Record<string, string> = {
    host: address.host,
    port: String(address.port),
    user: address.user,
    dbname: database,
    sslmode: address.sslmode,
    ...(address.sslrootcert === undefined ? {} : { sslrootcert: address.sslrootcert }),
    connect_timeout: String(address.connectTimeout),
    keepalives_idle: '30',
    keepalives_interval: '10',
    keepalives_count: '3',
    application_name: application,
  };
  return Object.entries(values)
    .map(([name, value]) => `${name}='${value.replace(/[\\']/g, '\\$&')}'`)
    .join(' ');
}
