import { InputError, reasonOf } from '../errors.js';
import { archivePrefix, PARTS } from './archive-id.js';
import { findArchive } from './catalog.js';
import { KeyError } from './key.js';
import { checkTenant } from './names.js';
import { naming, openDump, openManifest } from './open-archive.js';
import type { VerifyRequest, VerifyResult } from './requests.js';
import { StoreError } from './store.js';

/** What keeps one from looking at an archive, and says nothing of it: another key, a Node without zstd, a service. */
const CANNOT_TELL = [InputError, KeyError, StoreError];

/** Reads every byte of an archive and holds it against seal, manifest and key. */
export async function verifyArchive(request: VerifyRequest): Promise<VerifyResult> {
  checkTenant(request.tenant);
  const say = (message: string) => request.progress?.({ phase: 'verify', message });
  const place = await findArchive(request, { remains: true, say });
  const problems: string[] = [];
  const known = new Set(Object.values(PARTS).map((part) => archivePrefix(place) + part));
  for (const { key } of place.objects) {
    if (!known.has(key))
      // A bucket may have an object that is called like the folder.
      problems.push(`${key.slice(archivePrefix(place).length) || key} does not belong to the archive`);
    known.delete(key);
  }
  for (const key of known) problems.push(`${key.slice(archivePrefix(place).length)} is missing`);
  try {
    const manifest = await openManifest(request, place);
    const progress = (bytes: number) =>
      request.progress?.({ phase: 'verify', bytes, of: manifest.dump.bytes });
    await naming(PARTS.data, async () => {
      for await (const _ of await openDump({ ...request, ciphertext: true, progress }, place, manifest)) {
        request.signal?.throwIfAborted();
      }
    });
  } catch (error) {
    request.signal?.throwIfAborted();
    if (CANNOT_TELL.some((kind) => error instanceof kind)) throw error;
    const problem = reasonOf(error);
    if (!problems.includes(problem)) problems.push(problem);
  }
  return { ok: problems.length === 0, archive: place.archive, problems };
}
