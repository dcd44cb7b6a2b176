import { Readable } from 'node:stream';
import { InputError, OperationError } from '../errors.js';
import { archivePrefix, PARTS, tenantPrefix, timeOfArchiveId } from './archive-id.js';
import { alsoUnder, findArchive, isArchive, placesOf, readSmall } from './catalog.js';
import { checkTenant } from './names.js';
import { type ArchiveStore, ObjectExistsError } from './store.js';

/** Beside the tenant's archives, where nothing takes it for one. */
const FOLDER = 'holds/';
/** In the place of an archive's id: all of the tenant's archives, those of the future too. */
const ALL = 'all';

/** A reason comes from a command line, which is shorter. */
const MAX_NOTE = 256 * 1024;

/** An order to keep archives, whatever the retention says: evidence, a dispute, an audit. */
export interface HoldRequest {
  readonly store: ArchiveStore;
  readonly regime: string;
  readonly tenant: string;
  /** The newest archive at or before this time. @default - every archive of the tenant, those of the future too */
  readonly at?: Date;
  readonly say?: (message: string) => void;
}

export interface Hold {
  readonly tenant: string;
  /** An archive's id, or `all`. */
  readonly archive: string;
}

/** Holds archives. In a bucket with object lock, the store itself then refuses to delete them, too. */
export async function holdArchives(request: HoldRequest & { readonly reason: string }): Promise<Hold> {
  checkTenant(request.tenant);
  const { store, tenant, regime, at } = request;
  const archive = at ? (await findArchive({ store, regime, tenant, at })).archive : ALL;
  const note = { schemaVersion: 1, tenant, archive, reason: request.reason, since: new Date().toISOString() };
  const body = Readable.from([Buffer.from(`${JSON.stringify(note, null, 2)}\n`)], { objectMode: false });
  await store.write(holdKey(request, archive), body).catch(async (error) => {
    // Held once is held.
    if (!(error instanceof ObjectExistsError)) throw error;
    request.say?.(
      `${store.location}: held before, ${await reasonBefore(request, archive)}; the reason given now is not noted, and one \`release\` ends both`,
    );
  });
  // `prune` may have been at it before it could see the note.
  if (archive !== ALL && !(await holdsArchive(request, archive)))
    throw new OperationError(
      `archive ${archive} of tenant ${JSON.stringify(tenant)} in ${store.location} was deleted while it was being held; hold what is left`,
    );
  // What a name that was typed wrong looks like.
  if ((await placesOf(store, regime, tenant).next()).done)
    request.say?.(
      `${store.location} has no archive of tenant ${JSON.stringify(tenant)} yet: those to come are held${await alsoUnder(store, regime, tenant)}`,
    );
  if (store.setLegalHold) await store.setLegalHold(await objectsOf(request, archive), true);
  return { tenant, archive };
}

export async function releaseArchives(request: HoldRequest): Promise<Hold> {
  checkTenant(request.tenant);
  const { store, tenant, regime, at } = request;
  const archive = at ? (await findArchive({ store, regime, tenant, at })).archive : ALL;
  const holds = await holdsOf(request);
  if (!holds.has(archive))
    throw new InputError(
      `there is no hold on ${archive === ALL ? 'all archives' : `archive ${archive}`} of tenant ${JSON.stringify(tenant)} in ${store.location}` +
        `${holds.size > 0 ? `; held are: ${[...holds].join(', ')}` : ''}`,
    );
  const others = [...holds].filter((held) => held !== archive);
  // The note goes last: what fails in between is done by giving the command again.
  if (store.setLegalHold && !others.includes(ALL)) {
    const keys = await objectsOf(request, archive);
    await store.setLegalHold(
      keys.filter((key) => !others.some((held) => key.includes(`/${held}/`))),
      false,
    );
  }
  await store.remove([holdKey(request, archive)]);
  if ((await holdsOf(request)).has(archive))
    throw new OperationError(
      `the hold could not be taken off in ${store.location}: its credentials may not delete`,
    );
  return { tenant, archive };
}

async function holdsArchive({ store, regime, tenant }: HoldRequest, archive: string): Promise<boolean> {
  for await (const place of placesOf(store, regime, tenant))
    if (place.archive === archive) return isArchive(place);
  return false;
}

/** Why and since when, as the note says. */
async function reasonBefore(request: HoldRequest, archive: string): Promise<string> {
  try {
    const note = await readSmall(request.store, holdKey(request, archive), MAX_NOTE);
    const { reason, since } = JSON.parse(note.toString());
    return `since ${String(since).slice(0, 30)} for ${JSON.stringify(reason).slice(0, 300)}`;
  } catch {
    return 'by a note that cannot be read';
  }
}

/** Ids of held archives of a tenant, `all` among them where every one is. */
export async function holdsOf(place: Pick<HoldRequest, 'store' | 'regime' | 'tenant'>): Promise<Set<string>> {
  const prefix = tenantPrefix(place.regime, place.tenant) + FOLDER;
  const held = new Set<string>();
  for await (const { key } of place.store.list(prefix)) {
    const archive = key.slice(prefix.length).replace(/\.json$/, '');
    if (archive === ALL || timeOfArchiveId(archive)) held.add(archive);
  }
  return held;
}

export function isHeld(holds: ReadonlySet<string>, archive: string): boolean {
  return holds.has(ALL) || holds.has(archive);
}

function holdKey({ regime, tenant }: HoldRequest, archive: string): string {
  return `${tenantPrefix(regime, tenant)}${FOLDER}${archive}.json`;
}

async function objectsOf({ store, regime, tenant }: HoldRequest, archive: string): Promise<string[]> {
  const prefix = archive === ALL ? tenantPrefix(regime, tenant) : archivePrefix({ regime, tenant, archive });
  const parts: string[] = Object.values(PARTS);
  const keys: string[] = [];
  for await (const { key } of store.list(prefix))
    if (parts.includes(key.slice(key.lastIndexOf('/') + 1))) keys.push(key);
  return keys;
}
