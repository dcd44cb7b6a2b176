// What IAM is asked for a call to a service: the actions, on which resources, with which context.

import { ACCOUNT, REGION } from './deployed';
import type { Call } from './fault-proxy';

export interface IamRequest {
  readonly action: string;
  readonly resource: string;
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

/** What a call does not say itself. */
export interface World {
  /** ARN of the key that an alias names, or undefined. */
  keyOf(alias: string): string | undefined;
  tagsOf(keyArn: string): Readonly<Record<string, string>>;
  /** ARN of the key that a bucket or a secret is encrypted with by default, where it is one of ours. */
  keyOfBucket(name: string): string | undefined;
  keyOfSecret(arn: string): string | undefined;
}

const kms = (rest: string) => `arn:aws:kms:${REGION}:${ACCOUNT}:${rest}`;
export const TLS: IamRequest['context'] = { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3' };

/** Throws for a call that it does not know, so that a new one cannot go unjudged. */
export function requestsOf(
  call: Pick<Call, 'name' | 'path' | 'headers' | 'body' | 'status'>,
  world: World,
): IamRequest[] {
  const [service, operation] = call.name.split(' ') as [string, string];
  if (service === 'S3') return ofS3(operation, call, world);
  if (service === 'KMS') return ofKms(operation, JSON.parse(call.body), call.status, world);
  if (service === 'STS' && operation === 'AssumeRole') return ofSts(new URLSearchParams(call.body));
  if (service === 'SECRETSMANAGER' && operation === 'GetSecretValue') {
    const resource = JSON.parse(call.body).SecretId as string;
    const key = world.keyOfSecret(resource);
    return [
      { action: 'secretsmanager:GetSecretValue', resource, context: {} },
      ...(key ? [via('secretsmanager', 'kms:Decrypt', key, { SecretARN: resource })] : []),
    ];
  }
  if (service === 'LOGS' && operation === 'GetLogEvents') {
    const { logGroupName, logStreamName } = JSON.parse(call.body);
    const stream = `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${logGroupName}:log-stream:${logStreamName}`;
    return [{ action: 'logs:GetLogEvents', resource: stream, context: {} }];
  }
  throw new Error(
    `nobody here knows what IAM is asked for ${call.name}: teach it to test/support/iam-requests.ts`,
  );
}

function ofS3(
  operation: string,
  { path, headers, body, status }: Pick<Call, 'path' | 'headers' | 'body' | 'status'>,
  world: World,
): IamRequest[] {
  const { pathname, searchParams } = new URL(path, 'http://s3');
  const [name, ...rest] = decodeURIComponent(pathname.slice(1)).split('/') as [string, ...string[]];
  const bucket = `arn:aws:s3:::${name}`;
  const object = (action: string, key = rest.join('/')): IamRequest => ({
    action: `s3:${action}`,
    resource: `${bucket}/${key}`,
    context: TLS,
  });
  const ofBucket = (action: string, context = {}): IamRequest => ({
    action: `s3:${action}`,
    resource: bucket,
    context: { ...TLS, ...context },
  });
  const encrypted = (...actions: string[]) => {
    const key = headers['x-amz-server-side-encryption-aws-kms-key-id'] ?? world.keyOfBucket(name);
    // With a bucket key, the context is the bucket's ARN.
    return key ? actions.map((action) => via('s3', action, String(key), { 'aws:s3:arn': bucket })) : [];
  };
  const also = (header: string, action: string) => (headers[header] === undefined ? [] : [object(action)]);
  switch (operation) {
    case 'PutObject':
    case 'CreateMultipartUpload':
    case 'UploadPart':
    case 'CompleteMultipartUpload':
      return [
        object('PutObject'),
        ...also('x-amz-tagging', 'PutObjectTagging'),
        ...also('x-amz-object-lock-mode', 'PutObjectRetention'),
        ...also('x-amz-object-lock-legal-hold', 'PutObjectLegalHold'),
        // Parts are put together by reading what was encrypted.
        ...encrypted('kms:GenerateDataKey', ...(operation === 'PutObject' ? [] : ['kms:Decrypt'])),
      ];
    case 'GetObject':
    case 'HeadObject':
      return [
        object('GetObject'),
        ...encrypted('kms:Decrypt'),
        // That nothing is there S3 tells only to those who may list, and the prefix is not in that question's context.
        ...(status === 404 ? [ofBucket('ListBucket')] : []),
      ];
    case 'DeleteObject':
      return [object('DeleteObject')];
    case 'DeleteObjects':
      return [...body.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => object('DeleteObject', key));
    case 'AbortMultipartUpload':
      return [object('AbortMultipartUpload')];
    case 'ListParts':
      return [object('ListMultipartUploadParts')];
    case 'HeadBucket':
      return [ofBucket('ListBucket')];
    case 'ListObjectsV2':
      return [ofBucket('ListBucket', { 's3:prefix': searchParams.get('prefix') ?? '' })];
    case 'ListMultipartUploads':
      return [ofBucket('ListBucketMultipartUploads')];
    default:
      throw new Error(`nobody here knows what IAM is asked for S3 ${operation}`);
  }
}

interface KmsInput {
  readonly KeyId?: string;
  readonly AliasName?: string;
  readonly TargetKeyId?: string;
  readonly EncryptionContext?: Readonly<Record<string, string>>;
  readonly Tags?: readonly { readonly TagKey: string; readonly TagValue: string }[];
}

function ofKms(operation: string, input: KmsInput, status: number | undefined, world: World): IamRequest[] {
  const action = `kms:${operation}`;
  if (operation === 'CreateKey') {
    const tags = input.Tags ?? [];
    const context = {
      'aws:TagKeys': tags.map(({ TagKey }) => TagKey),
      ...Object.fromEntries(tags.map(({ TagKey, TagValue }) => [`aws:RequestTag/${TagKey}`, TagValue])),
    };
    return [
      { action, resource: '*', context },
      { action: 'kms:TagResource', resource: kms('key/new'), context },
    ];
  }
  const used = (id: string, context = {}): IamRequest => {
    const isAlias = id.startsWith('alias/');
    const key = isAlias ? world.keyOf(id) : id.startsWith('arn:') ? id : kms(`key/${id}`);
    // Where the alias names nothing, there are no tags of a key by which the question could be allowed.
    const tags = key === undefined || status === 400 ? {} : world.tagsOf(key);
    return {
      action,
      resource: key ?? kms('key/none'),
      context: {
        ...context,
        ...(isAlias ? { 'kms:RequestAlias': id } : {}),
        ...Object.fromEntries(
          Object.entries(tags).map(([name, value]) => [`aws:ResourceTag/${name}`, value]),
        ),
      },
    };
  };
  if (operation === 'CreateAlias' || operation === 'UpdateAlias')
    return [{ action, resource: kms(input.AliasName!), context: {} }, used(input.TargetKeyId!)];
  if (!/^(GenerateDataKey|Encrypt|Decrypt|DescribeKey|EnableKeyRotation)$/.test(operation))
    throw new Error(`nobody here knows what IAM is asked for KMS ${operation}`);
  return [used(input.KeyId!, encryptionContext(input.EncryptionContext))];
}

function encryptionContext(given: Readonly<Record<string, string>> = {}): IamRequest['context'] {
  const entries = Object.entries(given);
  if (entries.length === 0) return {};
  return {
    'kms:EncryptionContextKeys': entries.map(([name]) => name),
    ...Object.fromEntries(entries.map(([name, value]) => [`kms:EncryptionContext:${name}`, value])),
  };
}

/** A service uses a key on behalf of whoever calls it. */
function via(service: string, action: string, resource: string, context: Record<string, string>): IamRequest {
  const domain = `${service}.${REGION}.amazonaws.com`;
  return {
    action,
    resource,
    context: { 'kms:ViaService': domain, 'kms:CallerAccount': ACCOUNT, ...encryptionContext(context) },
  };
}

function ofSts(input: URLSearchParams): IamRequest[] {
  const tags: Record<string, string> = {};
  for (let i = 1; input.has(`Tags.member.${i}.Key`); i += 1)
    tags[input.get(`Tags.member.${i}.Key`)!] = input.get(`Tags.member.${i}.Value`)!;
  const context = {
    'aws:TagKeys': Object.keys(tags),
    ...Object.fromEntries(Object.entries(tags).map(([name, value]) => [`aws:RequestTag/${name}`, value])),
  };
  return ['sts:AssumeRole', ...(Object.keys(tags).length > 0 ? ['sts:TagSession'] : [])].map((action) => ({
    action,
    resource: input.get('RoleArn')!,
    context,
  }));
}
