import { InputError, OperationError, reasonOf } from '../errors.js';
import { alsoUnder, isArchive, placesOf, readManifest } from './catalog.js';
import { DamagedError } from './damaged-error.js';
import { holdsOf } from './holds.js';
import { NewerManifestError, TOOL } from './manifest.js';
import { checkTenant } from './names.js';
import { checkConfirmation } from './restore-tenant.js';
import { type ArchiveStore, ObjectMissingError, UnreadableError } from './store.js';

/** Keys that can be destroyed: all that a tenant has. */
export interface ErasableKeys {
  readonly ids: readonly string[];
  /** How, in words for the certificate. */
  readonly method: string;
  /** Destroys them, or has them destroyed; resolves to when the last of them is gone. */
  destroy(): Promise<Date>;
}

export interface EraseRequest {
  readonly tenant: string;
  readonly regime: string;
  readonly stores: readonly ArchiveStore[];
  readonly keys: ErasableKeys;
  /** Told what would become unreadable, and answers with the tenant's name. */
  readonly confirm: (certificate: Certificate) => Promise<string>;
  /** Called with the certificate before anything is destroyed: what fails now can still be mended. */
  readonly prepared: (certificate: Certificate) => Promise<void>;
  readonly say?: (message: string) => void;
}

export interface ErasedArchive {
  readonly store: string;
  readonly archive: string;
  /** Time of the snapshot. */
  readonly at: string;
  readonly key: string;
  readonly bytes: number;
  /** SHA-256 of the encrypted data, which stays where it is and cannot be read any more. */
  readonly sha256: string;
}

export interface UnjudgedArchive {
  readonly store: string;
  readonly archive: string;
  readonly problem: string;
}

/** What a regulator, or the tenant, is given. */
export interface Certificate {
  readonly schemaVersion: 1;
  readonly kind: 'certificate of erasure';
  readonly tool: typeof TOOL;
  readonly tenant: string;
  readonly regime: string;
  readonly at: string;
  readonly keys: readonly { readonly id: string }[];
  readonly method: string;
  /** From then on nobody can read the archives; until then a scheduled deletion can be cancelled. */
  readonly unreadableFrom: string;
  readonly archives: readonly ErasedArchive[];
  /** The tenant's archives under other keys: whoever has one of these can read them as before. */
  readonly stillReadable: readonly ErasedArchive[];
  /** The tenant's archives whose manifest is damaged, so that nobody knows which key opens them. */
  readonly unjudged?: readonly UnjudgedArchive[];
  readonly notCovered: readonly string[];
}

const NOT_COVERED = [
  'the live database, and copies of it that a restore has kept on the server (names with __undo_)',
  'snapshots and recovery points of the whole server',
  'copies of the key that somebody made elsewhere',
  'stores that were not named, and archives of other regimes',
];

/**
 * Makes one tenant's archives unreadable everywhere at once by destroying the key. Refused when the key opens anything
 * of another tenant, or when archives are held.
 */
export async function eraseTenant(request: EraseRequest): Promise<Certificate> {
  const { tenant, regime, stores, keys } = request;
  checkTenant(tenant);
  const ids = new Set(keys.ids);
  const archives: ErasedArchive[] = [];
  const stillReadable: ErasedArchive[] = [];
  const unjudged: UnjudgedArchive[] = [];
  const others = new Set<string>();
  await refuseHeld(request);
  for (const store of stores) {
    for await (const place of placesOf(store, regime, undefined, ({ error }) => refuseUnread(error))) {
      if (!isArchive(place)) continue;
      const read = await readManifest(store, place).catch((error) => {
        if (error instanceof ObjectMissingError) return undefined;
        if (error instanceof UnreadableError) refuseUnread(error);
        if (error instanceof NewerManifestError)
          throw new InputError(
            `archive ${place.archive} of ${JSON.stringify(place.tenant)} in ${store.location}: ${error.message}; whether the key opens it is not known, so nothing was erased: use the version that wrote it`,
          );
        if (!(error instanceof DamagedError)) throw error;
        if (place.tenant === tenant)
          unjudged.push({ store: store.location, archive: place.archive, problem: reasonOf(error) });
        request.say?.(`archive ${place.archive} of ${JSON.stringify(place.tenant)}: ${reasonOf(error)}`);
        return undefined;
      });
      if (!read) continue;
      const { manifest } = read;
      const mine = ids.has(manifest.key.id);
      if (mine && manifest.tenant !== tenant) others.add(manifest.tenant);
      if (manifest.tenant !== tenant) continue;
      (mine ? archives : stillReadable).push({
        store: store.location,
        archive: manifest.archive,
        at: manifest.at,
        key: manifest.key.id,
        bytes: manifest.data.bytes,
        sha256: manifest.data.sha256,
      });
    }
  }
  if (others.size > 0)
    throw new InputError(
      `the key opens archives of other tenants, too: ${[...others]
        .slice(0, 5)
        .map((name) => JSON.stringify(name))
        .join(', ')}${others.size > 5 ? ` and ${others.size - 5} more` : ''}; ` +
        'nothing was erased: only a key of one tenant can be destroyed for it',
    );
  const draft = (unreadableFrom: Date): Certificate => ({
    schemaVersion: 1,
    kind: 'certificate of erasure',
    tool: TOOL,
    tenant,
    regime,
    at: new Date().toISOString(),
    keys: keys.ids.map((id) => ({ id })),
    method: keys.method,
    unreadableFrom: unreadableFrom.toISOString(),
    archives,
    stillReadable,
    ...(unjudged.length > 0 ? { unjudged } : {}),
    notCovered: NOT_COVERED,
  });
  // What a wrong store or regime looks like.
  if (archives.length + stillReadable.length + unjudged.length === 0) {
    const others = await Promise.all(stores.map((store) => alsoUnder(store, regime, tenant)));
    request.say?.(
      `there is no archive of ${JSON.stringify(tenant)} under regime ${regime} in ${stores.map(({ location }) => location).join(', ')}: the certificate will list none${others.join('')}`,
    );
  }
  const before = draft(new Date());
  checkConfirmation(tenant, await request.confirm(before), 'nothing was erased');
  // Whoever was asked may have taken hours to answer.
  await refuseHeld(request);
  await request.prepared(before);
  return draft(await keys.destroy());
}

/** It may be another tenant's, under the very key. */
function refuseUnread(error: UnreadableError): never {
  throw new OperationError(
    `${error.message}; whether the key opens what is there is not known, so nothing was erased`,
    { cause: error },
  );
}

async function refuseHeld({ tenant, regime, stores }: EraseRequest): Promise<void> {
  for (const store of stores) {
    const holds = await holdsOf({ store, regime, tenant });
    if (holds.size > 0)
      throw new InputError(
        `archives of tenant ${JSON.stringify(tenant)} in ${store.location} are held (${[...holds].join(', ')}); nothing was erased: \`release\` them first, if that is allowed`,
      );
  }
}
