import { statSync } from 'node:fs';
import { FolderStore } from '../../lambda/archive/folder-store.js';
import { type ArchiveKey, keyRing } from '../../lambda/archive/key.js';
import { checkKeyFolder, NoTenantKeyError, openKeyFolder } from '../../lambda/archive/key-folder.js';
import { readKeyFile } from '../../lambda/archive/raw-key.js';
import type { ArchiveStore } from '../../lambda/archive/store.js';
import { OperationError, reasonOf } from '../../lambda/errors.js';
import { UsageError } from '../errors.js';
import { tellOfKey } from './new-key.js';
import type { KeyChoice, KeyOptions, StoreOptions, StoresOptions } from './options.js';

interface OpenOptions {
  /** Archives are to be read: a folder that is not there is a mistake. */
  readonly mustExist: boolean;
  /** What the store was named by. @default --store */
  readonly option?: string;
}

/** Where the archives are and what opens them: the keys, of which the first is for what is written. */
export async function openArchives(
  tenant: string,
  options: KeyOptions,
  how: OpenOptions = { mustExist: false },
) {
  const keys = keysOf(options);
  const opened = await openStore(options, how);
  return { ...opened, key: await (await openKeys(keys))(tenant) };
}

/** What opens archives of any tenant, or nothing where no key was named. */
export async function openGivenKeys(options: Omit<KeyOptions, 'store'>) {
  const keys = givenKeys(options);
  return keys.length === 0 ? undefined : openKeys(keys);
}

/**
 * Of a tenant, those of the keys that it has: what a folder lacks may lie under another one. That there is such a file, or
 * folder, is seen before anything is done.
 */
async function openKeys(choices: readonly KeyChoice[]): Promise<(tenant: string) => Promise<ArchiveKey>> {
  const keys = await Promise.all(
    choices.map(async (choice) => {
      if ('folder' in choice) {
        await checkKeyFolder(choice.folder);
        return (tenant: string) => openKeyFolder(choice.folder, tenant);
      }
      const key = await openKey(choice);
      return async () => key;
    }),
  );
  return async (tenant) => {
    const lacking: NoTenantKeyError[] = [];
    const found = await Promise.all(
      keys.map((key) =>
        key(tenant).catch((error) => {
          if (!(error instanceof NoTenantKeyError)) throw error;
          lacking.push(error);
          return undefined;
        }),
      ),
    );
    const own = found.filter((key) => key !== undefined);
    const [first] = lacking;
    if (first && own.length === 0) throw first;
    return { ...keyRing(own), ...(first ? { lacks: first.message } : {}) };
  };
}

/** Several stores for one dump: one key for all, or one for each, in the same order. */
export async function openTargets(tenant: string, options: StoresOptions) {
  const keys = keysOf(options);
  const { store: places } = options;
  if (keys.length !== 1 && keys.length !== places.length)
    throw new UsageError(
      `there are ${places.length} stores and ${keys.length} keys; give one key for all of them, or one for each in the same order`,
    );
  const stores = await openStores(options, { mustExist: false });
  const opened = await Promise.all(
    keys.map((key) => ('folder' in key ? openKeyFolder(key.folder, tenant, tellOfKey) : openKey(key))),
  );
  const targets = stores.map((store, index) => ({ ...store, key: opened[index] ?? opened[0]! }));
  const [first, ...copies] = targets;
  return { ...first!, ...(copies.length > 0 ? { copies } : {}) };
}

/** All of them, each once, before anything is done in the first. */
export async function openStores(
  { store: places, regime }: StoresOptions,
  how: OpenOptions = { mustExist: true },
) {
  const stores = await Promise.all(places.map((store) => openStore({ store, regime }, how)));
  const locations = stores.map(({ store }) => store.location);
  const twice = locations.find((location, index) => locations.indexOf(location) !== index);
  if (twice !== undefined) throw new UsageError(`--store ${JSON.stringify(twice)} is named twice`);
  return stores;
}

/** A folder to read from must be there; one to write to is made by the first archive. */
export async function openStore(
  { store: place, regime }: StoreOptions,
  how: OpenOptions,
): Promise<{ readonly store: ArchiveStore; readonly regime: string }> {
  if (place.startsWith('s3://')) {
    // The SDK is read only where it is needed.
    const [{ S3Store }, { configuredStore }] = await Promise.all([
      import('../../lambda/archive/s3-store.js'),
      import('../../lambda/archive/configured-store.js'),
    ]);
    return { regime, store: new S3Store(await configuredStore(place)) };
  }
  const option = how.option ?? '--store';
  // What an unset variable of a shell leaves; it would be the folder that one happens to be in.
  if (place === '')
    throw new UsageError(`${option} is empty; name a folder, or a bucket (s3://bucket/prefix/)`);
  // A shell leaves it as it is behind `--store=`, and a folder of that name would be made here.
  if (/^~(\/|$)/.test(place))
    throw new UsageError(
      `${option} ${JSON.stringify(place)} begins with a ~ that the shell has left; write ${option} ~/… with a blank, or the whole path`,
    );
  // It would be a folder of that name here, and no bucket.
  if (/^(s3:|[a-z][a-z0-9+.-]+:\/\/)/i.test(place))
    throw new UsageError(
      `${option} ${JSON.stringify(place.replace(/\?.*/s, ''))} is no URL that is known; buckets of every provider are written s3://bucket/prefix/ (with &endpoint=https://… of another than AWS), and folders as a path`,
    );
  const status = statusOf(place, option);
  if (status ? !status.isDirectory() : how.mustExist)
    throw new UsageError(
      `${option} ${JSON.stringify(place)} is ${status ? 'not a folder' : 'not there'}; name the folder that holds the archives, or a bucket (s3://bucket/prefix/)`,
    );
  return { regime, store: new FolderStore(place) };
}

function statusOf(place: string, option: string) {
  try {
    return statSync(place, { throwIfNoEntry: false });
  } catch (error) {
    throw new OperationError(`${option} ${JSON.stringify(place)} cannot be looked at: ${reasonOf(error)}`);
  }
}

function givenKeys({ keyFile, keyDir, kmsKey }: Omit<KeyOptions, 'store'>): readonly KeyChoice[] {
  return keyFile ?? keyDir ?? kmsKey ?? [];
}

function keysOf(options: Omit<KeyOptions, 'store'>): readonly KeyChoice[] {
  const keys = givenKeys(options);
  if (keys.length === 0)
    throw new UsageError(
      'give the key of the archives: --key-file FILE for one made by `sovereign-backup keygen`, --key-dir FOLDER for one of each tenant, or --kms-key ARN for one in AWS KMS',
    );
  return keys;
}

async function openKey(choice: Exclude<KeyChoice, { folder: string }>): Promise<ArchiveKey> {
  if ('file' in choice) return readKeyFile(choice.file);
  const { kmsKey } = await import('../../lambda/archive/kms-key.js');
  return kmsKey({ arn: choice.kms });
}
