import { InputError, reasonOf } from '../errors.js';
import { archivePrefix, PARTS } from './archive-id.js';
import {
  type ArchivePlace,
  abandonedBefore,
  isAbandoned,
  isArchive,
  placesOf,
  readManifest,
  type UnseenPlace,
} from './catalog.js';
import { DamagedError } from './damaged-error.js';
import { holdsOf, isHeld } from './holds.js';
import { KeyError } from './key.js';
import { NewerManifestError } from './manifest.js';
import { checkTenant } from './names.js';
import { type Aged, type Decision, planRetention, type RetentionPolicy } from './retention.js';
import { type ArchiveStore, ObjectMissingError, UnreadableError } from './store.js';

export interface PruneRequest {
  readonly store: ArchiveStore;
  readonly regime: string;
  /** @default - every tenant of the regime */
  readonly tenant?: string;
  readonly policy: RetentionPolicy;
  /**
   * Of a tenant, what rejects unless an archive's seal proves it, so that nothing goes because of one that only looks like
   * an archive. Handed in, for a function that has no key need not load what opens seals.
   * @default - archives are taken at their word
   */
  readonly proofOf?: (tenant: string) => Promise<Proof>;
  /** Say what would go, and delete nothing. */
  readonly dryRun: boolean;
  readonly now?: Date;
  /** Told of each when it is done: what is deleted stays so, whatever fails later. */
  readonly each?: (done: Pruned) => void;
  readonly signal?: AbortSignal;
}

export type Proof = (place: ArchivePlace) => Promise<void>;

export type PruneState = 'kept' | 'deleted' | 'would be deleted' | 'retained' | 'failed';

/** One archive, or the remains of one, and what became of it. */
export interface Pruned {
  readonly tenant: string;
  /** Null, as its time, where a tenant's archives cannot be read. */
  readonly archive: string | null;
  readonly at: string | null;
  /** `retained`: it would have gone, but is held, or locked by its store; that is meant, and no failure. */
  readonly state: PruneState;
  readonly reasons: readonly string[];
}

/**
 * Deletes what no rule keeps, tenant by tenant. What decides is the archive's own time; the newest good archive of a
 * tenant stays in any case, so that dumps that have stopped do not lead to no backup at all. So nothing is deleted of a
 * tenant of whom something cannot be read: it may be the only good one. With keys, nothing is deleted because of an archive
 * whose seal they do not open, nor is that one.
 */
export async function pruneArchives(request: PruneRequest): Promise<Pruned[]> {
  if (request.tenant !== undefined) checkTenant(request.tenant);
  const done: Pruned[] = [];
  const tell = (one: Pruned) => {
    done.push(one);
    request.each?.(one);
  };
  const unseen: UnseenPlace[] = [];
  const failed = (
    { tenant, archive, at, error }: Omit<UnseenPlace, 'error'> & { error: Error },
    rest: string,
  ) =>
    tell({
      tenant,
      archive: archive ?? null,
      at: at?.toISOString() ?? null,
      state: 'failed',
      reasons: [`${error.message}; ${rest}`],
    });
  let group: ArchivePlace[] = [];
  const flush = async () => {
    const tenant = group[0]?.tenant;
    if (tenant !== undefined && !unseen.some((place) => place.tenant === tenant))
      await pruneTenant(request, group, tell).catch((error) => {
        if (!OF_ONE_TENANT.some((kind) => error instanceof kind)) throw error;
        failed({ tenant, error }, 'nothing more was deleted of this tenant');
      });
    group = [];
  };
  const note = (place: UnseenPlace) => unseen.push(place);
  for await (const place of placesOf(request.store, request.regime, request.tenant, note)) {
    request.signal?.throwIfAborted();
    if (group.length > 0 && group[0]!.tenant !== place.tenant) await flush();
    group.push(place);
  }
  await flush();
  for (const place of unseen) failed(place, 'nothing was deleted of this tenant');
  return done;
}

/** What keeps one from judging a tenant's archives, and says nothing of another's: a place, a key. */
const OF_ONE_TENANT = [UnreadableError, KeyError, InputError];

