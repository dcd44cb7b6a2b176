import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import pg from 'pg';
import { InputError, OperationError, reasonOf } from '../../errors.js';
import { checkOptions, describeServer, type ServerAddress } from '../server.js';
import { unreachable } from '../unreachable.js';

/** The URL options that are known; another one is refused, not ignored. */
const OPTIONS = ['sslmode', 'sslrootcert', 'connect_timeout', 'lock_timeout', 'maintenance_database'];
const SSL_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'];

/** One server as both the driver and the client tools need it, with every default of theirs made explicit. */
export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string;
  readonly sslmode: string;
  readonly sslrootcert?: string;
  readonly connectTimeout: number;
  /** Seconds that a dump waits for a table that somebody has locked. */
  readonly lockTimeout: number;
  /** From where databases are created, renamed and locked. */
  readonly maintenance: string;
  readonly text: string;
}

export function addressOf(server: ServerAddress): PostgresAddress {
  checkOptions(server, OPTIONS);
  const { env } = process;
  const socket = server.host.startsWith('/');
  const sslmode = server.options.sslmode ?? env.PGSSLMODE ?? (socket ? 'disable' : 'prefer');
  if (!SSL_MODES.includes(sslmode))
    throw new InputError(`sslmode is ${JSON.stringify(sslmode)}; known are ${SSL_MODES.join(', ')}`);
  const seconds = (name: string, value: string | number) => {
    if (!/^[1-9]\d{0,5}$/.test(String(value)))
      throw new InputError(`${name} must be a whole number of seconds, at least 1`);
    return Number(value);
  };
  const { connect_timeout, lock_timeout } = server.options;
  const connectTimeout = seconds('connect_timeout', connect_timeout ?? env.PGCONNECT_TIMEOUT ?? 15);
  const password = server.password ?? env.PGPASSWORD;
  const sslrootcert = server.options.sslrootcert ?? env.PGSSLROOTCERT;
  return {
    host: server.host,
    port: server.port ?? Number(env.PGPORT ?? 5432),
    user: server.user ?? env.PGUSER ?? userInfo().username,
    ...(password === undefined ? {} : { password }),
    sslmode,
    ...(sslrootcert === undefined ? {} : { sslrootcert }),
    connectTimeout,
    lockTimeout: seconds('lock_timeout', lock_timeout ?? 60),
    maintenance: server.options.maintenance_database ?? 'postgres',
    text: describeServer(server),
  };
}

/** A standby where sessions begin in the isolation level that no standby has answers nothing but this. */
const NOT_SERIALIZABLE = `set default_transaction_isolation = 'read committed'`;

/**
 * What a database or role sets for its application must neither cut a backup short nor change what its answers mean;
 * waiting for locks stays bounded where it is done. What is said to be done outlasts a crash, and foreign keys are
 * checked, whatever the application is content with. The settings asked for by name are not on every server, or not
 * everybody's to change. Compiling a checksum of a thousand columns takes longer than reading a million rows.
 */
const OWN_SETTINGS = `
  set search_path = pg_catalog; set standard_conforming_strings = on; set quote_all_identifiers = off;
  set datestyle = 'ISO, YMD'; ${NOT_SERIALIZABLE};
  set statement_timeout = 0; set idle_in_transaction_session_timeout = 0; set lock_timeout = 0;
  set default_transaction_read_only = off; set row_security = off; set jit = off;
  set tcp_keepalives_idle = 30; set tcp_keepalives_interval = 10; set tcp_keepalives_count = 3;
  select set_config(name, case name when 'synchronous_commit' then 'on' when 'session_replication_role' then 'origin' else '0' end, false)
  from pg_settings
  where name = 'synchronous_commit' and setting = 'off' or name = 'session_replication_role' and setting <> 'origin'
    or name in ('idle_session_timeout', 'transaction_timeout')`;

/** Servers that were asked for TLS and have none: `prefer` does not ask them at every connection. */
const bare = new Set<string>();

/**
 * An open session, with further settings of its own as SQL. Its loss is an error of the query that waits, or of the next
 * one, never an uncaught one.
 */
export async function connect(
  address: PostgresAddress,
  database: string,
  settings: readonly string[] = [],
): Promise<pg.Client> {
  const { sslmode, text } = address;
  const secure = sslmode !== 'disable' && !(sslmode === 'prefer' && bare.has(text));
  const client = await attempt(address, database, secure).catch((error) => {
    if (sslmode !== 'prefer' || !/does not support SSL/.test(reasonOf(error))) throw error;
    bare.add(text);
    return attempt(address, database, false);
  });
  try {
    const all = [OWN_SETTINGS, ...settings].join('; ');
    await client.query(all).catch(async (error) => {
      if (!isSerializableStandby(error)) throw error;
      await client.query(NOT_SERIALIZABLE);
      await client.query(all);
    });
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw explainSettings(error, address, database);
  }
}

