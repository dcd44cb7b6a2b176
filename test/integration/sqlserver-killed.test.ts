// The built command line killed at moments spread over its run, and told to stop; and the built worker, as Lambda runs it.
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { invoke } from '../support/invoke';
import { useMoto } from '../support/moto';
import { seeded, seedOf } from '../support/random';
import {
  content,
  names,
  type Running,
  staged,
  stagingBucket,
  startSqlServer,
  trouble,
  urlOf,
} from '../support/sqlserver';
import { type Workspace, workspaceOf } from '../support/tenants';

const moto = useMoto();
beforeAll(async () => {
  await stagingBucket(moto());
  await stagingBucket(moto(), 'archives-eu');
});

const random = seeded(seedOf('kills on SQL Server'));
const OLD = { t: ['old'] };
const NEW = { t: ['new', 'rows'] };

describe.each([
  { kind: 'Amazon RDS', rds: true },
  { kind: 'SQL Server 2022', rds: false },
])('on $kind', ({ rds }) => {
  let server: Running;
  let work: Workspace;
  beforeAll(async () => {
    server = await startSqlServer(moto(), { rds });
    // So slow that a moment in the middle of anything can be hit.
    server.fault = () => ({ wait: 4 });
    server.model.create('acme', NEW);
    work = await workspaceOf(() => urlOf(server), {
      ...moto().environment,
      SQLCMDPASSWORD: server.password,
    });
  });
  afterAll(async () => {
    work?.remove();
    await server?.stop();
  });

  async function duration(run: () => Promise<{ code: number | null; stderr: string }>): Promise<number> {
    const began = performance.now();
    expect(trouble(await run(), server)).toBe('');
    return performance.now() - began;
  }
  /** The rounds share the run between them, so that no part of it is left out. */
  const killedIn = (round: number, of: number, whole: number) => (child: ChildProcess) => {
    const share = 0.25 + (0.75 * (round + random())) / of;
    setTimeout(() => child.kill('SIGKILL'), whole * share);
  };
  const live = () => content(server, 'acme');

  test('a dump, a restore and an undo, killed at any moment', async () => {
    const dumping = await duration(() => work.dump('acme'));
    for (let round = 0; round < 2; round += 1)
      await work.dump('acme', [], { started: killedIn(round, 2, dumping) });
    expect(trouble(await work.dump('acme'), server)).toBe('');
    expect(await staged(moto())).toEqual([]);

    server.model.open('acme').tables = [server.model.table('t', OLD.t)];
    const restoring = await duration(() => work.restore('acme'));
    for (let round = 0; round < 4; round += 1) {
      await work.restore('acme', [], { started: killedIn(round, 4, restoring) });
      if (server.model.find('acme')) expect([OLD, NEW]).toContainEqual(live());
    }
    expect(trouble(await work.restore('acme'), server)).toBe('');
    expect(live()).toEqual(NEW);
    expect(names(server).filter((name) => name.includes('__restore_'))).toEqual([]);
    expect(await staged(moto())).toEqual([]);

    const undoing = await duration(() => work.undo('acme'));
    for (let round = 0; round < 2; round += 1)
      await work.undo('acme', [], { started: killedIn(round, 2, undoing) });
    expect(trouble(await work.undo('acme'), server)).toBe('');
    expect([OLD, NEW]).toContainEqual(live());
    for (const { access, state } of server.model.databases.values())
      expect({ access, state }).toEqual({ access: 'MULTI_USER', state: 'ONLINE' });
  });

  test('told to stop, it leaves nothing behind', async () => {
    server.tasks.fault = () => 'stuck';
    server.statementSteps = 10_000;
    const before = names(server);
    const archives = (await work.list(['acme'])).json<unknown[]>().length;
    const stopped = await work.dump('acme', [], {
      started: async (child) => {
        const seen = server.log.length;
        while (!server.log.slice(seen).some((sql) => /BACKUP DATABASE|@task_id/.test(sql))) await sleep(10);
        child.kill('SIGTERM');
      },
    });
    expect(stopped).toMatchObject({ code: 3, stdout: '' });
    expect(stopped.stderr).toMatch(/stopped by SIGTERM/);
    expect(await staged(moto())).toEqual([]);
    expect(names(server)).toEqual(before);
    expect((await work.list(['acme'])).json<unknown[]>()).toHaveLength(archives);
    expect(server.tasks.all.filter(({ lifecycle }) => lifecycle === 'IN_PROGRESS')).toEqual([]);
  });
});

test('the worker finds, dumps, verifies, restores and undoes as Lambda runs it', async () => {
  const server = await startSqlServer(moto(), { rds: true });
  try {
    server.model.create('tenant_a', NEW);
    server.model.create('other');
    const config = {
      region: 'eu-central-1',
      endpoint: moto().endpoint,
      credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' },
    };
    const key = await new KMSClient(config).send(new CreateKeyCommand({}));
    const secret = await new SecretsManagerClient(config).send(
      new CreateSecretCommand({
        Name: 'sqlserver',
        SecretString: JSON.stringify({ username: server.user, password: server.password }),
      }),
    );
    const environment = {
      ...moto().environment,
      SOVEREIGN_REGIME: 'eu',
      SOVEREIGN_BUCKET: 'archives-eu',
      SOVEREIGN_KEY_ARN: key.KeyMetadata!.Arn!,
      SOVEREIGN_SERVER: `sqlserver://127.0.0.1:${server.port}?sslmode=disable&staging=s3://staging-eu/stage/`,
      SOVEREIGN_SECRET_ARN: secret.ARN!,
      SOVEREIGN_TENANT_ROLE_ARN: 'arn:aws:iam::123456789012:role/tenant',
      SOVEREIGN_TENANT_PATTERN: 'tenant\\_%',
    };
    expect(await invoke('discover', { run: 'run-1' }, environment)).toMatchObject({ result: { count: 1 } });
    const act = (action: string, more = {}) =>
      invoke('worker', { action, tenant: 'tenant_a', ...more }, environment);
    const dumped = await act('dump');
    expect(dumped).toMatchObject({ result: { tenant: 'tenant_a', tables: [{ name: 't', rows: 2 }] } });
    expect(dumped.log).not.toContain(server.password);
    expect(await act('verify')).toMatchObject({ result: { ok: true } });
    server.model.open('tenant_a').tables = [server.model.table('t', OLD.t)];
    expect(await act('restore', { confirm: 'tenant_a' })).toMatchObject({
      result: { undo: expect.any(String) },
    });
    expect(content(server, 'tenant_a')).toEqual(NEW);
    expect(await act('undo', { confirm: 'tenant_a' })).toMatchObject({ result: { tenant: 'tenant_a' } });
    expect(content(server, 'tenant_a')).toEqual(OLD);
    server.withoutOption = true;
    const failed = await act('dump');
    expect(failed.error).toMatchObject({ name: 'TenantInputError' });
    expect(failed.error?.message).toContain('SQLSERVER_BACKUP_RESTORE');
    expect(await staged(moto())).toEqual([]);
  } finally {
    await server.stop();
  }
});
