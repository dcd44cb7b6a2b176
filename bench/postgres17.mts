// PostgreSQL 17 for the benchmark, on a system whose own pg_dump is too old for zstd (Debian 12 has 15):
// the packages of Debian 13, unpacked into .cache and run from there. Nothing of it is installed.
import { join } from 'node:path';
import { findPostgres } from '../scripts/postgres-server.mts';
import { binOf, majorIn, type ReleasePostgres, unpackPostgres } from '../scripts/release-postgres.mts';

const wanted: ReleasePostgres = {
  folder: join(import.meta.dirname, '../.cache/postgres17'),
  distribution: 'debian',
  suite: 'trixie',
  major: 17,
};

/** Whether PostgreSQL of this machine is new enough for a fair comparison. */
export function needsPostgres17(): boolean {
  const found = findPostgres();
  return found !== undefined && majorIn(found) < 16 && majorIn(binOf(wanted)) === 0;
}

/** Where the benchmark's PostgreSQL is; nothing means the newest of the machine. */
export function newestPostgres(): string | undefined {
  const found = findPostgres();
  if (found && majorIn(found) >= 16) return found;
  return majorIn(binOf(wanted)) > 0 ? binOf(wanted) : found;
}

/** Fetches and unpacks it. Needs root, debootstrap, and a processor of the amd64 kind. */
export function installPostgres17(): void {
  unpackPostgres(wanted);
}
