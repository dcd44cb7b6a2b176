import { readFileSync } from 'node:fs';
import { InputError, reasonOf } from '../../errors.js';
import { checkOptions, describeServer, type ServerAddress } from '../server.js';
import { type StagingPlace, stagingPlace } from './staging-place.js';

/** The URL options that are known. */
const OPTIONS = [
  'sslmode',
  'sslrootcert',
  'connect_timeout',
  'stalled_after',
  'staging',
  'staging_region',
  'staging_endpoint',
  'kms_key',
];
/** As PostgreSQL's tools call them, because the worker in AWS says them to every engine alike. */
const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const;

/** One server with every default made explicit. */
export interface SqlServerAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly sslmode: (typeof SSL_MODES)[number];
  /** Certificates, in PEM, by which the server's own is judged; without them those of the system. */
  readonly ca?: string;
  readonly connectTimeout: number;
  /** Seconds after which a task of the server that makes no progress is given up. */
  readonly stalledAfter: number;
  readonly staging?: StagingPlace;
  readonly text: string;
}

export function addressOf(server: ServerAddress): SqlServerAddress {
  checkOptions(server, OPTIONS);
  const { options } = server;
  const { env } = process;
  const sslmode = (options.sslmode ?? 'require') as SqlServerAddress['sslmode'];
  if (!SSL_MODES.includes(sslmode))
    throw new InputError(`sslmode is ${JSON.stringify(sslmode)}; known are ${SSL_MODES.join(', ')}`);
  const user = server.user ?? env.SQLCMDUSER;
  const password = server.password ?? env.SQLCMDPASSWORD;
  const text = describeServer(server);
  if (!user)
    throw new InputError(
      `the server URL names no user; write it like ${server.scheme}://user@host:1433, or set SQLCMDUSER`,
    );
  if (password === undefined)
    throw new InputError(`there is no password for ${JSON.stringify(user)} on ${text}; set SQLCMDPASSWORD`);
  const ca = certificates(options.sslrootcert);
  const staging = stagingPlace(options, env);
  return {
    host: server.host,
    port: server.port ?? 1433,
    user,
    password,
    sslmode,
    ...(ca === undefined ? {} : { ca }),
    connectTimeout: seconds(options, 'connect_timeout', 15),
    stalledAfter: seconds(options, 'stalled_after', 7200),
    ...(staging === undefined ? {} : { staging }),
    text,
  };
}

function seconds(options: Readonly<Record<string, string>>, name: string, otherwise: number): number {
  const value = options[name] === undefined ? otherwise : Number(options[name]);
  if (!Number.isInteger(value) || value < 1)
    throw new InputError(`${name} must be a whole number of seconds, at least 1, got ${options[name]}`);
  return value;
}

function certificates(file: string | undefined): string | undefined {
  if (file === undefined || file === 'system') return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new InputError(`sslrootcert cannot be read: ${reasonOf(error)}`);
  }
}
