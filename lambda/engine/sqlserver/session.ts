import { InputError, OperationError, reasonOf } from '../../errors.js';
import { unreachable } from '../unreachable.js';
import type { SqlServerAddress } from './address.js';
import type { Connection, Request } from './driver.js';
import { openSocket, type WatchedSocket } from './socket.js';

export type Value = string | number | null;
export type Row = Record<string, unknown>;

/** What the server itself said went wrong. */
export class SqlError extends Error {
  constructor(
    message: string,
    /** As in `sys.messages`: 18456 is a refused login. */
    public readonly number: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** One login on one database. Statements run one after the other. */
export class Session {
  /** False once the connection is gone, by whosever doing. */
  public alive = true;
  /** Ends the statement that waits. */
  private broken: (error: Error) => void = () => {};

  private constructor(
    private readonly connection: Connection,
    private readonly driver: typeof import('./driver.js'),
    private readonly address: SqlServerAddress,
    private readonly socket: WatchedSocket,
  ) {
    // Its loss is an error of the statement that waits, or of the next one, never an uncaught one.
    connection.on('error', () => {});
    // An answer that breaks off in the middle leaves the driver waiting for its rest.
    socket.closed.then((reason) => {
      this.alive = false;
      this.broken(new OperationError(`${this.lost()}: ${reason}`));
    });
  }

  /** The driver is read only where it is needed. */
  public static async open(address: SqlServerAddress, database = 'master'): Promise<Session> {
    const driver = await import('./driver.js');
    const encrypt = address.sslmode !== 'disable';
    let socket: WatchedSocket | undefined;
    let broken: (error: Error) => void = () => {};
    const connection = new driver.Connection({
      server: address.host,
      authentication: {
        type: 'default',
        options: { userName: address.user, password: address.password },
      },
      options: {
        connector: async () => {
          socket = await openSocket(address.host, address.port, encrypt);
          // What the server said before it closed is worth more than that it closed.
          socket.closed.then((reason) => setTimeout(() => broken(new Error(reason)), 500).unref());
          return socket.socket;
        },
        database,
        appName: 'sovereign-backup',
        encrypt,
        trustServerCertificate: !address.sslmode.startsWith('verify-'),
        cryptoCredentialsDetails: {
          ...(address.ca === undefined ? {} : { ca: address.ca }),
          ...(address.sslmode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
        },
        connectTimeout: address.connectTimeout * 1000,
        // Backups take as long as they take; what stalls is noticed by its lack of progress.
        requestTimeout: 0,
        cancelTimeout: 10_000,
        maxRetriesOnTransientErrors: 0,
        useColumnNames: true,
        rowCollectionOnRequestCompletion: true,
        useUTC: true,
      },
    });
    const numbers: number[] = [];
    connection.on('errorMessage', ({ number }) => numbers.push(number));
    connection.on('error', () => {});
    try {
      await new Promise<void>((resolve, reject) => {
        broken = reject;
        connection.connect((error) => (error ? reject(error) : resolve()));
      });
    } catch (error) {
      connection.close();
      socket?.socket.destroy();
      throw explainConnect(error, numbers, address, database);
    }
    return new Session(connection, driver, address, socket!);
  }

  /** A statement with parameters, which are values and never text of the statement. */
  public query<R extends object = Row>(
    sql: string,
    parameters: Readonly<Record<string, Value>> = {},
    signal?: AbortSignal,
  ): Promise<R[]> {
    return this.run<R>(sql, parameters, 'execSql', signal);
  }

  /** Statements without parameters, as they stand, in one go. */
  public batch<R extends object = Row>(sql: string, signal?: AbortSignal): Promise<R[]> {
    return this.run<R>(sql, {}, 'execSqlBatch', signal);
  }

  private run<R extends object>(
    sql: string,
    parameters: Readonly<Record<string, Value>>,
    how: 'execSql' | 'execSqlBatch',
    signal: AbortSignal | undefined,
  ): Promise<R[]> {
    return new Promise<R[]>((resolve, reject) => {
      signal?.throwIfAborted();
      if (!this.alive) throw new OperationError(this.lost());
      const cancel = () => void this.connection.cancel();
      const { Request, TYPES } = this.driver;
      const request: Request = new Request(sql, (error, _count, rows) => {
        signal?.removeEventListener('abort', cancel);
        if (signal?.aborted) reject(signal.reason);
        else if (error) reject(this.explain(error));
        else resolve(plain<R>(rows));
      });
      for (const [name, value] of Object.entries(parameters))
        request.addParameter(name, typeof value === 'number' ? TYPES.Int : TYPES.NVarChar, value);
      signal?.addEventListener('abort', cancel, { once: true });
      this.broken = reject;
      this.connection[how](request);
    });
  }

  private lost(): string {
    return `the connection to ${this.address.text} was lost`;
  }

  private explain(error: unknown): Error {
    const { code, number } = (firstOf(error) ?? {}) as { code?: string; number?: number };
    if (code === 'EREQUEST') return new SqlError(reasonOf(error), number ?? 0, { cause: error });
    this.alive = false;
    return new OperationError(`${this.lost()}: ${reasonOf(error)}`, { cause: error });
  }

  /** Safe at any time and more than once. */
  public async close(): Promise<void> {
    this.alive = false;
    this.connection.close();
    this.socket.socket.destroy();
    await this.socket.closed;
  }
}

function firstOf(error: unknown): unknown {
  return error instanceof AggregateError ? error.errors[0] : error;
}

function plain<R>(rows: unknown): R[] {
  const found = (rows ?? []) as Record<string, { value: unknown }>[];
  return found.map(
    (row) => Object.fromEntries(Object.entries(row).map(([name, { value }]) => [name, value])) as R,
  );
}

const LOGIN_REFUSED = [18456, 18470, 18486, 18487, 18488];
const NO_DATABASE = [4060, 4063, 911];

function explainConnect(
  error: unknown,
  numbers: readonly number[],
  address: SqlServerAddress,
  database: string,
): Error {
  const reason = reasonOf(error);
  const any = (known: readonly number[]) => numbers.some((number) => known.includes(number));
  if (any(NO_DATABASE))
    return new InputError(
      `there is no database ${JSON.stringify(database)} on ${address.text}, or ${JSON.stringify(address.user)} may not open it; check the tenant's name, or give --database`,
    );
  if (any(LOGIN_REFUSED))
    return new InputError(
      `${address.text} refused the login of ${JSON.stringify(address.user)}: ${reason}; the password comes from SQLCMDPASSWORD`,
    );
  return unreachable(address.text, reason);
}
