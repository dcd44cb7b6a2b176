// What the tests of tenant archives have in common: a folder with a key and a store, and the commands on them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunOptions, runCli } from './cli';
import type { PostgresServer } from './postgres';

export interface Workspace {
  readonly folder: string;
  readonly store: string;
  readonly key: string;
  dump(tenant: string, args?: string[], options?: RunOptions): ReturnType<typeof runCli>;
  list(args?: string[]): ReturnType<typeof runCli>;
  verify(tenant: string, args?: string[]): ReturnType<typeof runCli>;
  restore(tenant: string, args?: string[], options?: RunOptions): ReturnType<typeof runCli>;
  undo(tenant: string, args?: string[], options?: RunOptions): ReturnType<typeof runCli>;
  remove(): void;
}

export function workspace(
  server: () => { readonly port: number },
  user = 'postgres',
  scheme = 'postgres',
): Promise<Workspace> {
  return workspaceOf(() => `${scheme}://${user}@127.0.0.1:${server().port}`);
}

/** For any server, and what the commands need to find in their environment. */
export async function workspaceOf(url: () => string, env: RunOptions['env'] = {}): Promise<Workspace> {
  const folder = mkdtempSync(join(tmpdir(), 'tenants-'));
  const store = join(folder, 'store');
  const key = join(folder, 'key');
  await runCli(['keygen', key]);
  const on = ['--store', store, '--key-file', key, '--json'];
  const at = () => ['--server', url()];
  const name = (tenant: string) => ['--', tenant];
  const within = (options: RunOptions) => ({ ...options, env: { ...env, ...options.env } });
  return {
    folder,
    store,
    key,
    dump: (tenant, args = [], options = {}) =>
      runCli(['dump', ...at(), ...on, ...args, ...name(tenant)], within(options)),
    list: (args = []) => runCli(['list', '--store', store, '--json', ...args]),
    verify: (tenant, args = []) => runCli(['verify', ...on, ...args, ...name(tenant)]),
    restore: (tenant, args = [], options = {}) =>
      runCli(['restore', ...at(), ...on, `--confirm=${tenant}`, ...args, ...name(tenant)], within(options)),
    undo: (tenant, args = [], options = {}) =>
      runCli(['undo', ...at(), '--json', `--confirm=${tenant}`, ...args, ...name(tenant)], within(options)),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Everything in a database that a dump must bring back, as one text: schema and rows, in a fixed order. */
export async function fingerprint(server: PostgresServer, database: string): Promise<string> {
  const { execFileSync } = await import('node:child_process');
  const dbname = `dbname='${database.replace(/[\\']/g, '\\$&')}' host=127.0.0.1 port=${server.port} user=postgres`;
  const text = execFileSync(join(server.bin, 'pg_dump'), [`--dbname=${dbname}`], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...(server.password ? { env: { ...process.env, PGPASSWORD: server.password } } : {}),
  });
  // Each run has a random word in these lines.
  return text.replace(/^\\(un)?restrict .*$/gm, '');
}
