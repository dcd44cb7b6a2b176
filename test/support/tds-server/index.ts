// A scripted SQL Server: TDS 7.4 on a socket of this process, and behind it a model of what the engine asks for. It
// understands the statements of `catalogue.ts` and `statements.ts` and answers everything else with an error, so that
// no test passes by accident. Backups go to and come from S3 for real.
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';
import { BackupFiles } from './backup-file';
import { catalogue, type Host } from './catalogue';
import { Model, type SessionState } from './model';
import { PacketReader, send, TYPE } from './packets';
import { type Login, parseBatch, parseLogin, parseRpc, preloginAnswer, type Statement } from './requests';
import { match, type Outcome } from './rules';
import { runScript, statementsOf } from './script';
import { batches, statements } from './statements';
import { Tasks } from './tasks';
import * as tokens from './tokens';
import { ServerError } from './tokens';

export interface TdsServerOptions {
  /** Where backups are written to: an endpoint that speaks S3. */
  readonly endpoint: string;
  readonly rds: boolean;
  readonly version?: string;
  readonly user?: string;
  readonly password?: string;
}

/** What a test may ask of each elementary statement before it runs. */
export type Fault = 'cut' | { readonly error: ServerError } | { readonly wait: number } | undefined;

const rules = [...catalogue, ...statements, ...batches];

export class TdsServer {
  public readonly model = new Model();
  public readonly files: BackupFiles;
  public readonly tasks: Tasks;
  public readonly rds: boolean;
  public version: string;
  public edition = 3;
  public readonly user: string;
  public readonly password: string;
  /** Names of `CREATE CREDENTIAL` with an S3 access key. */
  public readonly credentials = new Set<string>();
  public readonly logins = new Set<string>(['sa', 'backup']);
  public readonly backups: { readonly url: string; readonly media: number }[] = [];
  /** Tables that somebody has locked. */
  public readonly locked = new Set<string>();
  /** RDS without the option SQLSERVER_BACKUP_RESTORE. */
  public withoutOption = false;
  /** So many backups are refused because of the maintenance window. */
  public refusals = 0;
  public diskFull = false;
  public checkDenied = false;
  /** How many times five milliseconds BACKUP and RESTORE take. */
  public statementSteps = 2;
  /** Every statement that came, in order. */
  public readonly log: string[] = [];
  public fault: (statement: string, session: SessionState) => Fault = () => undefined;
  public port = 0;
  /** Splits answers into packets of so many bytes. */
  public packetBytes = 4088;
  /** So many bytes of an answer, packet headers included, are sent before the connection breaks. */
  public tear: (answer: Buffer) => number | undefined = () => undefined;
  private readonly holders = new Map<string, SessionState>();
  private nextSession = 51;

  constructor(options: TdsServerOptions) {
    this.rds = options.rds;
    this.version = options.version ?? '16.0.4165.4';
    this.user = options.user ?? 'backup';
    this.password = options.password ?? "pass'word] 1";
    const client = new S3Client({
      region: 'eu-central-1',
      endpoint: options.endpoint,
      forcePathStyle: true,
      credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' },
    });
    this.files = new BackupFiles(client);
    this.tasks = new Tasks(this.model, this.files);
  }

