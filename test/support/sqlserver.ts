// The SQL Server engine by itself, in this process, against the scripted server: for the many ways in which it can fail.
import type { Readable } from 'node:stream';
import { Readable as Stream } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { DumpFacts, Engine, PreparedRestore, TableRows } from '../../lambda/engine/engine';
import { bundled } from './bundled';
import type { Moto } from './moto';
import { TdsServer, type TdsServerOptions } from './tds-server';

export type Running = Awaited<ReturnType<typeof TdsServer.start>>;

export const STAGING = 'staging-eu';
export const KMS_KEY = 'arn:aws:kms:eu-central-1:111111111111:key/11111111-2222-3333-4444-555555555555';

export function s3(moto: Moto): S3Client {
  return new S3Client({
    region: 'eu-central-1',
    endpoint: moto.endpoint,
    forcePathStyle: true,
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' },
  });
}

export async function stagingBucket(moto: Moto, name = STAGING): Promise<void> {
  const place = { LocationConstraint: 'eu-central-1' } as const;
  await s3(moto).send(new CreateBucketCommand({ Bucket: name, CreateBucketConfiguration: place }));
}

export async function staged(moto: Moto): Promise<string[]> {
  const { Contents } = await s3(moto).send(new ListObjectsV2Command({ Bucket: STAGING }));
  return (Contents ?? []).map(({ Key }) => Key!);
}

export async function copyStaged(moto: Moto, key: string, to: string): Promise<void> {
  const found = await s3(moto).send(new GetObjectCommand({ Bucket: STAGING, Key: key }));
  const body = await found.Body!.transformToByteArray();
  await s3(moto).send(new PutObjectCommand({ Bucket: STAGING, Key: to, Body: body }));
}

export async function startSqlServer(
  moto: Moto,
  options: Omit<TdsServerOptions, 'endpoint'>,
): Promise<Running> {
  const server = await TdsServer.start({ endpoint: moto.endpoint, ...options });
  server.credentials.add(`s3://${STAGING}.s3.eu-central-1.amazonaws.com`);
  return server;
}

export function urlOf(server: Running, options = ''): string {
  return `sqlserver://backup@127.0.0.1:${server.port}?sslmode=disable&staging=s3://${STAGING}/stage${options}`;
}

/** Rows by table. */
export function content(server: TdsServer, database: string): Record<string, string[]> {
  return Object.fromEntries(server.model.open(database).tables.map(({ name, rows }) => [name, rows]));
}

export function names(server: TdsServer): string[] {
  return [...server.model.databases.values()].map(({ name }) => name).sort();
}

/** Empty when it went well; otherwise what was said, and what the server saw last. */
export function trouble(
  ran: { readonly code: number | null; readonly stderr: string },
  server: TdsServer,
): string {
  return ran.code === 0 ? '' : [ran.stderr, ...server.log.slice(-2)].join('\n');
}

export interface Dumped {
  readonly facts: DumpFacts;
  readonly tables: readonly TableRows[];
  readonly bytes: Buffer;
}

const WHOLE = { tenancy: 'database' } as const;

export function engineOf(moto: Moto) {
  Object.assign(process.env, moto.environment);
  const { sqlserver } = bundled<{ sqlserver: Engine }>('lambda/engine/sqlserver.ts');
  const addressOf = (server: Running, options: Record<string, string> = {}) => ({
    scheme: 'sqlserver',
    host: '127.0.0.1',
    port: server.port,
    user: server.user,
    password: server.password,
    options: { sslmode: 'disable', staging: `s3://${STAGING}/stage`, ...options },
  });
  return {
    engine: sqlserver,
    addressOf,
    async dump(
      server: Running,
      database: string,
      options: Record<string, string> = {},
      signal?: AbortSignal,
      archiveKey?: string,
    ) {
      const dump = await sqlserver.dump({
        server: addressOf(server, options),
        database,
        scope: WHOLE,
        ...(archiveKey ? { archiveKey } : {}),
        ...(signal ? { signal } : {}),
      });
      try {
        const bytes = await buffer(dump.stream);
        const { tables } = await dump.finished;
        return { facts: dump.facts, tables, bytes } satisfies Dumped;
      } finally {
        await dump.close();
      }
    },
    prepare(
      server: Running,
      database: string,
      dumped: Dumped,
      more: {
        readonly options?: Record<string, string>;
        readonly signal?: AbortSignal;
        readonly open?: () => Promise<Readable>;
        readonly tables?: readonly TableRows[];
        readonly archive?: string;
      } = {},
    ): Promise<PreparedRestore> {
      return sqlserver.prepareRestore({
        server: addressOf(server, more.options),
        tenant: database,
        database,
        scope: WHOLE,
        archive: more.archive ?? '20261120T150000.000Z-1a2b3c4d',
        at: dumped.facts.at,
        facts: dumped.facts,
        tables: more.tables ?? dumped.tables,
        noOwner: false,
        open: more.open ?? (async () => Stream.from([dumped.bytes], { objectMode: false })),
        ...(more.signal ? { signal: more.signal } : {}),
      });
    },
    async restore(server: Running, database: string, dumped: Dumped) {
      const prepared = await this.prepare(server, database, dumped);
      return { ...(await prepared.swap()), warnings: prepared.warnings };
    },
    undo: (server: Running, database: string) =>
      sqlserver.undo({
        server: addressOf(server),
        tenant: database,
        database,
        scope: WHOLE,
        confirm: async () => {},
      }),
    databases: (server: Running, pattern: string) => sqlserver.databases(addressOf(server), pattern),
  };
}
