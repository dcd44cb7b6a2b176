// PostgreSQL of another Debian release: its packages, unpacked into a folder and run from there. Nothing is installed.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface DebianPostgres {
  /** Where to unpack it. */
  readonly folder: string;
  /** `trixie` has 17, `forky` has 18. */
  readonly suite: string;
  readonly major: number;
}

export function binOf({ folder, major }: DebianPostgres): string {
  return join(folder, `usr/lib/postgresql/${major}/bin`);
}

/** The major version of the server programs in a folder; 0 when they do not run. */
export function majorIn(bin: string): number {
  const result = spawnSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8' });
  return Number(/\d+/.exec(result.stdout ?? '')?.[0] ?? 0);
}

/** These programs need the libraries that they were unpacked with: each starts through their own loader. */
function wrap(folder: string, program: string): void {
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
export function unpackDebianPostgres(wanted: DebianPostgres): void {
  const { folder, suite, major } = wanted;
  rmSync(folder, { recursive: true, force: true });
  const scripts = '/usr/share/debootstrap/scripts';
  // An older debootstrap does not know the newest release by name; it is like the unstable one.
  const like = existsSync(join(scripts, suite)) ? [] : ['http://deb.debian.org/debian', join(scripts, 'sid')];
  const steps: [string, string[]][] = [
    [
      'debootstrap',
      ['--download-only', '--variant=minbase', `--include=postgresql-${major}`, suite, folder, ...like],
    ],
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
  const bin = binOf(wanted);
  for (const name of readdirSync(bin)) if (!name.endsWith('.real')) wrap(folder, join(bin, name));
  if (majorIn(bin) !== major) throw new Error(`PostgreSQL ${major} does not run from ${bin}`);
}
