import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { RawAesKeyringNode, RawAesWrappingSuiteIdentifier } from '@aws-crypto/raw-aes-keyring-node';
import { InputError, OperationError, reasonOf } from '../errors.js';
import { syncFolder } from '../sync-folder.js';
import type { ArchiveKey } from './key.js';

const KEY_BYTES = 32;
/** Both are needed, beside the key, to open an archive with the AWS Encryption SDK alone. */
export const RAW_KEY_NAMESPACE = 'sovereign-backup';

/** Makes a key file of 32 random bytes that only its owner can read. */
export async function generateKeyFile(path: string): Promise<{ readonly id: string }> {
  const bytes = randomBytes(KEY_BYTES);
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new InputError(
        `${path} already exists; it may be the only key to archives, so it is never overwritten: name another file`,
      );
    throw new InputError(`the key file cannot be made: ${reasonOf(error)}`);
  }
  try {
    // The umask may have taken more bits away than the owner's; it never added any.
    await file.chmod(0o600);
    await file.writeFile(bytes);
    await file.sync();
    // An archive must not outlast a power cut that its key does not.
    await syncFolder(dirname(resolve(path)));
  } catch (error) {
    // It is ours, and half a key would stand in the way of every later dump.
    await rm(path, { force: true }).catch(() => {});
    throw new OperationError(`the key file ${path} could not be written: ${reasonOf(error)}`);
  } finally {
    await file.close();
  }
  return { id: fingerprint(bytes) };
}

/** Reads a key file: 32 bytes, or the same as 64 hexadecimal digits or as base64. */
export async function readKeyFile(path: string): Promise<ArchiveKey> {
  const bytes = await readPrivate(path);
  const key = decodeKey(bytes);
  if (!key)
    throw new InputError(
      `${path} is not a key file: it has ${bytes.length} bytes, and a key is ${KEY_BYTES} bytes ` +
        '(or 64 hexadecimal digits, or 44 characters of base64); make one with `sovereign-backup keygen FILE`',
    );
  return rawKey(key);
}

/** An archive key from 32 bytes in hand. */
export function rawKey(bytes: Uint8Array): ArchiveKey {
  const id = fingerprint(bytes);
  // The keyring demands memory of its own.
  const own = new Uint8Array(bytes);
  const keyring = new RawAesKeyringNode({
    keyNamespace: RAW_KEY_NAMESPACE,
    keyName: id,
    unencryptedMasterKey: own,
    // The context's names in the order of their bytes, which is theirs in every language, too: asking a language takes 5 ms.
    utf8Sorting: true,
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  });
  return { id, keyring };
}

function fingerprint(bytes: Uint8Array): string {
  return `raw:${createHash('sha256').update('sovereign-backup key\0').update(bytes).digest('hex').slice(0, 16)}`;
}

function decodeKey(bytes: Buffer): Buffer | undefined {
  if (bytes.length === KEY_BYTES) return bytes;
  const text = bytes.toString('latin1').trim();
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  if (/^[A-Za-z0-9+/]{43}=$/.test(text)) return Buffer.from(text, 'base64');
  return undefined;
}

async function readPrivate(path: string): Promise<Buffer> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    // Not blocking: a pipe in the file's place must not make us wait for a writer.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new InputError(
        `the key file ${JSON.stringify(path)} is not there; archives open with the key that they were written under alone: find it, or the copy that was kept of it (\`sovereign-backup keygen\` makes one for new archives)`,
      );
    throw new InputError(`the key file cannot be read: ${reasonOf(error)}`);
  }
  try {
    const status = await file.stat();
    if (!status.isFile()) throw new InputError(`the key file ${path} is not a regular file`);
    if (process.platform !== 'win32' && (status.mode & 0o077) !== 0)
      throw new InputError(
        `the key file ${path} can be read by others (mode ${(status.mode & 0o777).toString(8)}); run: chmod 600 ${path}`,
      );
    if (status.size > 4096)
      throw new InputError(`${path} is not a key file: it has ${status.size} bytes, a key has ${KEY_BYTES}`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}
