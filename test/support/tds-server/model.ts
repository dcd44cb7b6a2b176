// A small SQL Server in memory: databases with tables, users and properties, and what sessions hold on them.
import { ServerError } from './tokens';

export interface ModelTable {
  readonly id: number;
  readonly schema: string;
  readonly name: string;
  rows: string[];
  /** Grows with every write; null for a kind of table that the server does not watch. */
  writes: number | null;
}

export interface ModelUser {
  readonly name: string;
  /** Null for one whose login is not on this server. */
  readonly login: string | null;
}

export interface ModelDatabase {
  name: string;
  state: 'ONLINE' | 'RESTORING' | 'SUSPECT';
  access: 'MULTI_USER' | 'SINGLE_USER' | 'RESTRICTED_USER';
  owner: string;
  tables: ModelTable[];
  users: ModelUser[];
  properties: Record<string, string>;
  mirrored: boolean;
  encrypted: boolean;
  trustworthy: boolean;
  broker: boolean;
  capture: boolean;
  /** Pages that DBCC CHECKDB complains of. */
  broken: boolean;
  files: string[];
  restoredFrom?: string;
}

export interface SessionState {
  readonly id: number;
  readonly program: string;
  database: string;
  closed: boolean;
  readonly locks: Set<string>;
  /** Ends the connection from the server's side. */
  end(): void;
}

export class Model {
  public readonly databases = new Map<string, ModelDatabase>();
  public readonly sessions = new Set<SessionState>();
  private nextId = 100;

  public create(name: string, tables: Readonly<Record<string, readonly string[]>> = {}): ModelDatabase {
    const database: ModelDatabase = {
      name,
      state: 'ONLINE',
      access: 'MULTI_USER',
      owner: 'sa',
      tables: Object.entries(tables).map(([table, rows]) => this.table(table, rows)),
      users: [],
      properties: {},
      mirrored: false,
      encrypted: false,
      trustworthy: false,
      broker: false,
      capture: false,
      broken: false,
      files: [`/var/opt/mssql/data/${this.nextId}.mdf`, `/var/opt/mssql/data/${this.nextId}.ldf`],
    };
    this.databases.set(name.toLowerCase(), database);
    return database;
  }

  public table(name: string, rows: readonly string[] = [], schema = 'dbo'): ModelTable {
    this.nextId += 1;
    return { id: this.nextId, schema, name, rows: [...rows], writes: rows.length };
  }

  /** Names are found whatever their case, as on most servers. */
  public find(name: string): ModelDatabase | undefined {
    return this.databases.get(name.toLowerCase());
  }

  /** For a statement that works in it. */
  public open(name: string): ModelDatabase {
    const database = this.find(name);
    if (!database)
      throw new ServerError(
        911,
        `Database '${name}' does not exist. Make sure that the name is entered correctly.`,
      );
    if (database.state !== 'ONLINE')
      throw new ServerError(
        927,
        `Database '${database.name}' cannot be opened. It is in the middle of a restore.`,
        14,
      );
    return database;
  }

  public rename(from: string, to: string, by: SessionState): void {
    const database = this.find(from);
    if (!database)
      throw new ServerError(
        911,
        `Database '${from}' does not exist. Make sure that the name is entered correctly.`,
      );
    if (database.mirrored)
      throw new ServerError(
        1468,
        `The operation cannot be performed on database "${from}" because it is involved in a database mirroring session or an availability group.`,
      );
    if (this.find(to) && this.find(to) !== database)
      throw new ServerError(1801, `Database '${to}' already exists. Choose a different database name.`);
    this.alone(database, by);
    this.databases.delete(from.toLowerCase());
    database.name = to;
    this.databases.set(to.toLowerCase(), database);
  }

  public drop(name: string, by: SessionState): void {
    const database = this.find(name);
    if (!database)
      throw new ServerError(
        3701,
        `Cannot drop the database '${name}', because it does not exist or you do not have permission.`,
        11,
      );
    this.alone(database, by);
    this.databases.delete(name.toLowerCase());
  }

  public endSessions(database: ModelDatabase, by: SessionState): void {
    for (const session of [...this.sessions])
      if (session !== by && session.database.toLowerCase() === database.name.toLowerCase()) session.end();
  }

  private alone(database: ModelDatabase, by: SessionState): void {
    const others = [...this.sessions].some(
      (session) => session !== by && session.database.toLowerCase() === database.name.toLowerCase(),
    );
    if (others)
      throw new ServerError(5030, 'The database could not be exclusively locked to perform the operation.');
  }

  /** A LIKE of SQL Server, its brackets included. */
  public like(name: string, pattern: string): boolean {
    let source = '';
    for (let i = 0; i < pattern.length; i += 1) {
      const character = pattern[i]!;
      if (character === '\\' && i + 1 < pattern.length) {
        i += 1;
        source += pattern[i]!.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
      } else if (character === '%') source += '[\\s\\S]*';
      else if (character === '_') source += '[\\s\\S]';
      else if (character === '[') {
        const end = pattern.indexOf(']', i);
        source += pattern.slice(i, end + 1);
        i = end;
      } else source += character.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
    }
    return new RegExp(`^${source}$`, 'iu').test(name);
  }
}
