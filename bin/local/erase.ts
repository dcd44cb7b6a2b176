import { rm } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { type Certificate, type ErasableKeys, eraseTenant } from '../../lambda/archive/erase-tenant.js';
import { FolderStore } from '../../lambda/archive/folder-store.js';
import { checkFree } from '../../lambda/archive/free-file.js';
import { erasableFiles } from '../../lambda/archive/key-folder-erase.js';
import { OperationError, reasonOf } from '../../lambda/errors.js';
import { count } from '../count.js';
import { UsageError } from '../errors.js';
import { checkConfirm } from './confirm.js';
import { openStores } from './open.js';
import type { StoresOptions } from './options.js';
import { printable } from './printable.js';
import { Terminal } from './terminal.js';

export interface EraseOptions extends StoresOptions {
  readonly certificate: string;
  readonly waitingDays?: number;
  readonly confirm?: string;
  readonly json?: boolean;
}

export async function runErase(tenant: string, options: EraseOptions): Promise<void> {
  checkConfirm(tenant, options.confirm, 'erase');
  const file = resolve(options.certificate);
  const unfinished = `${file}.unfinished`;
  await checkFree(file);
  await checkFree(unfinished);
  const keys = await erasableOf(tenant, options);
  const stores = (await openStores(options)).map(({ store }) => store);
  const terminal = new Terminal();
  const write = (path: string, certificate: Certificate) =>
    new FolderStore(dirname(path)).write(
      basename(path),
      Readable.from([Buffer.from(`${JSON.stringify(certificate, null, 2)}\n`)], { objectMode: false }),
    );
  const certificate = await eraseTenant({
    tenant,
    regime: options.regime,
    stores,
    keys,
    say: (message) => terminal.say(message),
    confirm: async ({ archives, stillReadable }) => {
      if (options.confirm !== undefined) return options.confirm;
      return terminal.ask(
        `\n${count(archives.length, 'archive')} of ${JSON.stringify(tenant)} will be unreadable for good, and ${stillReadable.length} under other keys will stay as they are.\n` +
          `This cannot be undone. Type the tenant's name to destroy its key, anything else to leave it: `,
      );
    },
    // Killed, or failing, after a key is gone, the list of what it opened must not be gone, too.
    prepared: async (before) => void (await write(unfinished, before)),
  });
  await write(file, certificate).catch((error) => {
    throw new OperationError(
      `the key is destroyed, and the certificate could not be written: ${reasonOf(error)}; its list of archives is in ${unfinished}, with the time before the erasure`,
    );
  });
  await rm(unfinished, { force: true });
  if (options.json) process.stdout.write(`${JSON.stringify(certificate, null, 2)}\n`);
  else
    process.stdout.write(
      `${count(certificate.archives.length, 'archive')} of ${printable(tenant)} cannot be read from ${certificate.unreadableFrom} on; the certificate is in ${file}\n`,
    );
  if (certificate.stillReadable.length > 0)
    terminal.say(
      `${count(certificate.stillReadable.length, 'archive')} of ${tenant} under other keys can be read as before by whoever has those; the certificate lists them`,
    );
}

async function erasableOf(tenant: string, options: EraseOptions): Promise<ErasableKeys> {
  const given = options.keyFile ?? options.keyDir ?? options.kmsKey ?? [];
  const [key] = given;
  if (given.length !== 1 || !key || 'file' in key)
    throw new UsageError(
      "erase destroys a key that is the tenant's own: give --key-dir FOLDER, or --kms-key ARN, once",
    );
  if ('folder' in key) {
    if (options.waitingDays !== undefined)
      throw new UsageError('--waiting-days is of KMS keys; a key file is gone at once');
    return erasableFiles(key.folder, tenant);
  }
  const { erasableKmsKey } = await import('../../lambda/archive/kms-erase.js');
  return erasableKmsKey(key.kms, options.waitingDays ?? 30);
}
