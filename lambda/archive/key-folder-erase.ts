import { randomBytes } from 'node:crypto';
import { open, rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { InputError, OperationError, reasonOf } from '../errors.js';
import type { ErasableKeys } from './erase-tenant.js';
import { tenantKeyFiles } from './key-folder.js';
import { readKeyFile } from './raw-key.js';

/** All key files of a tenant, former ones too: each of them opens some of its archives. */
export async function erasableFiles(folder: string, tenant: string): Promise<ErasableKeys> {
  const files = await tenantKeyFiles(folder, tenant);
  if (files.length === 0)
    throw new InputError(
      `${folder} has no key of tenant ${JSON.stringify(tenant)}: it was erased before, or its archives are under another key`,
    );
  const keys = await Promise.all(files.map(readKeyFile));
  return {
    ids: keys.map(({ id }) => id),
    method: 'key files overwritten and deleted; the medium may keep what was overwritten',
    async destroy() {
      for (const file of files) await shred(file);
      await rmdir(dirname(files[0]!)).catch(() => {});
      return new Date();
    },
  };
}

async function shred(path: string): Promise<void> {
  try {
    const file = await open(path, 'r+');
    try {
      const { size } = await file.stat();
      await file.write(randomBytes(size), 0, size, 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await rm(path);
  } catch (error) {
    throw new OperationError(
      `the key file ${path} could not be destroyed: ${reasonOf(error)}; files before it are gone: run again`,
    );
  }
}
