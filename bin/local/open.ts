import { statSync } from 'node:fs';
import { FolderStore } from '../../lambda/archive/folder-store.js';
import { readKeyFile } from '../../lambda/archive/raw-key.js';
import { UsageError } from '../errors.js';
import type { KeyOptions } from './options.js';

/** The store and key of local mode. */
export async function openLocal(options: KeyOptions) {
  return { store: openStore(options.store), key: await readKeyFile(options.keyFile) };
}

/** A folder to read from must be there; one to write to is made by the first archive. */
export function openStore(folder: string, options: { readonly mustExist: boolean } = { mustExist: false }) {
  const status = statSync(folder, { throwIfNoEntry: false });
  if (status ? !status.isDirectory() : options.mustExist)
    throw new UsageError(
      `--store ${JSON.stringify(folder)} is ${status ? 'not a folder' : 'not there'}; name the folder that holds the archives`,
    );
  return new FolderStore(folder);
}
