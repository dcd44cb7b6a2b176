import { Readable } from 'node:stream';
import { OperationError, reasonOf } from '../errors.js';
import { stopwatch } from '../stopwatch.js';
import { archivePrefix, PARTS } from './archive-id.js';
import {
  type ArchivePlace,
  findArchive,
  isArchive,
  isOfTheFuture,
  mayBeIt,
  NoArchiveError,
  passedOver,
  placesOf,
  readManifest,
  readSmall,
  type UnseenPlace,
} from './catalog.js';
import { DamagedError } from './damaged-error.js';
import { holdsOf, isHeld } from './holds.js';
import type { Manifest } from './manifest.js';
import { checkTenant } from './names.js';
import { hashing, naming } from './open-archive.js';
import type { ProgressEvent } from './requests.js';
import { type ArchiveStore, ObjectExistsError } from './store.js';
import { throttled } from './throttle.js';

export interface CopyRequest {
  readonly from: ArchiveStore;
  readonly to: ArchiveStore;
  readonly regime: string;
  /** @default - every tenant of the regime */
  readonly tenant?: string;
  /** Which of each tenant's archives: the newest, the newest at or before a time, one by its id, or every one. */
  readonly which: 'newest' | 'all' | { readonly at: Date } | { readonly archive: string };
  readonly bytesPerSecond?: number;
  readonly progress?: (event: ProgressEvent) => void;
  /** Told of each when it is done, whatever becomes of the next. */
  readonly each?: (done: CopiedOne) => void;
  readonly signal?: AbortSignal;
}

/** What `copy` prints with --json, of each archive. */
export interface CopiedOne {
  readonly tenant: string;
  /** Null, as its time, where a tenant's archives cannot be read. */
  readonly archive: string | null;
  readonly at: string | null;
  /** `present`: it was there already, the same. */
  readonly state: 'copied' | 'present' | 'failed';
  /** Of what is `present`: by what its data was found to be the same. Nothing of it is read. */
  readonly sameBy?: 'checksum' | 'size';
  /** The key that opens it, in the one store as in the other. */
  readonly key?: string;
  /** Size of its data. */
  readonly bytes?: number;
  /** Of these, what an earlier run had brought there and was not sent again. */
  readonly kept?: number;
  readonly problem?: string;
  /** Held in the store that it comes from, and not in the other: holds are not copied. */
  readonly notHeld?: boolean;
  readonly seconds: number;
}

/**
 * Copies finished archives as they are, newest first, without the key: the same bytes, so the same key opens them. Data
 * is held against the manifest's checksum while it is read; the manifest comes last, and never over another.
 */
export async function copyArchives(request: CopyRequest): Promise<CopiedOne[]> {
  if (request.tenant !== undefined) checkTenant(request.tenant);
  const { places, unseen } = await chosen(request);
  const done: CopiedOne[] = [];
  const note = (one: CopiedOne) => {
    done.push(one);
    request.each?.(one);
  };
  const losesHold = holdsLost(request);
  for (const place of places) {
    request.signal?.throwIfAborted();
    const { tenant, archive } = place;
    const about = { tenant, archive, at: place.at.toISOString() };
    const seconds = stopwatch();
    try {
      const copied = await copyArchive(request, place);
      const notHeld = await losesHold(place);
      note({ ...about, ...copied, ...(notHeld ? { notHeld } : {}), seconds: seconds() });
    } catch (error) {
      request.signal?.throwIfAborted();
      note({ ...about, state: 'failed', problem: reasonOf(error), seconds: seconds() });
    }
  }
  for (const { tenant, archive = null, at, error } of unseen)
    note({
      tenant,
      archive,
      at: at?.toISOString() ?? null,
      state: 'failed',
      problem: error.message,
      seconds: 0,
    });
  return done;
}

