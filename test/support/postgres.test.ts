import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startPostgres, usePostgres } from './postgres.ts';

const run = promisify(execFile);
const module_ = join(__dirname, '../../scripts/postgres-server.mts');

describe('the throwaway PostgreSQL server', () => {
  const server = usePostgres({ password: "it's secret" });

  test('runs in its own folder, as its clients know it', async () => {
    const [row] = await server().query('SHOW server_version');
    expect(row?.server_version).toContain(server().version);
    expect(existsSync(join(server().bin, 'pg_dump'))).toBe(true);
  });

  test('asks for the password it was given', async () => {
    const psql = join(server().bin, 'psql');
    const args = ['-w', '-Atc', 'SELECT 1', '-d', `${server().url}/postgres`];
    const env = { PATH: process.env.PATH, PGPASSFILE: '/nonexistent' };
    await expect(run(psql, args, { env })).rejects.toThrow('no password supplied');
    const good = await run(psql, args, { env: { ...env, PGPASSWORD: "it's secret" } });
    expect(good.stdout).toBe('1\n');
  });

  test('leaves nothing behind when stopped', async () => {
    const other = await startPostgres();
    await other.stop();
    await other.stop();
    expect(existsSync(other.folder)).toBe(false);
    expect(() => process.kill(other.pid, 0)).toThrow('ESRCH');
  });

  test('leaves nothing behind when its owner is killed', async () => {
    const script = `import { startPostgres } from ${JSON.stringify(module_)};
      const server = await startPostgres();
      console.log(JSON.stringify({ pid: server.pid, folder: server.folder }));
      process.kill(process.pid, 'SIGKILL');`;
    const node = join(__dirname, '../../node_modules/.bin/node');
    const outcome = await run(node, ['--input-type=module', '-e', script]).catch((error) => error);
    const { pid, folder } = JSON.parse(outcome.stdout);
    for (let i = 0; i < 300 && existsSync(folder); i += 1) await sleep(50);
    expect(existsSync(folder)).toBe(false);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});
