import { existsSync } from 'node:fs';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Signer } from '@aws-sdk/rds-signer';
import { defaultPort } from '../engine/engines.js';
import { parseServer, type ServerAddress } from '../engine/server.js';
import { OperationError } from '../errors.js';
import type { Settings } from './settings.js';

interface Login {
  readonly username?: string;
  readonly password?: string;
  readonly host?: string;
  readonly port?: number | string;
}

/** So short that a rotated password is picked up by the next try of a failed run. */
const cachedMillis = 30_000;
let cached: { readonly arn: string; readonly login: Login; readonly until: number } | undefined;

/** The server with a login in memory: nothing of it is written to the environment, an argument list or a log. */
export async function serverLogin(settings: Settings): Promise<ServerAddress> {
  const stated = parseServer(settings.server);
  const secret = settings.secretArn ? await readSecret(settings.secretArn, settings.region) : {};
  const user = secret.username ?? stated.user;
  const host = stated.host;
  const port = stated.port ?? (secret.port === undefined ? undefined : Number(secret.port));
  const password =
    settings.login === 'iam'
      ? // A token is for one port, so it has to be the one that the driver will use.
        await token(settings.region, host, port ?? defaultPort(stated), user)
      : secret.password;
  return {
    scheme: stated.scheme,
    host,
    options: encrypted(stated, settings),
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
  };
}

/** Where the certificates that sign RDS servers' own are: in our image, and in Lambda's own runtime. */
const shippedCertificates = ['/opt/sovereign-backup/rds-ca.pem', '/var/runtime/ca-cert.pem'];

/** Unless the address says otherwise, the server must prove by its certificate that it is the one we mean. */
function encrypted(stated: ServerAddress, settings: Settings): Readonly<Record<string, string>> {
  if (stated.options.sslmode !== undefined) return stated.options;
  const { caFile } = settings;
  if (caFile !== undefined && caFile !== 'system' && !existsSync(caFile)) {
    throw new OperationError(
      `the certificates by which the server is judged are not at ${caFile}, which SOVEREIGN_CA_FILE names; add them to the worker's image`,
    );
  }
  const sslrootcert = caFile ?? shippedCertificates.find((file) => existsSync(file)) ?? 'system';
  return { sslrootcert, ...stated.options, sslmode: 'verify-full' };
}

async function readSecret(arn: string, region: string): Promise<Login> {
  if (cached && cached.arn === arn && Date.now() < cached.until) return cached.login;
  const client = new SecretsManagerClient({ region, retryMode: 'adaptive', maxAttempts: 8 });
  const answer = await client.send(new GetSecretValueCommand({ SecretId: arn })).catch((error: Error) => {
    const advice =
      error.name === 'AccessDeniedException'
        ? "grant the function's role secretsmanager:GetSecretValue on it and kms:Decrypt on its key"
        : 'check its ARN and region';
    throw new OperationError(
      `the secret ${arn} with the database login could not be read (${error.name}: ${error.message}); ${advice}`,
      { cause: error },
    );
  });
  const login = parseLogin(answer.SecretString, arn);
  cached = { arn, login, until: Date.now() + cachedMillis };
  return login;
}

function parseLogin(text: string | undefined, arn: string): Login {
  const shape = 'it must hold JSON like {"username":"…","password":"…"}';
  let value: unknown;
  try {
    value = JSON.parse(text ?? '');
  } catch {
    // The parser's own message would quote from the secret.
    throw new OperationError(`the secret ${arn} is not JSON; ${shape}`);
  }
  const login = value as Login;
  if (typeof login !== 'object' || login === null || typeof login.password !== 'string') {
    throw new OperationError(`the secret ${arn} has no "password"; ${shape}`);
  }
  return login;
}

async function token(
  region: string,
  hostname: string,
  port: number,
  username: string | undefined,
): Promise<string> {
  if (username === undefined) {
    throw new OperationError(
      'SOVEREIGN_DB_AUTH is iam, but no user is named; write it into SOVEREIGN_SERVER (postgres://user@host:5432)',
    );
  }
  return new Signer({ region, hostname, port, username }).getAuthToken();
}
