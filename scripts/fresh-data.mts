// What initdb and mariadb-install-db write for one version is the same each time: it is made once, and copied.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './server-process.mts';

/**
 * Fills the folder `data` of a new server: with what `make` writes into it, or with a copy of what it wrote
 * before for the same `identity` (version, options and account: all that it depends on). Never for a server
 * whose password is part of what is written.
 */
export async function freshData(
  identity: readonly string[],
  data: string,
  make: () => Promise<void>,
): Promise<void> {
  const kept = join(
    process.cwd(),
    '.cache/server-data',
    createHash('sha256').update(identity.join('\n')).digest('hex').slice(0, 16),
  );
  if (existsSync(kept)) return run('cp', ['-a', kept, data]);
  await make();
  await mkdir(join(kept, '..'), { recursive: true });
  const copying = await mkdtemp(`${kept}-`);
  await run('cp', ['-a', data, join(copying, 'data')]);
  // Whole at once; where another one was sooner, with the same, theirs stays.
  await rename(join(copying, 'data'), kept).catch(() => {});
  await rm(copying, { recursive: true, force: true });
}
