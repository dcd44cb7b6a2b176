import { mkdir, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InputError, reasonOf } from '../errors.js';
import { syncFolder } from '../sync-folder.js';
import { newArchiveId, timeOfArchiveId } from './archive-id.js';
import { type ArchiveKey, KeyError, keyRing } from './key.js';
import { checkTenant } from './names.js';
import { generateKeyFile, readKeyFile } from './raw-key.js';
import { tenantKey } from './tenant-key.js';

const ENDING = '.key';

/** The folder is there, and has no key of the tenant. */
export class NoTenantKeyError extends InputError {}

/** That it is there, and nobody else's. */
export async function checkKeyFolder(folder: string): Promise<void> {
  const status = await stat(folder).catch(() => undefined);
  if (!status?.isDirectory())
    throw new InputError(
      `--key-dir ${JSON.stringify(folder)} is not a folder; make it (mkdir -m 700), or mount what should be there`,
    );
  if (process.platform !== 'win32' && (status.mode & 0o002) !== 0)
    throw new InputError(
      `--key-dir ${JSON.stringify(folder)} can be written by everybody (mode ${(status.mode & 0o777).toString(8)}), who could put keys of their own there; run: chmod 700 ${folder}`,
    );
}

/** The key files of a tenant, newest first: the newest is for what is written now, the others open what is older. */
export async function tenantKeyFiles(folder: string, tenant: string): Promise<string[]> {
  checkTenant(tenant);
  await checkKeyFolder(folder);
  const own = join(folder, tenantKey(tenant));
  const names = await readdir(own).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new InputError(`the keys of the tenant cannot be read: ${reasonOf(error)}`);
  });
  return names
    .filter((name) => name.endsWith(ENDING) && timeOfArchiveId(name.slice(0, -ENDING.length)))
    .sort()
    .reverse()
    .map((name) => join(own, name));
}

/**
 * The tenant's own keys. A first one is made for whoever wants to hear of it: nobody has a copy of that yet. The folder
 * itself never is made, for it may just not be mounted.
 */
export async function openKeyFolder(
  folder: string,
  tenant: string,
  made?: (key: { readonly file: string; readonly id: string }) => void,
): Promise<ArchiveKey> {
  const files = await tenantKeyFiles(folder, tenant);
  if (files.length === 0) {
    if (!made)
      throw new NoTenantKeyError(
        `${folder} has no key of tenant ${JSON.stringify(tenant)}; without it, archives written under it cannot be read`,
      );
    const added = await addTenantKey(folder, tenant);
    made(added);
    files.push(added.file);
  }
  const keys = keyRing(await Promise.all(files.map(readKeyFile)));
  return {
    ...keys,
    stillThere: async () => {
      const now = await readKeyFile(files[0]!).catch(() => undefined);
      if (now?.id !== keys.id)
        throw new KeyError(
          `the key ${keys.id} is not in ${files[0]} any more: it was erased meanwhile, or its folder is not mounted, so nothing is kept of what was written under it`,
        );
    },
  };
}

/** A new key, under which everything is written from now on. */
export async function addTenantKey(
  folder: string,
  tenant: string,
): Promise<{ readonly file: string; readonly id: string }> {
  const [newest] = await tenantKeyFiles(folder, tenant);
  const own = join(folder, tenantKey(tenant));
  await mkdir(own, { recursive: true, mode: 0o700 });
  await syncFolder(folder);
  // The newest by its name is the one that is written under, also when the clock was set back.
  const last = newest === undefined ? undefined : timeOfArchiveId(basename(newest, ENDING));
  const at = new Date(Math.max(Date.now(), (last?.getTime() ?? 0) + 1));
  const file = join(own, newArchiveId(at) + ENDING);
  return { file, ...(await generateKeyFile(file)) };
}
