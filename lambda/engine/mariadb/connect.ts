import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { userInfo } from 'node:os';
import type { Readable } from 'node:stream';
import type { Connection as Callbacks } from 'mysql2';
import mysql from 'mysql2/promise';
import { InputError, OperationError, reasonOf } from '../../errors.js';
import { describeServer, type ServerAddress } from '../server.js';
import { unreachable } from '../unreachable.js';

/** The URL options that are known; another one is refused, not ignored. */
const OPTIONS = ['sslmode', 'sslrootcert', 'connect_timeout'];
export const SSL_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'];

export type Connection = mysql.Connection;

/** One server as both the driver and the client tools need it, with every default made explicit. */
export interface MariadbAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string;
  readonly sslmode: string;
  /** `system`: what the operating system trusts. */
  readonly sslrootcert?: string;
  readonly connectTimeout: number;
  readonly text: string;
}

export function addressOf(server: ServerAddress): MariadbAddress {
  for (const name of Object.keys(server.options)) {
    if (!OPTIONS.includes(name))
      throw new InputError(
        `the server URL has the option ${JSON.stringify(name)}; known are ${OPTIONS.join(', ')} and host`,
      );
  }
  const { env } = process;
  const sslmode = server.options.sslmode ?? (server.host.startsWith('/') ? 'disable' : 'prefer');
  if (!SSL_MODES.includes(sslmode))
    throw new InputError(`sslmode is ${JSON.stringify(sslmode)}; known are ${SSL_MODES.join(', ')}`);
  // The driver would compare the certificate of an address with the name localhost.
  if (sslmode === 'verify-full' && isIP(server.host))
    throw new InputError(
      `sslmode=verify-full holds the server's certificate against its name, and the URL has the address ${server.host}; give the name, or sslmode=verify-ca`,
    );
  const connectTimeout = Number(server.options.connect_timeout ?? 15);
  if (!Number.isInteger(connectTimeout) || connectTimeout < 1)
    throw new InputError('connect_timeout must be a whole number of seconds, at least 1');
  const password = server.password ?? env.MYSQL_PWD;
  const { sslrootcert } = server.options;
  return {
    host: server.host,
    port: server.port ?? Number(env.MYSQL_TCP_PORT ?? 3306),
    user: server.user ?? userInfo().username,
    ...(password === undefined ? {} : { password }),
    sslmode,
    ...(sslrootcert === undefined ? {} : { sslrootcert }),
    connectTimeout,
    text: describeServer(server),
  };
}

/** What kind of server answers, and whether the way to it is encrypted. */
export interface ServerFacts {
  readonly mariadb: boolean;
  /** `10.11.14`. */
  readonly version: string;
  /** 1011 for 10.11: by it versions are compared. */
  readonly series: number;
  readonly encrypted: boolean;
}

export function seriesOf(version: string): number {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return major * 100 + minor;
}

const OLDEST = { mariadb: 1006, mysql: 800 };

export async function serverFacts(client: Connection, address: MariadbAddress): Promise<ServerFacts> {
  const { version: text } = await one<{ version: string }>(client, 'select version() as version');
  const mariadb = /mariadb/i.test(text);
  // Replication's sake made some servers put 5.5.5- before their version.
  const version = /^(?:5\.5\.5-)?(\d+\.\d+\.\d+)/.exec(text)?.[1] ?? text;
  const series = seriesOf(version);
  if (series < (mariadb ? OLDEST.mariadb : OLDEST.mysql))
    throw new InputError(
      `${address.text} is ${mariadb ? 'MariaDB' : 'MySQL'} ${version}; MariaDB 10.6 and MySQL 8.0 are the oldest whose tables can be swapped in one step`,
    );
  const cipher = await one<{ Value: string }>(client, `show session status like 'Ssl_cipher'`);
  return { mariadb, version, series, encrypted: cipher.Value !== '' };
}

/** An open session. Its loss is an error of the query that waits, or of the next one, never an uncaught one. */
export async function connect(address: MariadbAddress): Promise<Connection> {
  const { sslmode } = address;
  const client = await attempt(address, sslmode !== 'disable').catch((error) => {
    if (sslmode === 'prefer' && (error as { code?: string }).code === 'HANDSHAKE_NO_SSL_SUPPORT')
      return attempt(address, false);
    throw error;
  });
  try {
    await client.query(SESSION);
    await client.query(USUAL);
    // Limits meant for the application must not cut a backup short. Each server knows one of the two.
    await client.query('set session max_statement_time = 0').catch(() => {});
    await client.query('set session max_execution_time = 0').catch(() => {});
    await client.query('set session information_schema_stats_expiry = 0').catch(() => {});
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw explainConnect(error, address);
  }
}

