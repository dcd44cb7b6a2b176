import { reasonOf } from '../errors.js';
import {
  isArchive,
  isOfTheFuture,
  OF_THE_FUTURE,
  placesOf,
  readManifest,
  type UnseenPlace,
} from './catalog.js';
import { DamagedError } from './damaged-error.js';
import type { Manifest } from './manifest.js';
import { checkTenant } from './names.js';
import type { ArchiveSummary, ListRequest } from './requests.js';
import { ObjectMissingError, UnreadableError } from './store.js';

/** What could not be listed, because its manifest cannot be read, or because it would look like the newest backup. */
export interface Unlistable {
  readonly tenant: string;
  readonly archive: string;
  readonly problem: string;
}

export interface Listed {
  readonly archives: ArchiveSummary[];
  readonly unreadable: Unlistable[];
  /** Of these nobody can tell what they are. */
  readonly unseen: UnseenPlace[];
}

/** Every archive, newest first. Manifests are taken at their word: only `verify` and `restore` have the key. */
export async function listArchives(request: ListRequest): Promise<Listed> {
  if (request.tenant !== undefined) checkTenant(request.tenant);
  const archives: ArchiveSummary[] = [];
  const unreadable: Unlistable[] = [];
  const unseen: UnseenPlace[] = [];
  const note = (place: UnseenPlace) => unseen.push(place);
  for await (const place of placesOf(request.store, request.regime, request.tenant, note)) {
    if (!isArchive(place)) continue;
    if (isOfTheFuture(place)) {
      unreadable.push({ tenant: place.tenant, archive: place.archive, problem: OF_THE_FUTURE });
      continue;
    }
    try {
      archives.push(summaryOf((await readManifest(request.store, place)).manifest));
    } catch (error) {
      // Deleted since it was seen.
      if (error instanceof ObjectMissingError) continue;
      if (error instanceof UnreadableError) {
        unseen.push({ ...place, error });
        continue;
      }
      if (!(error instanceof DamagedError)) throw error;
      unreadable.push({ tenant: place.tenant, archive: place.archive, problem: reasonOf(error) });
    }
  }
  archives.sort((a, b) => (a.archive < b.archive ? 1 : -1));
  return { archives, unreadable, unseen };
}

export function summaryOf(manifest: Manifest): ArchiveSummary {
  const { tenant, archive, at, database, regime, seconds, tables } = manifest;
  return {
    tenant,
    archive,
    at,
    bytes: manifest.data.bytes,
    plainBytes: manifest.dump.bytes,
    seconds,
    tables,
    database,
    regime,
    ...(manifest.tenancy === 'database' ? {} : { tenancy: manifest.tenancy }),
  };
}
