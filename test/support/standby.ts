// A streaming standby of a throwaway PostgreSQL server, made as people make them: by pg_basebackup.
import { execFileSync } from 'node:child_process';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, runAs } from '../../scripts/server-process.mts';
import type { PostgresServer } from './postgres';

export interface Standby {
  readonly port: number;
  stop(): Promise<void>;
}

export async function startStandby(primary: PostgresServer, settings: string[] = []): Promise<Standby> {
  const folder = await mkdtemp(join(tmpdir(), 'sovereign-standby-'));
  const as = runAs();
  if (as.uid !== undefined) await chown(folder, as.uid, as.gid!);
  const data = join(folder, 'data');
  const run = (tool: string, args: string[]) =>
    execFileSync(join(primary.bin, tool), args, { ...as, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  run('pg_basebackup', [
    '-h',
    '127.0.0.1',
    '-p',
    String(primary.port),
    '-U',
    'postgres',
    '-D',
    data,
    '-R',
    '-c',
    'fast',
  ]);
  const port = await freePort();
  const options = [`-p ${port}`, `-k ${folder}`, ...settings.map((setting) => `-c ${setting}`)].join(' ');
  run('pg_ctl', ['-D', data, '-w', '-l', join(folder, 'log'), '-o', options, 'start']);
  return {
    port,
    async stop() {
      run('pg_ctl', ['-D', data, '-m', 'immediate', '-w', 'stop']);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
