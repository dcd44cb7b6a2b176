import { InputError } from '../errors.js';
import { archivePrefix, PARTS, regimePrefix, tenantPrefix, timeOfArchiveId } from './archive-id.js';
import { DamagedError } from './damaged-error.js';
import { MAX_MANIFEST, type Manifest, parseManifest } from './manifest.js';
import type { ArchiveStore, StoredObject, UnreadableError } from './store.js';
import { isTenantKey, tenantKey, tenantOfKey } from './tenant-key.js';

/** Where an archive lies, and every object found there. */
export interface ArchivePlace {
  readonly regime: string;
  readonly tenant: string;
  readonly archive: string;
  readonly at: Date;
  readonly objects: readonly StoredObject[];
}

/** What cannot be read: one archive, or, where none is named, all that a tenant may have. */
export interface UnseenPlace {
  readonly tenant: string;
  readonly archive?: string;
  readonly at?: Date;
  readonly error: UnreadableError;
}

/**
 * Everything under the regime, or one tenant of it, that has an archive's id for a name; oldest first. What cannot be
 * read is an error, or told to `unseen` before anything of the next tenant.
 */
export async function* placesOf(
  store: ArchiveStore,
  regime: string,
  tenant?: string,
  unseen: (place: UnseenPlace) => void = ({ error }) => {
    throw error;
  },
): AsyncGenerator<ArchivePlace, void, undefined> {
  const prefix = tenant === undefined ? regimePrefix(regime) : tenantPrefix(regime, tenant);
  // An archive of which one object cannot be seen is none of those below: without it, it would look like remains.
  const hidden = new Set<string>();
  const unreadable = (error: UnreadableError) => {
    const [key, archive] = error.key.slice(regimePrefix(regime).length).split('/');
    if (!key || !isTenantKey(key)) return;
    const at = archive ? timeOfArchiveId(archive) : undefined;
    // Neither holds nor what else may lie there.
    if (archive && !at) return;
    const folder = `${regimePrefix(regime)}${key}/${archive}/`;
    if (hidden.has(folder)) return;
    hidden.add(folder);
    unseen({ tenant: tenantOfKey(key), ...(at ? { archive: archive!, at } : {}), error });
  };
  let group: { folder: string; place: ArchivePlace; objects: StoredObject[] } | undefined;
  for await (const object of store.list(prefix, unreadable)) {
    const [key, archive] = object.key.slice(regimePrefix(regime).length).split('/');
    const at = archive && timeOfArchiveId(archive);
    if (!key || !at || !isTenantKey(key)) continue;
    const folder = `${regimePrefix(regime)}${key}/${archive}/`;
    if (!object.key.startsWith(folder)) continue;
    if (group?.folder !== folder) {
      if (group && !hidden.has(group.folder)) yield group.place;
      const objects: StoredObject[] = [];
      group = { folder, objects, place: { regime, tenant: tenantOfKey(key), archive, at, objects } };
    }
    group.objects.push(object);
  }
  if (group && !hidden.has(group.folder)) yield group.place;
}

/** Without its manifest, written last, it is no archive but what an interrupted dump left. */
export function isArchive(place: ArchivePlace): boolean {
  return place.objects.some((object) => object.key === archivePrefix(place) + PARTS.manifest);
}

/** S3 refuses clocks that are a quarter of this apart. */
const CLOCK_ERROR_MS = 60 * 60 * 1000;

/** Dated so, it is the backup of no state that there was: a clock was wrong, or somebody put it there. */
export function isOfTheFuture({ at }: { readonly at: Date }): boolean {
  return at > newestThereCanBe();
}

function newestThereCanBe(): Date {
  return new Date(Date.now() + CLOCK_ERROR_MS);
}

export const OF_THE_FUTURE =
  'it is dated in the future and counts as no backup: a clock was wrong, or somebody put it there';

export function passedOver({ archive, tenant }: ArchivePlace, how: string): string {
  return `archive ${archive} of ${JSON.stringify(tenant)} is passed over (${how} takes it): ${OF_THE_FUTURE}`;
}

/** So old, and still without its manifest, it is what a killed run left, whatever store or machine it ran on. */
const ABANDONED_MS = 24 * 60 * 60 * 1000;

/** Since when nothing is under way that is older. */
export function abandonedBefore(now = new Date()): Date {
  return new Date(now.getTime() - ABANDONED_MS);
}

/** What a copy is bringing is young, however old the archive. */
export function isAbandoned(place: ArchivePlace, before: Date): boolean {
  return !isArchive(place) && place.objects.every(({ modified }) => (modified ?? place.at) < before);
}