/** Whether an archive is held where it comes from and not where it goes. Each tenant's holds are read once. */
function holdsLost({ from, to, regime }: CopyRequest): (place: ArchivePlace) => Promise<boolean> {
  const known = new Map<string, Promise<[Set<string>, Set<string>]>>();
  return async ({ tenant, archive }) => {
    const holds =
      known.get(tenant) ??
      Promise.all([holdsOf({ store: from, regime, tenant }), holdsOf({ store: to, regime, tenant })]);
    known.set(tenant, holds);
    const [here, there] = await holds;
    return isHeld(here, archive) && !isHeld(there, archive);
  };
}

/** What is to be copied, newest first, and what may have been meant and cannot be read. */
async function chosen({ from, regime, tenant, which, progress }: CopyRequest) {
  if (tenant !== undefined && typeof which === 'object' && 'at' in which)
    return { places: [await findArchive({ store: from, regime, tenant, at: which.at })], unseen: [] };
  const found: ArchivePlace[] = [];
  const hidden: UnseenPlace[] = [];
  const note = (place: UnseenPlace) => hidden.push(place);
  for await (const place of placesOf(from, regime, tenant, note)) {
    if (!isArchive(place)) continue;
    if (typeof which === 'object') {
      if ('at' in which ? place.at > which.at : place.archive !== which.archive) continue;
    }
    if (which === 'newest' && isOfTheFuture(place)) {
      progress?.({ phase: 'copy', message: passedOver(place, '`--all`') });
      continue;
    }
    // Oldest first within a tenant, so the last one is the newest.
    if (which !== 'all' && found.at(-1)?.tenant === place.tenant) found.pop();
    found.push(place);
  }
  const unseen = hidden.filter((place) => {
    if (which === 'all') return true;
    if (which === 'newest' && place.at && isOfTheFuture({ at: place.at })) return false;
    if (typeof which === 'object' && 'archive' in which)
      return place.archive === undefined || place.archive === which.archive;
    const newest = found.find((each) => each.tenant === place.tenant)?.at;
    return mayBeIt(place.at, which === 'newest' ? undefined : which.at, newest);
  });
  if (found.length + unseen.length === 0) {
    const whose = tenant === undefined ? '' : ` of tenant ${JSON.stringify(tenant)}`;
    const what = typeof which === 'object' && 'archive' in which ? `archive ${which.archive}` : 'archive';
    throw new NoArchiveError(`${what}${whose} under regime ${regime}`, from);
  }
  return { places: found.sort((a, b) => b.at.getTime() - a.at.getTime()), unseen };
}

async function copyArchive(request: CopyRequest, place: ArchivePlace) {
  const { from, to } = request;
  const prefix = archivePrefix(place);
  const { manifest, bytes } = await readManifest(from, place);
  const data = place.objects.find(({ key }) => key === prefix + PARTS.data);
  if (!data) throw new DamagedError('data is missing');
  if (data.bytes !== manifest.data.bytes)
    throw new DamagedError(
      `data has ${data.bytes} bytes, and had ${manifest.data.bytes} when it was written`,
    );
  const seal = await naming(PARTS.seal, () => readSmall(from, prefix + PARTS.seal));
  // Clears files of runs that have died; in a bucket nothing is that old, and parts are for going on.
  await to.sweep(prefix, new Date(0));
  const there = new Map<string, number>();
  for await (const { key, bytes: size } of to.list(prefix)) there.set(key.slice(prefix.length), size);
  const result = { key: manifest.key.id, bytes: manifest.data.bytes };

  if (there.has(PARTS.manifest)) {
    await mustBe(to, prefix + PARTS.manifest, bytes);
    await mustBe(to, prefix + PARTS.seal, seal);
    if (there.get(PARTS.data) !== manifest.data.bytes)
      throw new OperationError(
        `the archive in ${to.location} is damaged: its data ${there.has(PARTS.data) ? 'has another size' : 'is missing'}; see \`verify\`; nothing is overwritten`,
      );
    return {
      ...result,
      state: 'present' as const,
      sameBy: await sameBy(request, prefix + PARTS.data, manifest),
    };
  }
  request.progress?.({
    phase: 'copy',
    message: `copying archive ${place.archive} of ${JSON.stringify(place.tenant)} to ${to.location}`,
  });
  const kept = there.has(PARTS.data)
    ? await readBack(request, place, manifest)
    : await copyData(request, place, manifest).catch(async (error) => {
        // Another run at the same time may have ended the very upload that this one went on with.
        if (
          request.signal?.aborted ||
          error instanceof DamagedError ||
          !(await isThere(to, prefix + PARTS.data))
        )
          throw error;
        return readBack(request, place, manifest);
      });
  for (const [part, content] of [
    [PARTS.seal, seal],
    [PARTS.manifest, bytes],
  ] as const) {
    request.signal?.throwIfAborted();
    await to.write(prefix + part, Readable.from([content], { objectMode: false })).catch((error) => {
      if (!(error instanceof ObjectExistsError)) throw error;
      // An earlier run, or one at the same time, has brought it.
      return mustBe(to, prefix + part, content);
    });
  }
  return { ...result, state: 'copied' as const, kept };
}