async function pruneTenant(
  request: PruneRequest,
  places: readonly ArchivePlace[],
  tell: (done: Pruned) => void,
): Promise<void> {
  const { store, now = new Date() } = request;
  const { regime, tenant } = places[0]!;
  const archives = places.filter(isArchive);
  const remains = places.filter((place) => !isArchive(place));
  const { plan, doubts } = await planOf(request, archives, now);
  // Asked for each anew: a hold that is said to be made holds from then on.
  const held = async ({ archive }: ArchivePlace) =>
    isHeld(await holdsOf({ store, regime, tenant }), archive) ? 'held' : undefined;
  const note = ({ archive, at, reasons }: Decided, state: PruneState, why = reasons) =>
    tell({ tenant, archive, at: at.toISOString(), state, reasons: why });
  for (const decision of plan) {
    request.signal?.throwIfAborted();
    const place = archives.find(({ archive }) => archive === decision.archive)!;
    const doubt = doubts.get(decision.archive);
    if (doubt !== undefined) {
      note(decision, 'failed', [
        `it is not proven and counts as none: ${doubt}; it was not deleted: look at it with \`verify\`, and remove by hand what somebody put there`,
      ]);
      continue;
    }
    if (decision.keep) {
      note(decision, 'kept');
      continue;
    }
    const why = (await held(place)) ?? (await lockOf(store, place, now));
    if (why !== undefined) note(decision, 'retained', [why]);
    else if (request.dryRun) note(decision, 'would be deleted');
    else note(decision, ...(await deleteArchive(store, place, decision)));
  }
  for (const place of remains) {
    if (!isAbandoned(place, abandonedBefore(now))) continue;
    const decision = {
      ...place,
      reasons: ['left by a dump or a copy that was killed: it has no manifest'],
    };
    // Somebody may have taken the manifest of what is held.
    const why = await held(place);
    if (why !== undefined) note(decision, 'retained', [why]);
    else if (request.dryRun) note(decision, 'would be deleted');
    else note(decision, ...(await deleteArchive(store, place, decision)));
  }
}

type Decided = Pick<Decision, 'archive' | 'at' | 'reasons'>;

/** Thousands would open more files than a process may, and a few that somebody made huge take more memory than it has. */
const AT_ONCE = 32;
const BYTES_AT_ONCE = 16 * 1024 * 1024;

interface Plan {
  readonly plan: readonly Decision[];
  /** Of archives that would have counted: why nobody can tell whether they are what they say. */
  readonly doubts: ReadonlyMap<string, string>;
}

/** The store is asked for sizes and manifests only where something is to go: most of the time nothing is. */
async function planOf(request: PruneRequest, archives: readonly ArchivePlace[], now: Date): Promise<Plan> {
  const { policy } = request;
  const aged: Aged[] = archives.map((place) => ({
    archive: place.archive,
    at: place.at,
    good: hasAllParts(place),
  }));
  const plan = planRetention(aged, policy, now);
  if (plan.every(({ keep }) => keep)) return { plan, doubts: new Map() };
  const whole: Aged[] = [];
  while (whole.length < aged.length) {
    request.signal?.throwIfAborted();
    const from = whole.length;
    const some = aged.slice(from, from + howManyAtOnce(archives.slice(from, from + AT_ONCE)));
    const looked = some.map(async (each, index) => ({
      ...each,
      good: each.good && (await looksWhole(request.store, archives[from + index]!)),
    }));
    whole.push(...(await Promise.all(looked)));
  }
  return provenPlan(request, archives, whole, now);
}