function isSerializableStandby(error: unknown): boolean {
  return (error as { code?: string }).code === '0A000' && /hot standby/.test(reasonOf(error));
}

/** What a role or a database sets, and its sessions may not set back. */
function explainSettings(error: unknown, { user, text }: PostgresAddress, database: string): unknown {
  const reason = reasonOf(error);
  if ((error as { code?: string }).code !== '42501' || !reason.includes('session_replication_role'))
    return error;
  return new InputError(
    `sessions of ${JSON.stringify(user)} in database ${JSON.stringify(database)} on ${text} begin with another session_replication_role than origin, ` +
      `in which foreign keys are not checked, and may not set it back: ${reason}; have a superuser take the setting away ` +
      '(ALTER ROLE … or ALTER DATABASE … RESET session_replication_role), allow it (from version 15: GRANT SET ON PARAMETER session_replication_role TO the role), or use another role',
  );
}

async function attempt(address: PostgresAddress, database: string, ssl: boolean): Promise<pg.Client> {
  const client = new pg.Client({
    host: address.host,
    port: address.port,
    user: address.user,
    database,
    ...(address.password === undefined ? {} : { password: address.password }),
    application_name: 'sovereign-backup',
    connectionTimeoutMillis: address.connectTimeout * 1000,
    // A server that vanished says nothing; without this an answer would be waited for for two hours.
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
    ssl: ssl && tlsOf(address),
  });
  // Between two queries the server says why it ends a session; the next query only knows that it cannot be asked.
  let loss: unknown;
  client.on('error', (error) => {
    loss ??= error;
  });
  try {
    await client.connect();
    return tellingOfLoss(client, address, () => loss);
  } catch (error) {
    await client.end().catch(() => {});
    throw explainConnect(error, address, database);
  }
}

/** Sends several statements at once, and gives the answer to each. They are without parameters. */
export async function answers<Row extends pg.QueryResultRow>(
  client: pg.Client,
  statements: readonly string[],
): Promise<pg.QueryResult<Row>[]> {
  if (statements.length === 0) return [];
  const given: unknown = await client.query(statements.join('; '));
  return (Array.isArray(given) ? given : [given]) as pg.QueryResult<Row>[];
}

/** A session that ended under a query: what the query did, only the server knows. */
export class ConnectionLostError extends OperationError {}

/** The server is stopping, has crashed, or comes up again: as lost as a connection that was cut. */
const ended = ['57P01', '57P02', '57P03'];

/** However a session is ended, its queries say so in the same words, and name the server. */
function tellingOfLoss(client: pg.Client, address: PostgresAddress, loss: () => unknown): pg.Client {
  const query = client.query.bind(client) as (...args: unknown[]) => unknown;
  const told = (error: unknown) => {
    if (error instanceof pg.DatabaseError && !ended.includes(error.code ?? '')) throw error;
    throw new ConnectionLostError(`the connection to ${address.text} was lost: ${reasonOf(loss() ?? error)}`);
  };
  client.query = ((...args: unknown[]) => {
    const answer = query(...args);
    return answer instanceof Promise ? answer.catch(told) : answer;
  }) as typeof client.query;
  return client;
}

function tlsOf(address: PostgresAddress) {
  const { sslmode, sslrootcert } = address;
  if (!sslmode.startsWith('verify-')) return { rejectUnauthorized: false };
  let ca: string | undefined;
  try {
    if (sslrootcert !== undefined && sslrootcert !== 'system') ca = readFileSync(sslrootcert, 'utf8');
  } catch (error) {
    throw new InputError(`sslrootcert cannot be read: ${reasonOf(error)}`);
  }
  return {
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca }),
    ...(sslmode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
  };
}

const refused = ['28P01', '28000'];
/** It starts, stops, or has as many sessions as it or the role may have. */
const busy = ['57P03', '53300'];

function explainConnect(error: unknown, address: PostgresAddress, database: string): Error {
  const { code } = error as { code?: string };
  const reason = reasonOf(error);
  if (code === '3D000' && database === address.maintenance)
    return new InputError(
      `there is no database ${JSON.stringify(database)} on ${address.text}, from which databases are made and renamed; name another with maintenance_database=… in the server URL`,
    );
  if (code === '3D000')
    return new InputError(
      `there is no database ${JSON.stringify(database)} on ${address.text}; check the tenant's name, or give --database`,
    );
  const missing = /password must be a string|no password/i.test(reason);
  if (refused.includes(code ?? '') || missing)
    return new InputError(
      `${address.text} refused the login of ${JSON.stringify(address.user)}: ${missing ? 'it asks for a password, and none was given' : reason}; ` +
        'the user comes from the URL, the password from PGPASSWORD or ~/.pgpass',
    );
  if (code === '42501') return new InputError(`${address.text} refused the connection: ${reason}`);
  if (busy.includes(code ?? ''))
    return new OperationError(`${address.text} takes no session now: ${reason}; run again when it does`);
  return unreachable(address.text, reason);
}
