import { InputError } from '../errors.js';

/** A database server and who logs in. The password never comes from a URL, which shows in process lists. */
export interface ServerAddress {
  /** `postgres`, `mysql`, ...: by it the engine is found. */
  readonly scheme: string;
  /** Host name, address, or the absolute path of a socket folder. */
  readonly host: string;
  readonly port?: number;
  readonly user?: string;
  /** From Secrets Manager; in local mode absent: the client's environment or password file has it. */
  readonly password?: string;
  /** What stood after `?`, such as `sslmode`; each engine names those that it knows. */
  readonly options: Readonly<Record<string, string>>;
}

/** Reads `scheme://user@host:port?option=value`. */
export function parseServer(url: string): ServerAddress {
  const shape = 'postgres://user@host:5432';
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new InputError(`--server ${JSON.stringify(url)} is not a URL; write it like ${shape}`);
  }
  if (parsed.password)
    throw new InputError(
      'the server URL holds a password, which every user of this machine could read in the process list; ' +
        'take it out and give it in PGPASSWORD, in ~/.pgpass, in MYSQL_PWD or in SQLCMDPASSWORD',
    );
  if (parsed.pathname !== '' && parsed.pathname !== '/')
    throw new InputError(
      `the server URL names the database ${JSON.stringify(decoded(parsed.pathname.slice(1)))}; ` +
        'the database is the tenant, or given with --database',
    );
  const options = Object.fromEntries(parsed.searchParams);
  const host = options.host ?? decoded(parsed.hostname).replace(/^\[(.*)\]$/, '$1');
  delete options.host;
  if (!host) throw new InputError(`the server URL names no host; write it like ${shape}`);
  return {
    scheme: parsed.protocol.slice(0, -1),
    host,
    ...(parsed.port ? { port: Number(parsed.port) } : {}),
    ...(parsed.username ? { user: decoded(parsed.username) } : {}),
    options,
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new InputError(
      `the server URL holds ${JSON.stringify(part)}, in which % is not followed by two digits`,
    );
  }
}

/** An option that an engine does not know is refused, not ignored. */
export function checkOptions(server: ServerAddress, known: readonly string[]): void {
  for (const name of Object.keys(server.options)) {
    if (!known.includes(name))
      throw new InputError(
        `the server URL has the option ${JSON.stringify(name)}; known are ${known.join(', ')} and host`,
      );
  }
}

/** For messages: `postgres://app@db.internal:5432`. */
export function describeServer(server: ServerAddress): string {
  const user = server.user ? `${encodeURIComponent(server.user)}@` : '';
  const host = server.host.includes(':') ? `[${server.host}]` : server.host;
  return `${server.scheme}://${user}${host}${server.port ? `:${server.port}` : ''}`;
}