/** With keys, only what is proven counts. What goes need not be, so few seals are opened, however many archives there are. */
async function provenPlan(
  request: PruneRequest,
  archives: readonly ArchivePlace[],
  whole: readonly Aged[],
  now: Date,
): Promise<Plan> {
  const { policy, proofOf } = request;
  const doubts = new Map<string, string>();
  const proven = new Set<string>();
  let prove: Proof | undefined;
  for (;;) {
    request.signal?.throwIfAborted();
    const aged = whole.map((each) => ({ ...each, good: each.good && !doubts.has(each.archive) }));
    const plan = planRetention(aged, policy, now);
    const open = plan.filter(({ counts, archive }) => counts && !proven.has(archive));
    if (!proofOf || open.length === 0 || plan.every(({ keep }) => keep)) return { plan, doubts };
    prove ??= await proofOf(archives[0]!.tenant);
    const places = archives.filter((place) => open.some(({ archive }) => archive === place.archive));
    const some = places.slice(0, howManyAtOnce(places.slice(0, AT_ONCE)));
    await Promise.all(
      some.map(async (place) => {
        const doubt = await doubtOf(prove!, place);
        if (doubt === undefined) proven.add(place.archive);
        else doubts.set(place.archive, doubt);
      }),
    );
  }
}

/** Why the keys do not prove an archive; a key or a store that cannot be reached says nothing of it and is an error. */
async function doubtOf(prove: Proof, place: ArchivePlace): Promise<string | undefined> {
  try {
    await prove(place);
    return undefined;
  } catch (error) {
    const ofTheArchive = [DamagedError, InputError, ObjectMissingError];
    if (ofTheArchive.some((kind) => error instanceof kind)) return reasonOf(error);
    throw error;
  }
}

/** Of the first of these, at least one. */
function howManyAtOnce(places: readonly ArchivePlace[]): number {
  let bytes = 0;
  const too = places.findIndex((place) => {
    bytes += place.objects.find(({ key }) => key === archivePrefix(place) + PARTS.manifest)?.bytes ?? 0;
    return bytes > BYTES_AT_ONCE;
  });
  return too === -1 ? places.length : Math.max(1, too);
}

/** What lies beside them (a `.DS_Store`) makes the archive no worse. */
function hasAllParts(place: ArchivePlace): boolean {
  const keys = new Set(place.objects.map(({ key }) => key));
  return Object.values(PARTS).every((part) => keys.has(archivePrefix(place) + part));
}

/** Whether the manifest can be read and the data is as long as it says; only `verify` proves more. */
async function looksWhole(store: ArchiveStore, place: ArchivePlace): Promise<boolean> {
  try {
    const { manifest } = await readManifest(store, place);
    const data = place.objects.find(({ key }) => key === archivePrefix(place) + PARTS.data);
    return data?.bytes === manifest.data.bytes;
  } catch (error) {
    // An older version of this tool must not delete what it cannot read for bad.
    if (error instanceof NewerManifestError) return true;
    // Deleted since it was seen is not there, either.
    if (error instanceof DamagedError || error instanceof ObjectMissingError) return false;
    throw error;
  }
}

async function lockOf(store: ArchiveStore, place: ArchivePlace, now: Date): Promise<string | undefined> {
  for (const { key } of place.objects) {
    const lock = await store.lockOf?.(key);
    if (lock?.legalHold) return 'held by its store';
    if (lock?.until && lock.until > now) return `locked by its store until ${lock.until.toISOString()}`;
  }
  return undefined;
}

/** Manifest first: killed in the middle, what is left is no archive any more, and the next run clears it. */
async function deleteArchive(
  store: ArchiveStore,
  place: ArchivePlace,
  decision: Decided,
): Promise<[PruneState, readonly string[]]> {
  const prefix = archivePrefix(place);
  const manifest = prefix + PARTS.manifest;
  try {
    await store.remove([manifest]);
    await store.remove(place.objects.map(({ key }) => key).filter((key) => key !== manifest));
    // A store may refuse without an error: its credentials may only add.
    const left: string[] = [];
    for await (const { key } of store.list(prefix)) left.push(key);
    if (left.length === 0) return ['deleted', decision.reasons];
    return left.includes(manifest)
      ? ['retained', ['the credentials of the store may not delete']]
      : ['failed', [`${left[0]} is still there; the next run removes it`]];
  } catch (error) {
    return ['failed', [reasonOf(error)]];
  }
}