async function copyData(request: CopyRequest, place: ArchivePlace, manifest: Manifest): Promise<number> {
  const { from, to, signal, bytesPerSecond } = request;
  const key = archivePrefix(place) + PARTS.data;
  const source = hashing(await from.read(key), manifest.data, `${PARTS.data} in ${from.location}`);
  const body = Readable.from(
    counted(request, manifest, bytesPerSecond ? throttled(source, bytesPerSecond) : source),
    {
      highWaterMark: 8,
    },
  );
  const stop = () => body.destroy(signal!.reason);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const { kept = 0 } = await to.write(key, body, {
      expectedBytes: manifest.data.bytes,
      resumable: manifest.data,
      ...(signal ? { signal } : {}),
    });
    return kept;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** Whether the stores themselves tell that the data, of the same size, is the same. */
async function sameBy(
  { from, to }: CopyRequest,
  key: string,
  { data }: Manifest,
): Promise<'checksum' | 'size'> {
  const there = (await to.digestOf?.(key)) ?? {};
  if (there.sha256 !== undefined) {
    if (there.sha256 === data.sha256) return 'checksum';
    throw new OperationError(
      `the archive in ${to.location} is damaged: its data has another SHA-256 than it had when it was written; see \`verify\`; nothing is overwritten`,
    );
  }
  const here = there.etag === undefined ? undefined : await from.digestOf?.(key);
  return here?.etag !== undefined && here.etag === there.etag ? 'checksum' : 'size';
}

async function isThere(store: ArchiveStore, wanted: string): Promise<boolean> {
  try {
    for await (const { key } of store.list(wanted)) if (key === wanted) return true;
  } catch {
    // What went wrong first says more.
  }
  return false;
}

/** Data without a manifest: of an earlier run that was cut off after it, or something else. */
async function readBack(request: CopyRequest, place: ArchivePlace, manifest: Manifest): Promise<number> {
  const { to, signal } = request;
  const key = archivePrefix(place) + PARTS.data;
  try {
    const source = hashing(await to.read(key), manifest.data, PARTS.data);
    for await (const _ of counted(request, manifest, source)) signal?.throwIfAborted();
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    throw new OperationError(
      `${key} is in ${to.location} already, without a manifest and with another content; ` +
        'a dump may be writing it: `prune` removes it when it is a day old, then copy again',
    );
  }
  return manifest.data.bytes;
}

async function* counted({ progress }: CopyRequest, { data }: Manifest, source: AsyncIterable<Buffer>) {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    progress?.({ phase: 'copy', bytes, of: data.bytes });
    yield chunk;
  }
}

async function mustBe(store: ArchiveStore, key: string, content: Buffer): Promise<void> {
  if (!(await readSmall(store, key)).equals(content))
    throw new OperationError(
      `${key} in ${store.location} differs from that of the archive; nothing is overwritten: see with \`verify\` which one is good`,
    );
}
