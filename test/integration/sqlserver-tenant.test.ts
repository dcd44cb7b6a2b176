// Tenants on SQL Server, by the built command line: against a scripted server, because none can be had here, and a
// stand-in for S3 that really keeps the bytes.
import { useMoto } from '../support/moto';
import {
  content,
  KMS_KEY,
  type Running,
  staged,
  stagingBucket,
  startSqlServer,
  trouble,
  urlOf,
} from '../support/sqlserver';
import { type Workspace, workspaceOf } from '../support/tenants';

const moto = useMoto();
beforeAll(() => stagingBucket(moto()));

describe.each([
  { kind: 'Amazon RDS with a key of the tenant', rds: true, options: `&kms_key=${KMS_KEY}` },
  { kind: 'SQL Server 2022', rds: false, options: '' },
])('on $kind', ({ rds, options }) => {
  let server: Running;
  let work: Workspace;

  beforeAll(async () => {
    server = await startSqlServer(moto(), { rds });
    work = await workspaceOf(() => urlOf(server, options), {
      ...moto().environment,
      SQLCMDPASSWORD: server.password,
    });
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
    expect(await staged(moto())).toEqual([]);
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
    expect(await staged(moto())).toEqual([]);

    const stranger = await work.undo('mallory', ['--database', 'acme']);
    expect([stranger.code, stranger.stderr]).toEqual([2, expect.stringContaining('is of tenant "acme"')]);
    expect(trouble(await work.undo('acme'), server)).toBe('');
    expect(content(server, 'acme')).toMatchObject({ notes: ['changed'] });
    expect(server.model.databases.size).toBe(2);
  });
});