/** What every statement of ours counts on; programs that need something else set it around themselves. */
export const SESSION = `set session sql_mode = '', time_zone = '+00:00', character_set_client = utf8mb4,
  character_set_results = utf8mb4, collation_connection = utf8mb4_general_ci, wait_timeout = 604800,
  net_read_timeout = 600, net_write_timeout = 600, lock_wait_timeout = 60`;

/** What a server may have otherwise for everybody: with fewer rows given than there are, nothing would be whole. */
const USUAL = `set session autocommit = 1, completion_type = 0, sql_select_limit = 18446744073709551615,
  sql_safe_updates = 0, foreign_key_checks = 1, unique_checks = 1`;

async function attempt(address: MariadbAddress, tls: boolean): Promise<Connection> {
  try {
    const client = await mysql.createConnection({
      ...(address.host.startsWith('/')
        ? { socketPath: address.host }
        : { host: address.host, port: address.port }),
      user: address.user,
      ...(address.password === undefined ? {} : { password: address.password }),
      charset: 'utf8mb4_general_ci',
      connectTimeout: address.connectTimeout * 1000,
      // A server that vanished says nothing; without this an answer would be waited for for two hours.
      enableKeepAlive: true,
      keepAliveInitialDelay: 30_000,
      supportBigNumbers: true,
      bigNumberStrings: true,
      dateStrings: true,
      ...(tls ? { ssl: tlsOf(address) } : {}),
      // Tokens of IAM go in clear, so only to a server that has proved who it is.
      enableCleartextPlugin: address.sslmode.startsWith('verify-'),
    });
    client.on('error', () => {});
    return client;
  } catch (error) {
    throw explainConnect(error, address);
  }
}

function tlsOf({ sslmode, sslrootcert }: MariadbAddress) {
  if (!sslmode.startsWith('verify-')) return { rejectUnauthorized: false };
  let ca: string | undefined;
  try {
    if (sslrootcert !== undefined && sslrootcert !== 'system') ca = readFileSync(sslrootcert, 'utf8');
  } catch (error) {
    throw new InputError(`sslrootcert cannot be read: ${reasonOf(error)}`);
  }
  return {
    rejectUnauthorized: true,
    verifyIdentity: sslmode === 'verify-full',
    ...(ca === undefined ? {} : { ca }),
  };
}

const REFUSED = ['ER_ACCESS_DENIED_ERROR', 'ER_ACCESS_DENIED_NO_PASSWORD_ERROR', 'ER_HOST_NOT_PRIVILEGED'];

/** It has as many sessions as it or the user may have, or stops. */
const BUSY = [
  'ER_CON_COUNT_ERROR',
  'ER_TOO_MANY_USER_CONNECTIONS',
  'ER_USER_LIMIT_REACHED',
  'ER_SERVER_SHUTDOWN',
];

function explainConnect(error: unknown, address: MariadbAddress): Error {
  if (error instanceof InputError || error instanceof OperationError) return error;
  const { code = '' } = error as { code?: string };
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT' && address.sslmode === 'prefer') return error as Error;
  const reason = reasonOf(error);
  if (REFUSED.includes(code))
    return new InputError(
      `${address.text} refused the login of ${JSON.stringify(address.user)}: ${reason}; the password comes from MYSQL_PWD`,
    );
  if (BUSY.includes(code))
    return new OperationError(`${address.text} takes no session now: ${reason}; run again when it does`);
  return unreachable(address.text, reason);
}

/** What the server or the driver said, as an error for people; everything else already speaks for itself. */
export function explained(error: unknown, what: string, holds: string): unknown {
  const { code, exitCode } = error as { code?: unknown; exitCode?: unknown };
  // The driver's own error has no code where the server was already gone when the statement was to be sent.
  const gone = error instanceof Error && /in closed state/.test(error.message);
  if (exitCode !== undefined || (typeof code !== 'string' && !gone)) return error;
  return new OperationError(`${what}: ${reasonOf(error)}; ${holds}`);
}

/** Rows of one statement. */
export async function rows<Row>(
  client: Connection,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const [found] = await client.query(sql, [...values]);
  return found as Row[];
}

/** The same as they come: of those that the reader has not yet taken, about so many are held. */
export function streamed(client: Connection, sql: string, held: number): Readable {
  // The promises' own connection has no streams; the one that it wraps has.
  const { connection } = client as unknown as { readonly connection: Callbacks };
  return connection.query(sql).stream({ highWaterMark: held });
}

export async function one<Row>(client: Connection, sql: string, values: readonly unknown[] = []) {
  return (await rows<Row>(client, sql, values))[0]!;
}

/** A name as SQL has it. */
export function q(...names: string[]): string {
  return names.map((name) => `\`${name.replaceAll('`', '``')}\``).join('.');
}

/** A text as SQL has it; only in sessions of ours, where the backslash escapes. */
export function literal(text: string): string {
  return mysql.escape(text);
}
