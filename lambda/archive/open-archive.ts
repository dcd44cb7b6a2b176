import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { InputError, reasonOf } from '../errors.js';
import { archivePrefix, PARTS } from './archive-id.js';
import { type ArchivePlace, type ReadManifest, readManifest } from './catalog.js';
import { DamagedError } from './damaged-error.js';
import { type ArchiveKey, keyOf } from './key.js';
import { encryptionContext, type Manifest } from './manifest.js';
import { decryptBytes, decryptStream } from './message.js';
import { type ArchiveStore, ObjectMissingError } from './store.js';
import { createDecompressor, requireZstd } from './zstd.js';

/** What is needed to read an archive. */
export interface OpenRequest {
  readonly store: ArchiveStore;
  readonly key: ArchiveKey;
}

/** Holds a manifest against its seal: after this, every word of it is what the dump wrote. */
export async function proveManifest(
  request: OpenRequest,
  place: ArchivePlace,
  { bytes, manifest }: ReadManifest,
): Promise<void> {
  const unseal = (key: ArchiveKey) =>
    naming(PARTS.seal, async () =>
      decryptBytes(
        key,
        encryptionContext(place, 'manifest'),
        await request.store.read(archivePrefix(place) + PARTS.seal),
      ),
    );
  const key = keyOf(request.key, manifest.key.id);
  if (!key) {
    // A key that opens the seal all the same shows that it is the manifest that was changed.
    await unseal(request.key).catch(() => {
      throw new InputError(
        `archive ${place.archive} was written under key ${manifest.key.id}, and ${request.key.id} was given; give all the keys that there are, and the right one is taken${request.key.lacks ? `; ${request.key.lacks}` : ''}`,
      );
    });
    throw new DamagedError('manifest.json names another key than the one that its seal is under');
  }
  const sealed = await unseal(key);
  if (!sealed.equals(bytes)) throw new DamagedError('manifest.json is not what its seal says it was');
}

/** Reads the manifest of an archive, proves it, and sees that its data is there. */
export async function openManifest(request: OpenRequest, place: ArchivePlace): Promise<Manifest> {
  const read = await readManifest(request.store, place);
  await proveManifest(request, place, read);
  const { manifest } = read;
  const data = place.objects.find((object) => object.key === archivePrefix(place) + PARTS.data);
  if (!data) throw new DamagedError('data is missing');
  if (data.bytes !== manifest.data.bytes)
    throw new DamagedError(
      `data has ${data.bytes} bytes, and had ${manifest.data.bytes} when it was written`,
    );
  if (manifest.compressed.algorithm === 'zstd') requireZstd();
  return manifest;
}

/**
 * The dump as the database's tool wrote it. The stream ends only when all of it was as the manifest says: every frame is
 * authentic, and what they hold has its checksum. That of the ciphertext could only say the same once more, at the price
 * of a fifth of the time; `ciphertext` asks for it.
 */
export async function openDump(
  request: OpenRequest & { readonly ciphertext?: boolean; readonly progress?: (bytes: number) => void },
  place: ArchivePlace,
  manifest: Manifest,
): Promise<Readable> {
  const cipher = await request.store.read(archivePrefix(place) + PARTS.data);
  const plain = decryptStream(
    keyOf(request.key, manifest.key.id) ?? request.key,
    encryptionContext(place, 'data'),
    request.ciphertext ? Readable.from(hashing(cipher, manifest.data, 'its ciphertext')) : cipher,
  );
  const packed = hashing(plain, manifest.compressed, 'its compressed content');
  const unpacked = manifest.compressed.algorithm === 'zstd' ? unzstd(packed) : packed;
  // Buffers pass as the objects that they are: a stream of bytes would join those that wait, by copying them.
  return Readable.from(counted(unpacked, manifest.dump.bytes, request.progress), { highWaterMark: 4 });
}

type Bytes = AsyncIterable<Buffer>;

/** Passes on what is as long as it was and has the checksum that it had; it ends in an error otherwise. */
export async function* hashing(
  source: Bytes,
  expected: { readonly bytes: number; readonly sha256: string },
  what: string,
): AsyncGenerator<Buffer, void, undefined> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of source) {
    hash.update(chunk);
    bytes += chunk.length;
    if (bytes > expected.bytes) throw new DamagedError(`${what} is longer than it was`);
    yield chunk;
  }
  if (bytes !== expected.bytes || hash.digest('hex') !== expected.sha256)
    throw new DamagedError(`${what} is not what the manifest says it was`);
}

async function* unzstd(source: Bytes): AsyncGenerator<Buffer, void, undefined> {
  const stream = createDecompressor();
  const input = Readable.from(source, { objectMode: false });
  input.once('error', (error) => stream.destroy(error));
  input.pipe(stream);
  try {
    for await (const chunk of stream as Bytes) yield chunk;
  } catch (error) {
    throw error instanceof DamagedError || 'exitCode' in (error as object)
      ? error
      : new DamagedError(`its compressed content cannot be unpacked (${reasonOf(error)})`);
  } finally {
    input.destroy();
  }
}

async function* counted(source: Bytes, expected: number, progress?: (bytes: number) => void) {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > expected) throw new DamagedError('the dump in it is longer than it was');
    progress?.(bytes);
    yield chunk;
  }
  if (bytes !== expected)
    throw new DamagedError(`the dump in it has ${bytes} bytes, and had ${expected} when it was written`);
}

/** Puts the object's name before what is wrong with it. */
export async function naming<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ObjectMissingError) throw new DamagedError(`${name} is missing`);
    if (error instanceof DamagedError) throw new DamagedError(`${name}: ${error.message}`);
    throw error;
  }
}
