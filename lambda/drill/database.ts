import { DescribeDBClustersCommand, DescribeDBInstancesCommand, RDSClient } from '@aws-sdk/client-rds';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import pg from 'pg';
import { nameIn, type Run, ValidationFailure, type Validator } from './validator.js';

export interface DatabaseSettings {
  /** ARN of the secret: JSON with `username` and `password`, as RDS and Secrets Manager keep them. */
  readonly secret: string;
  readonly database: string;
  /** `schema.table`, or `table` for what the search path finds. Each must exist. */
  readonly tables: readonly string[];
  /** Tables that must have rows, too. */
  readonly filledTables: readonly string[];
}

interface Place {
  readonly host: string;
  readonly port: number;
}

const POLL_MILLISECONDS = 15_000;

/** A PostgreSQL database on RDS answers SQL over verified TLS, and has the tables it should. */
export const database: Validator<DatabaseSettings> = async (restored, settings, run) => {
  const place = await placeOf(restored.arn, run);
  const { username, password } = await credentials(settings.secret);
  const client = new pg.Client({
    ...place,
    user: username,
    password,
    database: settings.database,
    // Lambda's NODE_EXTRA_CA_CERTS names the bundle with the RDS authorities.
    ssl: { rejectUnauthorized: true },
    connectionTimeoutMillis: 20_000,
    query_timeout: Math.max(1_000, run.deadline - Date.now()),
  });
  // A connection that breaks also fails the query that waits for it; without a listener it would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    for (const table of [...settings.tables, ...settings.filledTables]) await exists(client, table);
    for (const table of settings.filledTables) await hasRows(client, table);
  } catch (error) {
    if (error instanceof ValidationFailure) throw error;
    throw new ValidationFailure(
      `database '${settings.database}' on ${place.host} does not answer: ${(error as Error).message}`,
    );
  } finally {
    await client.end().catch(() => {});
  }
  const count = new Set([...settings.tables, ...settings.filledTables]).size;
  return `database '${settings.database}' answers and has ${count} of ${count} expected tables`;
};

async function exists(client: pg.Client, table: string): Promise<void> {
  const { rows } = await client.query('SELECT to_regclass($1) IS NOT NULL AS found', [quoted(table)]);
  if (!rows[0].found) throw new ValidationFailure(`table ${table} is missing`);
}

async function hasRows(client: pg.Client, table: string): Promise<void> {
  const { rowCount } = await client.query(`SELECT 1 FROM ${quoted(table)} LIMIT 1`);
  if (rowCount === 0) throw new ValidationFailure(`table ${table} is empty`);
}

/** Names come from a declaration, and are quoted all the same. */
const quoted = (table: string) => table.split('.').map(pg.escapeIdentifier).join('.');

async function placeOf(arn: string, run: Run): Promise<Place> {
  const rds = new RDSClient();
  const name = nameIn(arn);
  const isCluster = arn.includes(':cluster:');
  for (;;) {
    const found = isCluster ? await cluster(rds, name) : await dbInstance(rds, name);
    if (found.engine && !found.engine.includes('postgres')) {
      throw new ValidationFailure(
        `${name} runs ${found.engine}; this check speaks PostgreSQL only, use a function of your own`,
      );
    }
    if (found.host && found.state === 'available') return { host: found.host, port: found.port ?? 5432 };
    await run.pause(POLL_MILLISECONDS, `database ${name} is ${found.state}`);
  }
}

async function dbInstance(rds: RDSClient, name: string) {
  const answer = await rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: name }));
  const found = answer.DBInstances?.[0];
  return {
    engine: found?.Engine,
    state: found?.DBInstanceStatus,
    host: found?.Endpoint?.Address,
    port: found?.Endpoint?.Port,
  };
}

async function cluster(rds: RDSClient, name: string) {
  const answer = await rds.send(new DescribeDBClustersCommand({ DBClusterIdentifier: name }));
  const found = answer.DBClusters?.[0];
  if (found?.Status === 'available' && !found.DBClusterMembers?.length) {
    throw new ValidationFailure(
      `cluster ${name} was restored without an instance, so that nothing answers SQL: ` +
        'use a function of your own that adds one and removes it again',
    );
  }
  return { engine: found?.Engine, state: found?.Status, host: found?.Endpoint, port: found?.Port };
}

async function credentials(secret: string): Promise<{ username: string; password: string }> {
  const { SecretString } = await new SecretsManagerClient().send(
    new GetSecretValueCommand({ SecretId: secret }),
  );
  let value: { username?: unknown; password?: unknown } = {};
  try {
    value = JSON.parse(SecretString ?? '{}');
  } catch {
    // The parser's own message would quote the secret.
  }
  if (typeof value.username !== 'string' || typeof value.password !== 'string') {
    throw new Error(`secret ${secret} must be JSON with username and password`);
  }
  return { username: value.username, password: value.password };
}
