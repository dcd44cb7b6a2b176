// PostgreSQL 17 for the benchmark, on a system whose own pg_dump is too old for zstd (Debian 12 has 15):
// the packages of Debian 13, unpacked into .cache and run from there. Nothing of it is installed.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPostgres } from '../scripts/postgres-server.mts';

const folder = join(import.meta.dirname, '../.cache/postgres17');
const bin = join(folder, 'usr/lib/postgresql/17/bin');

function majorOf(binFolder: string): number {
  const result = spawnSync(join(binFolder, 'postgres'), ['--version'], { encoding: 'utf8' });
  return Number(/\d+/.exec(result.stdout ?? '')?.[0] ?? 0);
}

/** Whether PostgreSQL of this machine is new enough for a fair comparison. */
export function needsPostgres17(): boolean {
  const found = findPostgres();
  return found !== undefined && majorOf(found) < 16 && majorOf(bin) === 0;
}

/** Where the benchmark's PostgreSQL is; nothing means the newest of the machine. */
export function newestPostgres(): string | undefined {
  const found = findPostgres();
  if (found && majorOf(found) >= 16) return found;
  return majorOf(bin) > 0 ? bin : found;
}

/** These programs need the libraries that they were unpacked with: each starts through their own loader. */
function wrap(program: string): void {
  const real = `${program}.real`;
  renameSync(program, real);
  const libraries = ['usr/lib', 'lib'].map((part) => join(folder, part, 'x86_64-linux-gnu')).join(':');
  const loader = join(folder, 'usr/lib64/ld-linux-x86-64.so.2');
  writeFileSync(
    program,
    `#!/bin/sh\nexec '${loader}' --library-path '${libraries}' --argv0 '${program}' '${real}' "$@"\n`,
  );
  chmodSync(program, 0o755);
}

/** Fetches and unpacks it. Needs root, debootstrap, and a processor of the amd64 kind. */
export function installPostgres17(): void {
  rmSync(folder, { recursive: true, force: true });
  const steps: [string, string[]][] = [
    ['debootstrap', ['--download-only', '--variant=minbase', '--include=postgresql-17', 'trixie', folder]],
    [
      'sh',
      [
        '-c',
        'cd "$1" && for deb in var/cache/apt/archives/*.deb; do dpkg-deb -x "$deb" . || exit 1; done',
        'sh',
        folder,
      ],
    ],
    ['rm', ['-rf', join(folder, 'var')]],
  ];
  for (const [command, args] of steps) {
    const result = spawnSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
    if (result.status === 0) continue;
    rmSync(folder, { recursive: true, force: true });
    const tail = `${result.stdout ?? ''}${result.stderr ?? ''}`.trimEnd().split('\n').slice(-5).join('\n  ');
    throw new Error(`${command} failed:\n  ${tail}`);
  }
  for (const name of readdirSync(bin)) if (!name.endsWith('.real')) wrap(join(bin, name));
  if (!existsSync(bin) || majorOf(bin) === 0) throw new Error(`PostgreSQL 17 does not run from ${bin}`);
}
