import { statSync } from 'node:fs';
import { FolderStore } from '../../lambda/archive/folder-store.js';
import type { ArchiveKey } from '../../lambda/archive/key.js';
import { readKeyFile } from '../../lambda/archive/raw-key.js';
import type { ArchiveStore } from '../../lambda/archive/store.js';
import { UsageError } from '../errors.js';
import type { KeyOptions, StoreOptions } from './options.js';

interface OpenOptions {
  /** Archives are to be read: a folder that is not there is a mistake. */
  readonly mustExist: boolean;
}

/** Where the archives are and what opens them. */
export async function openArchives(options: KeyOptions, how: OpenOptions = { mustExist: false }) {
  return { ...(await openStore(options, how)), key: await openKey(options) };
}

/** A folder to read from must be there; one to write to is made by the first archive. */
export async function openStore(
  { store: place, regime }: StoreOptions,
  how: OpenOptions,
): Promise<{ readonly store: ArchiveStore; readonly regime: string }> {
  if (place.startsWith('s3://')) {
    // The SDK is read only where it is needed.
    const [{ S3Store }, { parseStoreUrl }] = await Promise.all([
      import('../../lambda/archive/s3-store.js'),
      import('../../lambda/archive/store-url.js'),
    ]);
    return { regime, store: new S3Store(parseStoreUrl(place)) };
  }
  const status = statSync(place, { throwIfNoEntry: false });
  if (status ? !status.isDirectory() : how.mustExist)
    throw new UsageError(
      `--store ${JSON.stringify(place)} is ${status ? 'not a folder' : 'not there'}; name the folder that holds the archives, or a bucket (s3://bucket/prefix/)`,
    );
  return { regime, store: new FolderStore(place) };
}

async function openKey({ keyFile, kmsKey: arn }: KeyOptions): Promise<ArchiveKey> {
  if ((keyFile === undefined) === (arn === undefined))
    throw new UsageError(
      'give the key of the archives: --key-file FILE for one made by `sovereign-backup keygen`, or --kms-key ARN for one in AWS KMS, not both',
    );
  if (keyFile !== undefined) return readKeyFile(keyFile);
  const { kmsKey } = await import('../../lambda/archive/kms-key.js');
  return kmsKey({ arn: arn! });
}
