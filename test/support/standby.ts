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
  const run = (program: string, args: string[]) =>
    execFileSync(program, args, { ...as, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  // Only a server's own pg_ctl starts it.
  const control = join(primary.serverBin, 'pg_ctl');
  run(join(primary.bin, 'pg_basebackup'), [
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
  // What a newer pg_basebackup writes down of its connection, an older server does not understand.
  const from = `-c "primary_conninfo=host=127.0.0.1 port=${primary.port} user=postgres"`;
  const options = [`-p ${port}`, `-k ${folder}`, from, ...settings.map((setting) => `-c ${setting}`)].join(
    ' ',
  );
  run(control, ['-D', data, '-w', '-l', join(folder, 'log'), '-o', options, 'start']);
  return {
    port,
    async stop() {
      run(control, ['-D', data, '-m', 'immediate', '-w', 'stop']);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
