import { KmsKeyringNode } from '@aws-crypto/kms-keyring-node';
import { KeyringNode } from '@aws-crypto/material-management-node';
import {
  DecryptCommand,
  type DecryptCommandInput,
  EncryptCommand,
  type EncryptCommandInput,
  GenerateDataKeyCommand,
  type GenerateDataKeyCommandInput,
  KMSClient,
} from '@aws-sdk/client-kms';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { InputError } from '../errors.js';
import { DamagedError } from './damaged-error.js';
import { type ArchiveKey, KeyError } from './key.js';
import { askedEachTime, type RenewableCredentials } from './s3-client.js';

export interface KmsKeyOptions {
  /** The key's own ARN, never an alias: an archive names its key, and only this one opens it. */
  readonly arn: string;
  readonly credentials?: RenewableCredentials;
  readonly endpoint?: string;
  /** How often a call is tried. @default 8 */
  readonly attempts?: number;
  /** Milliseconds without an answer after which a call is given up and tried again. @default 10000 */
  readonly idleMillis?: number;
}

type KmsClientProvider = NonNullable<ConstructorParameters<typeof KmsKeyringNode>[0]>['clientProvider'];
const keyArn = /^arn:[a-z-]+:kms:([a-z0-9-]+):\d{12}:key\/[A-Za-z0-9-]+$/;

/** An archive key in AWS KMS. Every use is bound to the encryption context, so the key policy can hold it to a tenant. */
export function kmsKey(options: KmsKeyOptions): ArchiveKey {
  const region = regionOfKey(options.arn);
  const client = new KMSClient({
    region,
    ...(options.credentials ? { credentials: askedEachTime(options.credentials) } : {}),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    retryMode: 'adaptive',
    maxAttempts: options.attempts ?? 8,
    // A call takes milliseconds; a connection that fell silent would otherwise hold a dump up for ever.
    requestHandler: new NodeHttpHandler({
      connectionTimeout: 10_000,
      socketTimeout: options.idleMillis ?? 10_000,
    }),
  });
  return { id: options.arn, keyring: new ClearKmsKeyring(options.arn, client, options.credentials) };
}

export function regionOfKey(arn: string): string {
  const region = keyArn.exec(arn)?.[1];
  if (region !== undefined) return region;
  throw new InputError(
    `the archive key must be the ARN of a KMS key (arn:aws:kms:REGION:ACCOUNT:key/ID), got ${JSON.stringify(arn)}; an alias can be pointed elsewhere, so it is not taken`,
  );
}

/** The SDK's own KMS keyring for exactly one key; it never tries other keys that an archive may name. */
class ClearKmsKeyring extends KeyringNode {
  private readonly inner: KmsKeyringNode;
  private lastFault: Error | undefined;

  constructor(
    private readonly arn: string,
    client: KMSClient,
    credentials: RenewableCredentials | undefined,
  ) {
    super();
    const call = async <T>(send: () => Promise<T>): Promise<T> => {
      try {
        return await send().catch((error) => {
          if (error?.name !== 'ExpiredTokenException' || !credentials) throw error;
          credentials.renew();
          return send();
        });
      } catch (error) {
        this.lastFault = explainKms(error, arn);
        throw this.lastFault;
      }
    };
    const calls = {
      generateDataKey: (input: GenerateDataKeyCommandInput) =>
        call(() => client.send(new GenerateDataKeyCommand(input))),
      decrypt: (input: DecryptCommandInput) => call(() => client.send(new DecryptCommand(input))),
      encrypt: (input: EncryptCommandInput) => call(() => client.send(new EncryptCommand(input))),
    };
    this.inner = new KmsKeyringNode({
      generatorKeyId: arn,
      clientProvider: (() => calls) as unknown as KmsClientProvider,
    });
  }

  override async _onEncrypt(...[material]: Parameters<KeyringNode['_onEncrypt']>) {
    return this.inner._onEncrypt(material);
  }

  override async _onDecrypt(...[material, keys]: Parameters<KeyringNode['_onDecrypt']>) {
    this.lastFault = undefined;
    const result = await this.inner._onDecrypt(material, keys).catch((error) => {
      // The SDK joins the stacks of all attempts into one message; there is only one attempt here.
      throw this.lastFault ?? error;
    });
    if (!result.hasValidKey()) {
      const names = keys.map((key) => key.providerInfo).join(', ');
      throw new DamagedError(
        `the archive was not written under ${this.arn} but under ${names || 'no key'}; give the key it was written under`,
      );
    }
    return result;
  }
}

const advice: Record<string, string> = {
  AccessDeniedException:
    'the role may not use the key with this encryption context: check the key policy and that the session tag `tenant` names this tenant',
  DisabledException: 'the key is disabled: enable it (nothing can be read or written under it meanwhile)',
  KMSInvalidStateException:
    'the key is pending deletion or unavailable: CANCEL ITS DELETION NOW (aws kms cancel-key-deletion) and enable it, or every archive under it is lost for good',
  NotFoundException: 'there is no such key in that account and region: check the ARN',
  ThrottlingException:
    'KMS throttled for longer than we retry: run fewer tenants at once, or raise the quota',
  LimitExceededException:
    'KMS throttled for longer than we retry: run fewer tenants at once, or raise the quota',
  KeyUnavailableException: 'the key is not available at the moment: run again later',
  InvalidCiphertextException:
    'the key does not open this archive: it was changed, or belongs to another tenant or place than it lies in',
  IncorrectKeyException: 'the archive was written under another key',
  ExpiredTokenException:
    'the credentials have expired and could not be renewed: check the role that is assumed',
};

/** What KMS itself found to be another's or changed; everything else says nothing of the archive. */
const OF_THE_ARCHIVE = ['InvalidCiphertextException', 'IncorrectKeyException'];

export function explainKms(error: unknown, arn: string): Error {
  const { name = 'unknown error', message = '' } = error as Error;
  const remedy = advice[name];
  const Kind = OF_THE_ARCHIVE.includes(name) ? DamagedError : KeyError;
  return new Kind(
    `the archive key ${arn} could not be used (${message && message !== name ? `${name}: ${message}` : name})${remedy ? `; ${remedy}` : ''}`,
    { cause: error },
  );
}
