import { StoreError } from './store.js';

interface ServiceFault {
  readonly name?: string;
  readonly message?: string;
  readonly code?: string;
  readonly Code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
}

export function statusOf(error: unknown): number | undefined {
  return (error as ServiceFault)?.$metadata?.httpStatusCode;
}

/** How often the failed call was tried; a refusal of a repeated write may be an echo of our own first one. */
export function attemptsOf(error: unknown): number {
  return (error as ServiceFault)?.$metadata?.attempts ?? 1;
}

export function isDenied(error: unknown): boolean {
  return statusOf(error) === 403;
}

export function isMissing(error: unknown): boolean {
  const name = (error as ServiceFault)?.name;
  return name === 'NoSuchKey' || name === 'NotFound' || name === 'NoSuchUpload';
}

/** What is refused of one object, and may be granted of the next: by policy, by the key of the bucket, by its storage class. */
export function isOfObject(error: unknown): boolean {
  const { name = '' } = (error ?? {}) as ServiceFault;
  return name === 'AccessDenied' || name === 'InvalidObjectState' || name.startsWith('KMS.');
}

const advice: Record<string, string> = {
  AccessDenied:
    'the credentials in use may not do this: check the role, the bucket policy, the key policy and, for a tenant role, that its session tag `tenant` names this tenant',
  NoSuchUpload: 'another run completed the upload or gave it up meanwhile: run again',
  NoSuchBucket: 'the bucket does not exist in this account and region: check its name',
  PermanentRedirect: 'the bucket is in another region: set the region of the store to the one of the bucket',
  AuthorizationHeaderMalformed:
    'the bucket is in another region: set the region of the store to the one of the bucket',
  CredentialsProviderError:
    'there are no credentials for the store: set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in; of another provider SOVEREIGN_STORE_ACCESS_KEY_ID and SOVEREIGN_STORE_SECRET_ACCESS_KEY',
  InvalidAccessKeyId: 'the access key is unknown: check the credentials of the store',
  SignatureDoesNotMatch: 'the secret key is wrong, or the clock of this machine is: check both',
  ExpiredToken: 'the credentials have expired and could not be renewed: check the role that is assumed',
  SlowDown:
    'the service asked to slow down for longer than we retry: run again later, or with less concurrency',
  ServiceUnavailable: 'the service failed for longer than we retry: run again later',
  InternalError: 'the service failed for longer than we retry: run again later',
  QuotaExceeded: 'the store is full: make room or raise its quota',
  XMinioStorageFull: 'the store is full: make room',
  TimeoutError: 'the service cannot be reached: check the endpoint, the VPC endpoint and the security groups',
  ECONNREFUSED: 'nothing listens there: check the endpoint',
  ENOTFOUND: 'the host name is unknown: check the endpoint and the region',
  ECONNRESET: 'the connection was cut for longer than we retry: check the network, then run again',
  InvalidObjectState:
    'the object was moved to a storage class that has to be restored before it is read (aws s3api restore-object); let no lifecycle rule move archives there',
  EntityTooLarge: 'the object is larger than the service takes',
};

/** One sentence of what failed where, what the service said, and what to do; never a key, never a secret. */
export function explainS3(error: unknown, doing: string, location: string): Error {
  if (error instanceof Error && 'exitCode' in error) return error;
  const fault = error as ServiceFault;
  const code =
    fault?.code ?? /\b(?:ECONN[A-Z]+|ENOTFOUND|EAI_AGAIN|ETIMEDOUT)\b/.exec(fault?.message ?? '')?.[0];
  const name =
    fault?.Code ?? (fault?.name && fault.name !== 'Error' ? fault.name : (code ?? 'unknown error'));
  const remedy = advice[code ?? ''] ?? advice[name] ?? adviceOfStatus(statusOf(error));
  const said = fault?.message && fault.message !== name ? `${name}: ${fault.message}` : name;
  const tries = attemptsOf(error) > 1 ? ` after ${attemptsOf(error)} attempts` : '';
  return new StoreError(`${doing} failed in ${location}${tries} (${said})${remedy ? `; ${remedy}` : ''}`, {
    cause: error,
  });
}

function adviceOfStatus(status: number | undefined): string | undefined {
  if (status === 403) return advice.AccessDenied;
  if (status === 507) return advice.QuotaExceeded;
  if (status === 503) return advice.ServiceUnavailable;
  if (status !== undefined && status >= 500) return advice.InternalError;
  return undefined;
}
