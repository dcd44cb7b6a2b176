// PostgreSQL of another release of Debian or Ubuntu, unpacked into a folder and run from there.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type ReleasePackages, unpackPackages, wrapPrograms } from './release-packages.mts';

export interface ReleasePostgres extends Omit<ReleasePackages, 'packages'> {
  readonly major: number;
}

export function binOf({ folder, major }: Pick<ReleasePostgres, 'folder' | 'major'>): string {
  return join(folder, `usr/lib/postgresql/${major}/bin`);
}

/** The major version of the server programs in a folder; 0 when they do not run. */
export function majorIn(bin: string): number {
  const result = spawnSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8' });
  return Number(/\d+/.exec(result.stdout ?? '')?.[0] ?? 0);
}

/** Fetches and unpacks it. */
export function unpackPostgres({ major, ...release }: ReleasePostgres): void {
  unpackPackages({ ...release, packages: [`postgresql-${major}`] });
  const bin = binOf({ ...release, major });
  wrapPrograms(release.folder, bin);
  if (majorIn(bin) !== major) throw new Error(`PostgreSQL ${major} does not run from ${bin}`);
}
