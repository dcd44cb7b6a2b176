import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { useMariadb } from './mariadb.ts';

const run = promisify(execFile);
const module_ = join(__dirname, '../../scripts/mariadb-server.mts');

describe('the throwaway MariaDB server', () => {
  const server = useMariadb({ password: "it's secret" });

  test('asks for its password, keeps its data over a crash, and leaves nothing behind', async () => {
    const [row] = await server().query<{ v: string }>('select version() as v');
    expect(row!.v).toContain(server().version.split('-')[0]);
    await expect(server().connect(undefined, 'nobody')).rejects.toThrow(/Access denied/);
    await server().query('create database kept; create table kept.t engine=innodb select 7 as x');
    const before = server().pid;
    await server().crash();
    expect(server().pid).not.toBe(before);
    expect(await server().query('select x from kept.t')).toEqual([{ x: 7 }]);
    await server().stop();
    expect(existsSync(server().folder)).toBe(false);
    expect(() => process.kill(server().pid, 0)).toThrow('ESRCH');
  });

  test('leaves nothing behind when its owner is killed', async () => {
    const script = `import { startMariadb } from ${JSON.stringify(module_)};
      const server = await startMariadb();
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
