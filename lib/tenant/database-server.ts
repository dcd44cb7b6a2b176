import { Token } from 'aws-cdk-lib';
import type { IConnectable } from 'aws-cdk-lib/aws-ec2';
import type * as rds from 'aws-cdk-lib/aws-rds';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { DeclarationError } from '../errors';
import type { SqlServerStaging } from './sql-server-staging';

/** A kind of database server, as the worker knows it. */
export class DatabaseEngine {
  /** PostgreSQL, RDS for PostgreSQL and Aurora PostgreSQL; one database per tenant. */
  public static readonly POSTGRESQL = new DatabaseEngine('postgres', 5432, 'postgres');

  /**
   * MariaDB 10.6 and newer, MySQL 8, RDS for either, and Aurora MySQL 3; one database per tenant. The worker finds out
   * itself which of the two a server is. Its image needs the client tools of that one: MariaDB's are in it.
   */
  public static readonly MYSQL = new DatabaseEngine('mysql', 3306, 'admin');

  /**
   * RDS for SQL Server, by its native backups; one database per tenant. The server also needs `staging`.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/SQLServer.Procedural.Importing.html
   */
  public static readonly SQL_SERVER = new DatabaseEngine('sqlserver', 1433, 'admin', 2);

  /**
   * @param scheme the scheme of the server's URL
   * @param defaultPort where such servers listen
   * @param defaultUser who dumps and restores where nobody is named: the name that RDS suggests for its first user
   * @param maxConcurrency how many tenants of one server can be worked on at a time, where the service limits it
   */
  private constructor(
    public readonly scheme: string,
    public readonly defaultPort: number,
    public readonly defaultUser: string,
    public readonly maxConcurrency?: number,
  ) {}
}

/** Who the worker is on the server. */
export interface DatabaseLogin {
  /**
   * The secret with `password`, and where the other fields are in it also `username`, `host` and `port`.
   *
   * @default - the secret that CDK made with the cluster or instance
   */
  readonly secret?: ISecret;

  /**
   * The user that dumps and restores: it must be able to read every tenant's database, and to create and rename
   * databases.
   *
   * @default - `postgres`; `admin` with MariaDB, MySQL and SQL Server
   */
  readonly user?: string;

  /**
   * Of SQL Server: the bucket through which its backups pass. Its `option()` belongs into the option group of the
   * instance.
   *
   * @default - none
   */
  readonly staging?: SqlServerStaging;

  /**
   * The kind of server.
   *
   * @default - that of the cluster or instance; PostgreSQL where that is not known
   */
  readonly engine?: DatabaseEngine;

  /**
   * Log in with a short-lived token made from the function's role instead of a password, as this resource: `cluster-...`
   * or `db-...`. The server must have IAM authentication enabled, and the user the role `rds_iam`.
   *
   * @default - the password of the secret
   */
  readonly iamResourceId?: string;
}

/** Where a server is that CDK does not know as a construct. */
export interface DatabaseEndpoint extends DatabaseLogin {
  /** Its host name. */
  readonly host: string;

  /**
   * Its port.
   *
   * @default - the engine's own
   */
  readonly port?: number;

  /**
   * The region it is in.
   *
   * @default - that of the worker
   */
  readonly region?: string;

  /**
   * What has to let the worker in: a security group, for instance.
   *
   * @default - nothing is opened
   */
  readonly connections?: IConnectable;
}

/** A server that holds tenants' databases: RDS, Aurora, or any other that the worker can reach. */
export class DatabaseServer {
  /**
   * An Aurora or Multi-AZ cluster; its writer endpoint is used.
   *
   * @throws when the cluster brings no secret and none is given
   */
  public static fromCluster(cluster: rds.IDatabaseCluster, login: DatabaseLogin = {}): DatabaseServer {
    const { hostname, port } = cluster.clusterEndpoint;
    return DatabaseServer.known(cluster, hostname, port, login);
  }

  /**
   * An RDS instance.
   *
   * @throws when the instance brings no secret and none is given
   */
  public static fromInstance(instance: rds.IDatabaseInstance, login: DatabaseLogin = {}): DatabaseServer {
    const { hostname, port } = instance.instanceEndpoint;
    return DatabaseServer.known(instance, hostname, port, login);
  }

  /** Any server, by host name. */
  public static fromEndpoint(endpoint: DatabaseEndpoint): DatabaseServer {
    const engine = endpoint.engine ?? DatabaseEngine.POSTGRESQL;
    return new DatabaseServer(engine, endpoint.host, endpoint.port ?? engine.defaultPort, endpoint);
  }

  private static known(
    source: rds.IDatabaseCluster | rds.IDatabaseInstance,
    host: string,
    port: number,
    login: DatabaseLogin,
  ): DatabaseServer {
    const secret = login.secret ?? (source as { readonly secret?: ISecret }).secret;
    if (!secret && !login.iamResourceId) {
      throw new DeclarationError(
        `[${source.node.path}] the database server brings no secret with it: give its login as ` +
          '{ secret, user }, as in DatabaseServer.fromCluster(cluster, { secret: Secret.fromSecretNameV2(...) })',
      );
    }
    const engine = login.engine ?? engineOf(source);
    return new DatabaseServer(engine, host, port, {
      ...login,
      secret: login.iamResourceId ? login.secret : secret,
      connections: source,
      region: source.env.region,
    });
  }

  /** What kind of server it is. */
  public readonly engine: DatabaseEngine;

  /** Host name. */
  public readonly host: string;

  /** Port. */
  public readonly port: number;

  /** Who dumps and restores. */
  public readonly user: string;

  /** Their password. */
  public readonly secret?: ISecret;

  /** What lets the worker in. */
  public readonly connections?: IConnectable;

  /** What tokens are made for, where no password is used. */
  public readonly iamResourceId?: string;

  /** The bucket through which its backups pass. */
  public readonly staging?: SqlServerStaging;

  /** The region it is in, where that is known. */
  public readonly region?: string;

  private constructor(
    engine: DatabaseEngine,
    host: string,
    port: number,
    endpoint: DatabaseLogin & { connections?: IConnectable; region?: string },
  ) {
    this.engine = engine;
    this.host = host;
    this.port = port;
    this.user = endpoint.user ?? engine.defaultUser;
    this.staging = endpoint.staging;
    this.secret = endpoint.secret;
    this.connections = endpoint.connections;
    this.region = endpoint.region;
    this.iamResourceId = endpoint.iamResourceId;
  }

  /** The server's URL, without a password. */
  public get url(): string {
    const port = Token.isUnresolved(this.port) ? Token.asString(this.port) : String(this.port);
    const user = Token.isUnresolved(this.user) ? this.user : encodeURIComponent(this.user);
    return `${this.engine.scheme}://${user}@${this.host}:${port}${this.staging?._urlOptions ?? ''}`;
  }
}

function engineOf(source: rds.IDatabaseCluster | rds.IDatabaseInstance): DatabaseEngine {
  const { engine } = source as { readonly engine?: rds.IEngine };
  if (engine?.engineFamily === 'MYSQL' || engine?.engineType.startsWith('mariadb'))
    return DatabaseEngine.MYSQL;
  return engine?.engineType.startsWith('sqlserver') ? DatabaseEngine.SQL_SERVER : DatabaseEngine.POSTGRESQL;
}
