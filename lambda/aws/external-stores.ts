import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { ArchiveKey } from '../archive/key.js';
import { rawKey } from '../archive/raw-key.js';
import { S3Store } from '../archive/s3-store.js';
import type { ArchiveStore } from '../archive/store.js';
import { parseStoreUrl } from '../archive/store-url.js';
import { OperationError } from '../errors.js';
import type { ExternalStore, Settings } from './settings.js';

interface Secret {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly archiveKey: string;
}

const SHAPE =
  'it must hold JSON like {"accessKeyId":"…","secretAccessKey":"…","archiveKey":"…"}, the last one 32 bytes as base64';

/** Stores at other providers: their credentials and the key that archives have there are in one secret each. */
export function openExternalStores(
  settings: Settings,
): Promise<{ readonly store: ArchiveStore; readonly key: ArchiveKey }[]> {
  const client = new SecretsManagerClient({ region: settings.region, retryMode: 'adaptive', maxAttempts: 8 });
  return Promise.all(settings.externalStores.map((store) => open(client, store)));
}

async function open(client: SecretsManagerClient, { url, secretArn }: ExternalStore) {
  const answer = await client
    .send(new GetSecretValueCommand({ SecretId: secretArn }))
    .catch((error: Error) => {
      throw new OperationError(
        `the secret ${secretArn} of the store ${url} could not be read (${error.name}: ${error.message})`,
        { cause: error },
      );
    });
  const secret = parse(answer.SecretString, secretArn);
  const options = parseStoreUrl(url, {
    SOVEREIGN_STORE_ACCESS_KEY_ID: secret.accessKeyId,
    SOVEREIGN_STORE_SECRET_ACCESS_KEY: secret.secretAccessKey,
  });
  return { store: new S3Store(options), key: rawKey(Buffer.from(secret.archiveKey, 'base64')) };
}

function parse(text: string | undefined, arn: string): Secret {
  let secret: Partial<Secret> | null;
  try {
    secret = JSON.parse(text ?? '');
  } catch {
    // The parser's own message would quote from the secret.
    throw new OperationError(`the secret ${arn} is not JSON; ${SHAPE}`);
  }
  if (!secret?.accessKeyId || !secret.secretAccessKey || typeof secret.archiveKey !== 'string')
    throw new OperationError(`the secret ${arn} lacks a field; ${SHAPE}`);
  if (!/^[A-Za-z0-9+/]{43}=$/.test(secret.archiveKey))
    throw new OperationError(`the archiveKey in the secret ${arn} is no key; ${SHAPE}`);
  return secret as Secret;
}
