// Tenants on SQL Server, by the built command line: against a scripted server, because none can be had here, and a
// stand-in for S3 that really keeps the bytes.
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { useMoto } from '../support/moto';
import { TdsServer } from '../support/tds-server';
import { type Workspace, workspaceOf } from '../support/tenants';

const moto = useMoto();
const bucket = 'staging-eu';
const kmsKey = 'arn:aws:kms:eu-central-1:111111111111:key/11111111-2222-3333-4444-555555555555';

type Running = Awaited<ReturnType<typeof TdsServer.start>>;

describe.each([
  { kind: 'Amazon RDS', rds: true, options: '' },
  { kind: 'Amazon RDS with a key of the tenant', rds: true, options: `&kms_key=${kmsKey}` },
  { kind: 'SQL Server 2022', rds: false, options: '' },
])('on $kind', ({ rds, options }) => {
  let server: Running;
  let work: Workspace;

  beforeAll(async () => {
    server = await TdsServer.start({ endpoint: moto().endpoint, rds });
    server.credentials.add('s3://staging-eu.s3.eu-central-1.amazonaws.com');
    await client()
      .send(
        new CreateBucketCommand({
          Bucket: bucket,
          CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
        }),
      )
      .catch(() => {});
    work = await workspaceOf(
      () =>
        `sqlserver://backup@127.0.0.1:${server.port}?sslmode=disable&staging=s3://${bucket}/stage${options}`,
      { ...moto().environment, SQLCMDPASSWORD: server.password },
    );
  });
  afterAll(async () => {
    work?.remove();
    await server?.stop();
  });

  test('dump, list, verify, restore, undo', async () => {
    const live = server.model.create('acme', { notes: ['one', 'two'], 'odd ] name': ['x'] });
    live.users.push({ name: 'app', login: 'app' });
    const dumped = await work.dump('acme');
    expect(trouble(dumped, server)).toBe('');
    expect(dumped.json()).toMatchObject({
      tenant: 'acme',
      tables: [
        { schema: 'dbo', name: 'notes', rows: 2 },
        { schema: 'dbo', name: 'odd ] name', rows: 1 },
      ],
    });
    expect(await staged()).toEqual([]);
    expect((await work.list()).json()).toMatchObject([{ tenant: 'acme' }]);
    expect((await work.verify('acme')).json()).toMatchObject({ ok: true });

    live.tables[0]!.rows = ['changed'];
    const restored = await work.restore('acme');
    expect(trouble(restored, server)).toBe('');
    const { undo } = restored.json<{ undo: string }>();
    expect(content(server, 'acme')).toEqual({ notes: ['one', 'two'], 'odd ] name': ['x'] });
    expect(content(server, undo)).toMatchObject({ notes: ['changed'] });
    expect(server.model.find('acme')).toMatchObject({
      state: 'ONLINE',
      access: 'MULTI_USER',
      properties: {},
    });
    expect(server.model.find(undo)).toMatchObject({ access: 'MULTI_USER' });
    expect(await staged()).toEqual([]);

    expect(trouble(await work.undo('acme'), server)).toBe('');
    expect(content(server, 'acme')).toMatchObject({ notes: ['changed'] });
    expect(server.model.databases.size).toBe(2);
  });
});

function client(): S3Client {
  return new S3Client({
    region: 'eu-central-1',
    endpoint: moto().endpoint,
    forcePathStyle: true,
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' },
  });
}

async function staged(): Promise<string[]> {
  const { Contents } = await client().send(new ListObjectsV2Command({ Bucket: bucket }));
  return (Contents ?? []).map(({ Key }) => Key!);
}

function content(server: TdsServer, database: string): Record<string, string[]> {
  return Object.fromEntries(server.model.open(database).tables.map(({ name, rows }) => [name, rows]));
}

/** Empty when it went well; otherwise what was said, and what the server saw last. */
function trouble(ran: { readonly code: number | null; readonly stderr: string }, server: TdsServer): string {
  return ran.code === 0 ? '' : [ran.stderr, ...server.log.slice(-2)].join('\n');
}
