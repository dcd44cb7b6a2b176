import { S3Client } from '@aws-sdk/client-s3';
import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from '@aws-sdk/types';
import { NodeHttpHandler } from '@smithy/node-http-handler';

/** Credentials that can be fetched anew when the service says that they have expired before their time. */
export interface RenewableCredentials {
  /** Asked before every call, so it remembers what it fetched. */
  readonly provide: AwsCredentialIdentityProvider;
  /** Forgets what was fetched. */
  renew(): void;
}

export interface S3ClientOptions {
  readonly region: string;
  readonly credentials?: AwsCredentialIdentity | RenewableCredentials;
  /** Another provider's address; without it AWS's own of the region. */
  readonly endpoint?: string;
  readonly forcePathStyle?: boolean;
  /** How often a call is tried. @default 8 */
  readonly attempts?: number;
  /** Milliseconds without a byte after which a connection is given up and the call tried again. @default 60000 */
  readonly idleMillis?: number;
}

const expired = new Set(['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired', 'RequestExpired']);

/**
 * A client that outlasts a bad hour of the service: throttling and server errors are retried with growing pauses at a
 * rate that adapts, a silent connection is cut, and credentials that expired in the middle are fetched once more.
 */
export function s3Client(options: S3ClientOptions): S3Client {
  const { credentials } = options;
  const renewable = credentials !== undefined && 'provide' in credentials ? credentials : undefined;
  const client = new S3Client({
    region: options.region,
    credentials: renewable ? askedEachTime(renewable) : (credentials as AwsCredentialIdentity | undefined),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.forcePathStyle ? { forcePathStyle: true } : {}),
    retryMode: 'adaptive',
    maxAttempts: options.attempts ?? 8,
    // Uploads name their own checksums, archives are authenticated whole when read, and other providers know less.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: new NodeHttpHandler({
      connectionTimeout: 10_000,
      socketTimeout: options.idleMillis ?? 60_000,
    }),
  });
  if (renewable) {
    client.middlewareStack.add(
      (next) => async (args) => {
        try {
          return await next(args);
        } catch (error) {
          if (!expired.has((error as Error).name)) throw error;
          renewable.renew();
          return await next(args);
        }
      },
      { step: 'initialize', name: 'renewExpiredCredentials' },
    );
  }
  return client;
}

/** A client caches what a provider gives unless told that the provider does so itself. */
export function askedEachTime(credentials: RenewableCredentials): AwsCredentialIdentityProvider {
  return Object.assign(() => credentials.provide(), { memoized: true });
}