  public async lock(session: SessionState, resource: string, patience: number): Promise<boolean> {
    const until = Date.now() + patience;
    for (;;) {
      const holder = this.holders.get(resource);
      if (!holder || holder === session) {
        this.holders.set(resource, session);
        session.locks.add(resource);
        return true;
      }
      if (session.closed || Date.now() > until) return false;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  private serve(socket: Socket): void {
    let session: SessionState | undefined;
    let busy: Promise<void> = Promise.resolve();
    let cancelled = false;
    const answer = (data: Buffer) => {
      if (socket.destroyed) return;
      const most = this.tear(data);
      if (most === undefined) return send(socket, TYPE.response, data, this.packetBytes);
      const parts: Buffer[] = [];
      send({ write: (part: Buffer) => parts.push(part) > 0 }, TYPE.response, data, this.packetBytes);
      socket.end(Buffer.concat(parts).subarray(0, most));
    };
    const left = () => {
      if (!session) return;
      session.closed = true;
      this.model.sessions.delete(session);
      for (const resource of session.locks)
        if (this.holders.get(resource) === session) this.holders.delete(resource);
    };
    socket.on('error', () => {});
    socket.on('close', left);

    const handle = async (type: number, data: Buffer): Promise<void> => {
      if (type === TYPE.prelogin) return answer(preloginAnswer());
      if (type === TYPE.login) {
        session = this.login(parseLogin(data), socket, answer);
        return;
      }
      if (type === TYPE.attention) {
        cancelled = false;
        if (session) session.closed = socket.destroyed;
        return answer(tokens.done(tokens.DONE.attention));
      }
      const statement = type === TYPE.batch ? parseBatch(data) : parseRpc(data);
      const reply = await this.answerTo(statement, session!);
      // The answer to a cancelled request is its cut-off end; the acknowledgement follows by itself.
      if (reply === 'cut') return void socket.destroy();
      answer(cancelled ? tokens.done(tokens.DONE.error) : reply);
    };
    const reader = new PacketReader(({ type, data }) => {
      if (type === TYPE.attention && session) {
        cancelled = true;
        // Statements under way look at this, as they do for a client that is gone.
        session.closed = true;
      }
      busy = busy
        .then(() => handle(type, data))
        .catch((error) => {
          this.log.push(`!! ${error}`);
          socket.destroy();
        });
    });
    socket.on('data', (chunk) => {
      try {
        reader.feed(chunk);
      } catch (error) {
        this.log.push(`!! ${error}`);
        socket.destroy();
      }
    });
  }

  private login(login: Login, socket: Socket, answer: (data: Buffer) => void): SessionState | undefined {
    const refuse = (error: ServerError) => {
      answer(Buffer.concat([tokens.error(error), tokens.done(tokens.DONE.error)]));
      socket.end();
      return undefined;
    };
    if (login.user !== this.user || login.password !== this.password)
      return refuse(new ServerError(18456, `Login failed for user '${login.user}'.`, 14));
    const database = login.database || 'master';
    const found = this.model.find(database);
    if (database !== 'master' && found?.state !== 'ONLINE')
      return refuse(
        new ServerError(
          4060,
          `Cannot open database "${database}" requested by the login. The login failed.`,
          11,
        ),
      );
    const others = [...this.model.sessions].some(
      (one) => one.database.toLowerCase() === database.toLowerCase(),
    );
    if (found?.access === 'SINGLE_USER' && others)
      return refuse(
        new ServerError(
          924,
          `Database '${database}' is already open and can only have one user at a time.`,
          14,
        ),
      );
    const session: SessionState = {
      id: this.nextSession,
      program: login.program,
      database: found?.name ?? 'master',
      closed: false,
      locks: new Set(),
      end: () => {
        session.closed = true;
        this.model.sessions.delete(session);
        socket.destroy();
      },
    };
    this.nextSession += 1;
    this.model.sessions.add(session);
    const greeting = [
      tokens.databaseChange(database),
      tokens.info(5701, `Changed database context to '${database}'.`),
    ];
    answer(Buffer.concat([...greeting, tokens.loginAck(16), tokens.done(0)]));
    return session;
  }

  private async answerTo(statement: Statement, session: SessionState): Promise<Buffer | 'cut'> {
    const end = (status: number) =>
      statement.batch
        ? tokens.done(status)
        : Buffer.concat([Buffer.from([0x79, 0, 0, 0, 0]), tokens.doneProc(status)]);
    try {
      const outcome = await this.execute(statement, session);
      if (outcome === 'cut') return 'cut';
      if (!outcome) return end(0);
      const { columns, rows } = outcome;
      return Buffer.concat([
        tokens.resultSet(columns, rows),
        tokens.done(tokens.DONE.more | tokens.DONE.count, rows.length),
        end(0),
      ]);
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      return Buffer.concat([tokens.error(error), end(tokens.DONE.error)]);
    }
  }

  private async execute(statement: Statement, session: SessionState): Promise<Outcome | 'cut'> {
    const { sql, parameters, batch } = statement;
    // What every driver says first.
    if (batch && /^(\s*set [\w ]+\n?)+$/.test(sql)) return undefined;
    this.log.push(sql);
    const parts = batch ? statementsOf(sql) : [];
    if (parts.length <= 1 || match(rules, sql, parameters, batch))
      return this.one(sql, parameters, batch, session);
    let cut = false;
    await runScript(parts, {
      exists: (database) => this.model.find(database) !== undefined,
      alive: () => !session.closed,
      run: async (part) => {
        cut = (await this.one(part, {}, true, session)) === 'cut' || cut;
      },
    });
    return cut ? 'cut' : undefined;
  }

  private async one(
    sql: string,
    parameters: Statement['parameters'],
    batch: boolean,
    session: SessionState,
  ): Promise<Outcome | 'cut'> {
    const fault = this.fault(sql, session);
    if (fault === 'cut') {
      session.end();
      return 'cut';
    }
    if (fault && 'wait' in fault) await new Promise((resolve) => setTimeout(resolve, fault.wait));
    if (fault && 'error' in fault) throw fault.error;
    if (session.closed) return 'cut';
    const found = match<Host>(rules, sql, parameters, batch);
    if (!found) throw new ServerError(102, `The scripted server does not understand: ${sql}`, 15);
    return (await found.rule.run({ server: this, session }, found.call)) as Outcome;
  }

  public static async start(options: TdsServerOptions): Promise<TdsServer & { stop(): Promise<void> }> {
    const server = new TdsServer(options);
    const sockets = new Set<Socket>();
    const listener = createServer((socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      server.serve(socket);
    });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    server.port = (listener.address() as { port: number }).port;
    return Object.assign(server, {
      stop: async () => {
        for (const socket of sockets) socket.destroy();
        await new Promise((resolve) => listener.close(resolve));
      },
    });
  }
}
