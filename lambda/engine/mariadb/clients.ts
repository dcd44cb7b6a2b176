import { execFile } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { InputError, reasonOf } from '../../errors.js';
import { type MariadbAddress, type ServerFacts, seriesOf } from './connect.js';

const run = promisify(execFile);
const CHOSEN = 'SOVEREIGN_BACKUP_MYSQL_BIN';

/** The official tools of MariaDB or of MySQL; each understands its own server only. */
export interface Clients {
  readonly mariadb: boolean;
  readonly version: string;
  readonly series: number;
  readonly folder: string;
  /** Path of `mariadb-dump` or `mysqldump`. */
  readonly dump: string;
  /** Path of `mariadb` or `mysql`. */
  readonly shell: string;
}

/** The tools nearest above the server's version: an older one does not know all that a newer server has. */
export async function findClients(
  server: Pick<ServerFacts, 'mariadb' | 'version' | 'series'>,
  why: string,
  installed = installedClients(),
): Promise<Clients> {
  const found = await installed;
  const brand = server.mariadb ? 'MariaDB' : 'MySQL';
  const tool = server.mariadb ? 'mariadb-dump' : 'mysqldump';
  const own = found.filter(({ mariadb }) => mariadb === server.mariadb);
  const fit = own.filter(({ series }) => series >= server.series).sort((a, b) => a.series - b.series)[0];
  if (fit) return fit;
  const install = `${server.mariadb ? 'apt-get install mariadb-client (macOS: brew install mariadb)' : "install the mysql-client of MySQL's own packages (macOS: brew install mysql-client)"}, or set ${CHOSEN} to a folder with it`;
  if (own.length === 0) {
    const others = found.length > 0 ? `, only ${found.map(({ dump }) => dump).join(', ')}` : '';
    throw new InputError(
      `${tool} of ${brand} was not found${others}, and ${why}; the tools of MariaDB and MySQL do not stand in for each other: ${install}`,
    );
  }
  const have = own.map(({ version, folder }) => `${version} in ${folder}`).join(', ');
  throw new InputError(
    `${tool} is older than needed: ${why}, so one of ${brand} ${server.version.replace(/\.\d+$/, '')} or newer is needed, and there is ${have}; ${install}`,
  );
}

/** All that there are; each is asked for its version, which may go on while a server is being connected to. */
export function installedClients(): Promise<Clients[]> {
  const found = Promise.all(candidateFolders().map(clientsIn)).then((clients) => clients.flat());
  // Whoever waits for them hears of it.
  found.catch(() => {});
  return found;
}

function candidateFolders(): string[] {
  const chosen = process.env[CHOSEN];
  if (chosen) return [chosen];
  const brew = ['mariadb', 'mysql-client', 'mysql'].flatMap((name) =>
    ['/opt/homebrew/opt', '/usr/local/opt'].map((parent) => join(parent, name, 'bin')),
  );
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder.startsWith('/'));
  // Where /bin is another name of /usr/bin, once is enough.
  const there = [...path, ...brew].filter((folder) => existsSync(folder));
  return there.filter(
    (folder, at) => there.findIndex((other) => realpathSync(other) === realpathSync(folder)) === at,
  );
}

async function clientsIn(folder: string): Promise<Clients[]> {
  const found: Clients[] = [];
  for (const [dumper, shell] of [
    ['mariadb-dump', 'mariadb'],
    ['mysqldump', 'mysql'],
  ] as const) {
    const dump = join(folder, dumper);
    if (!existsSync(dump) || !existsSync(join(folder, shell))) continue;
    // In MariaDB's own packages mysqldump is a link to what has just been looked at.
    if (found.some((other) => realpathSync(other.dump) === realpathSync(dump))) continue;
    try {
      const { stdout } = await run(dump, ['--no-defaults', '--version'], { env: baseEnvironment() });
      const { mariadb, version } = versionIn(stdout);
      if (found.some((other) => other.mariadb === mariadb)) continue;
      found.push({
        mariadb,
        version,
        series: seriesOf(version),
        folder,
        dump,
        shell: join(folder, shell),
      });
    } catch (error) {
      if (process.env[CHOSEN])
        throw new InputError(`${dumper} in ${folder} cannot be run: ${reasonOf(error)}`);
    }
  }
  return found;
}

/** `Ver 10.19 Distrib 10.11.19-MariaDB`, `from 11.8.2-MariaDB, client 10.19`, `Ver 8.0.43 for Linux`. */
export function versionIn(text: string): { readonly mariadb: boolean; readonly version: string } {
  const mariadb = /(\d+\.\d+\.\d+)-MariaDB/.exec(text)?.[1];
  return { mariadb: mariadb !== undefined, version: mariadb ?? /Ver (\d[\d.]*)/.exec(text)?.[1] ?? '0' };
}

/** Only what the tools need: no credentials of anything else. English, because their messages are read. */
function baseEnvironment(): NodeJS.ProcessEnv {
  const names = ['PATH', 'HOME', 'LD_LIBRARY_PATH', 'TMPDIR'];
  const kept = names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}

export function clientEnvironment(address: MariadbAddress): NodeJS.ProcessEnv {
  return {
    ...baseEnvironment(),
    // Without it the tools would ask, or take it from a file of the user's.
    MYSQL_PWD: address.password ?? '',
    ...(address.sslmode.startsWith('verify-') ? { LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN: '1' } : {}),
  };
}

/** Where and how to connect. First `--no-defaults`: no option file of the machine changes what a dump holds. */
export function connectionArguments(clients: Clients, address: MariadbAddress, encrypted: boolean): string[] {
  const where = address.host.startsWith('/')
    ? ['--protocol=socket', `--socket=${address.host}`]
    : ['--protocol=tcp', `--host=${address.host}`, `--port=${address.port}`];
  return [
    '--no-defaults',
    ...where,
    `--user=${address.user}`,
    '--default-character-set=utf8mb4',
    '--max-allowed-packet=1G',
    ...(clients.mariadb ? mariadbTls(address, encrypted) : mysqlTls(address, encrypted)),
  ];
}

const SYSTEM_CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

function authority({ sslrootcert }: MariadbAddress): string {
  return `--ssl-ca=${sslrootcert === undefined || sslrootcert === 'system' ? SYSTEM_CERTIFICATES : sslrootcert}`;
}

function mariadbTls(address: MariadbAddress, encrypted: boolean): string[] {
  if (!encrypted) return ['--skip-ssl'];
  if (address.sslmode === 'verify-full') return ['--ssl', authority(address), '--ssl-verify-server-cert'];
  const unnamed = ['--ssl', '--skip-ssl-verify-server-cert'];
  return address.sslmode === 'verify-ca' ? [...unnamed, authority(address)] : unnamed;
}

function mysqlTls(address: MariadbAddress, encrypted: boolean): string[] {
  if (!encrypted)
    return ['--ssl-mode=DISABLED', ...(address.host.startsWith('/') ? [] : ['--get-server-public-key'])];
  if (address.sslmode === 'verify-full') return ['--ssl-mode=VERIFY_IDENTITY', authority(address)];
  return address.sslmode === 'verify-ca'
    ? ['--ssl-mode=VERIFY_CA', authority(address)]
    : ['--ssl-mode=REQUIRED'];
}