/** Of a tenant there is not one archive here; it may be a wrong name, store or regime. */
export class NoArchiveError extends InputError {
  constructor(what: string, { location }: ArchiveStore) {
    super(`there is no ${what} in ${location}; \`sovereign-backup list\` shows what is there`);
  }
}

/**
 * Under which other regimes of the store there are archives, to be added to a message that there are none here. Whoever
 * is woken at night does not know the regime; who may not look elsewhere is told nothing more.
 */
export async function alsoUnder(store: ArchiveStore, regime: string, tenant?: string): Promise<string> {
  const others: string[] = [];
  try {
    for (const folder of await store.folders('')) {
      if ([folder, ...(await store.folders(`${folder}/`))].some(timeOfArchiveId))
        return '; this is a folder within a store: name the one above it that holds the regimes';
      if (folder !== regime && (await hasArchives(store, folder, tenant))) others.push(folder);
    }
  } catch {
    return '';
  }
  return others.length === 0 ? '' : `; there are some under --regime ${others.join(' and --regime ')}`;
}

/** By the names of folders alone: the store may be a whole disk that was named by mistake. */
async function hasArchives(store: ArchiveStore, regime: string, tenant?: string): Promise<boolean> {
  const tenants =
    tenant === undefined
      ? (await store.folders(regimePrefix(regime))).filter(isTenantKey)
      : [tenantKey(tenant)];
  for (const key of tenants)
    if ((await store.folders(`${regimePrefix(regime)}${key}/`)).some(timeOfArchiveId)) return true;
  return false;
}

/**
 * The newest archive of a tenant at or before a time, without one at or before now: whoever names a time takes what is
 * of the future, too. With `remains`, one whose manifest is missing counts, too:
 * who verifies must hear of it instead of being shown an older one.
 */
export async function findArchive(
  request: {
    readonly store: ArchiveStore;
    readonly regime: string;
    readonly tenant: string;
    readonly at?: Date;
  },
  options: { readonly remains?: boolean; readonly say?: (message: string) => void } = {},
): Promise<ArchivePlace> {
  const latest = request.at ?? newestThereCanBe();
  let found: ArchivePlace | undefined;
  let oldest: ArchivePlace | undefined;
  let later: ArchivePlace | undefined;
  const unseen: UnseenPlace[] = [];
  const note = (place: UnseenPlace) => unseen.push(place);
  for await (const place of placesOf(request.store, request.regime, request.tenant, note)) {
    if (!options.remains && !isArchive(place)) continue;
    oldest ??= place;
    if (place.at <= latest) found = place;
    else later = place;
  }
  // An older one does not matter.
  const asked = unseen.find(({ at }) => mayBeIt(at, latest, found?.at));
  if (asked) throw asked.error;
  if (later && !request.at) options.say?.(passedOver(later, '`--at`, in an event "at", with its time'));
  if (found) return found;
  const whose = `tenant ${JSON.stringify(request.tenant)}`;
  if (oldest)
    throw new InputError(
      `there is no archive of ${whose} in ${request.store.location} at or before ${latest.toISOString()}; the oldest is of ${oldest.at.toISOString()}`,
    );
  throw new NoArchiveError(`archive of ${whose} under regime ${request.regime}`, request.store);
}

/** Whether what cannot be seen, of such a time, may be the newest at or before the one asked for. */
export function mayBeIt(at: Date | undefined, asked: Date | undefined, found: Date | undefined): boolean {
  return at === undefined || ((!asked || at <= asked) && (!found || at > found));
}

export interface ReadManifest {
  readonly bytes: Buffer;
  readonly manifest: Manifest;
}

/** The manifest as it lies there, its truth not yet shown. */
export async function readManifest(store: ArchiveStore, place: ArchivePlace): Promise<ReadManifest> {
  const bytes = await readSmall(store, archivePrefix(place) + PARTS.manifest, MAX_MANIFEST);
  const manifest: Manifest = parseManifest(bytes, place);
  return { bytes, manifest };
}

/** The seal is the manifest, its frames and a few wrapped keys. */
const MAX_SMALL = MAX_MANIFEST + 1024 * 1024;

/** A manifest or its seal, into memory. */
export async function readSmall(store: ArchiveStore, key: string, most = MAX_SMALL): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of (await store.read(key)) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > most)
      throw new DamagedError(
        `${key.slice(key.lastIndexOf('/') + 1)} has more than ${most} bytes, and none that this tool wrote has`,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
