import { createHash, type Hash } from 'node:crypto';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DEFAULT_LEVEL, type DumpOptions } from '../engine/dump-options.js';
import { type DumpOutcome, type EngineDump, type Omission, requireOptions } from '../engine/engine.js';
import { engineFor } from '../engine/engines.js';
import type { ServerAddress } from '../engine/server.js';
import { reasonOf } from '../errors.js';
import { stopwatch } from '../stopwatch.js';
import { newArchiveId, tenantPrefix } from './archive-id.js';
import { abandonedBefore, isAbandoned, placesOf } from './catalog.js';
import { preferringReplica } from './dump-source.js';
import { collectSeldom } from './garbage.js';
import { holdsOf, isHeld } from './holds.js';
import { summaryOf } from './list-archives.js';
import { encryptionContext, type Manifest, TOOL } from './manifest.js';
import { checkTenant } from './names.js';
import { type ArchiveSummary, CopyMissingError, type DumpRequest } from './requests.js';
import { databaseOf, scopeFields } from './scope.js';
import type { ArchiveStore } from './store.js';
import { throttled } from './throttle.js';
import { type CopyOutcome, type Target, writeCopies } from './write-copies.js';
import { createCompressor } from './zstd.js';

/** So long one store may hold up the others. */
const PATIENCE_MS = 5 * 60 * 1000;

/**
 * Dumps one tenant into a new archive. The data object comes to be only after the engine has said that the dump is
 * whole; the manifest, without which nothing counts as an archive, is written last.
 */
export async function dumpTenant(request: DumpRequest): Promise<ArchiveSummary> {
  checkTenant(request.tenant);
  collectSeldom();
  const seconds = stopwatch();
  const say = (message: string) => request.progress?.({ phase: 'dump', message });
  const targets: Target[] = [{ store: request.store, key: request.key }, ...(request.copies ?? [])];
  const failed: CopyOutcome[] = [];
  const ready: Target[] = [];
  for (const target of targets) {
    await sweep(target.store, request).then(
      () => ready.push(target),
      (error) => failed.push({ ...target, error }),
    );
  }
  if (ready.length === 0) throw failed[0]!.error;
  const written = await preferringReplica(request, say, async (server) => {
    const outcomes = await dumpFrom(server, request, ready, seconds, say);
    // A dump that breaks off reaches no store: whoever gave it may be asked again.
    const ended = outcomes.find(({ error }) => error !== undefined);
    if (request.replica && ended && outcomes.every(({ error }) => error !== undefined)) throw ended.error;
    return outcomes;
  });
  return summaryOfCopies(targets, [...failed, ...written]);
}

async function dumpFrom(
  server: ServerAddress,
  request: DumpRequest,
  targets: readonly Target[],
  seconds: () => number,
  say: (message: string) => void,
): Promise<CopyOutcome[]> {
  const { tenant, regime, signal } = request;
  const { database, scope } = databaseOf(request);
  const engine = await engineFor(server);
  requireOptions(engine, scope.tenancy, request.options ?? {});
  const dump = await engine.dump({
    server,
    database,
    scope,
    archiveKey: targets[0]!.key.id,
    ...(request.options ? { options: request.options } : {}),
    ...(signal ? { signal } : {}),
  });
  try {
    const { facts } = dump;
    const place = { tenant, regime, archive: newArchiveId(facts.at) };
    say(`snapshot of ${database} taken at ${facts.at.toISOString()}`);
    sayOmitted(facts.omitted, say);
    const layers = packing(dump, request.options ?? {}, (bytes) =>
      request.progress?.({ phase: 'dump', bytes }),
    );
    const outcomes = await writeCopies({
      targets,
      place,
      packed: layers.stream(),
      whole: dump.finished,
      expectedBytes: facts.estimatedBytes,
      patience: request.patience ?? PATIENCE_MS,
      say,
      ...(signal ? { signal } : {}),
      manifestOf: async ({ key, store }, data) => ({
        schemaVersion: 1,
        tool: TOOL,
        ...place,
        database,
        ...scopeFields(scope),
        at: facts.at.toISOString(),
        seconds: seconds(),
        engine: {
          name: engine.name,
          serverVersion: facts.serverVersion,
          clientVersion: facts.clientVersion,
          snapshot: facts.snapshot,
          roles: facts.roles,
          ...(server === request.replica ? { fromReplica: true as const } : {}),
          properties: facts.properties,
        },
        dump: {
          format: facts.format,
          compression: facts.innerCompression ?? 'none',
          bytes: layers.plain.bytes,
        },
        compressed: { algorithm: layers.algorithm, ...layers.digest() },
        data,
        key: {
          id: key.id,
          encryption: 'AWS Encryption SDK, AES-256-GCM-HKDF-SHA512-COMMIT_KEY',
          encryptionContext: encryptionContext(place, 'data'),
        },
        ...(request.retention ? { retention: request.retention } : {}),
        ...regionsOf(store),
        tables: (await dump.finished).tables,
        ...checksumsOf(await dump.finished),
        omitted: [...facts.omitted, ...((await dump.finished).omitted ?? [])],
      }),
    });
    signal?.throwIfAborted();
    // Where nothing was written it may never be: nobody reads any more what the dump would say.
    if (outcomes.some(({ manifest }) => manifest)) {
      const { omitted = [], tables } = await dump.finished;
      sayOmitted(omitted, say);
      // True, and yet hardly what somebody meant to back up.
      if (tables.length === 0) say(`${database} has no tables: is it the right one?`);
    }
    return outcomes;
  } finally {
    await dump.close();
  }
}

function sayOmitted(omitted: readonly Omission[], say: (message: string) => void): void {
  if (omitted.length > 0)
    say(`not in the archive: ${omitted.map(({ what, why }) => `${what} (${why})`).join('; ')}`);
}

function checksumsOf({ checksums }: DumpOutcome): Pick<Manifest, 'checksums'> {
  return checksums ? { checksums } : {};
}

function regionsOf({ region, country }: ArchiveStore): Pick<Manifest, 'regions'> {
  return region === undefined
    ? {}
    : { regions: { store: region, ...(country === undefined ? {} : { country }) } };
}

/** The archive, when it is whole everywhere; an error that names the stores that are without it otherwise. */
function summaryOfCopies(targets: readonly Target[], outcomes: readonly CopyOutcome[]): ArchiveSummary {
  const ordered = targets.map((target) => outcomes.find(({ store }) => store === target.store)!);
  const good = ordered.find(({ manifest }) => manifest);
  if (!good) throw ordered[0]!.error;
  const stores = ordered.map(({ store, manifest, error }) => ({
    store: store.location,
    ok: manifest !== undefined,
    ...(manifest ? {} : { problem: reasonOf(error) }),
  }));
  const summary = summaryOf(good.manifest!);
  if (targets.length === 1) return summary;
  const result = { ...summary, stores };
  if (stores.every(({ ok }) => ok)) return result;
  throw new CopyMissingError(result);
}

/** Counts and hashes what passes. */
class Meter {
  public bytes = 0;
  private readonly hash: Hash | undefined;

  constructor(hashed: boolean) {
    this.hash = hashed ? createHash('sha256') : undefined;
  }

  public add(chunk: Buffer): void {
    this.bytes += chunk.length;
    this.hash?.update(chunk);
  }

  public result(): { bytes: number; sha256: string } {
    return { bytes: this.bytes, sha256: this.hash!.digest('hex') };
  }
}

type Bytes = AsyncIterable<Buffer>;

/** The layers between the engine's stream and the store's, and what is measured between them. */
function packing(dump: EngineDump, options: DumpOptions, progress: (bytes: number) => void) {
  const algorithm: 'zstd' | 'none' = dump.facts.innerCompression ? 'none' : 'zstd';
  const plain = new Meter(false);
  const packed = new Meter(true);

  async function* source(chunks: Bytes) {
    for await (const chunk of chunks) {
      plain.add(chunk);
      progress(plain.bytes);
      // The compressor asks for the next block when it has done with this one, which is then used again. Nobody else does.
      yield algorithm === 'zstd' ? chunk : Buffer.from(chunk);
    }
  }
  const limited = (chunks: Bytes) =>
    options.bytesPerSecond === undefined ? chunks : throttled(chunks, options.bytesPerSecond);
  async function* metered(chunks: Bytes) {
    for await (const chunk of chunks) {
      packed.add(chunk);
      yield chunk;
    }
  }
  let digest: { bytes: number; sha256: string } | undefined;

  return {
    algorithm,
    plain,
    digest() {
      digest ??= packed.result();
      return digest;
    },
    stream(): Readable {
      // Of chunks: a stream of bytes would join those that wait, and collecting such copies costs more than making them.
      const out = new PassThrough({ objectMode: true, highWaterMark: 4 });
      const done =
        algorithm === 'zstd'
          ? pipeline(
              source(dump.stream),
              createCompressor(options.level ?? DEFAULT_LEVEL),
              limited,
              metered,
              out,
            )
          : pipeline(source(dump.stream), limited, metered, out);
      done.catch((error) => out.destroy(error));
      // A dump that fails while nothing flows (a lock, a count) must end the stream, too.
      dump.finished.catch((error) => out.destroy(error));
      // Nobody may be reading at that moment; whoever reads later gets the same error.
      out.on('error', () => {});
      return out;
    },
  };
}

/** Clears what killed dumps of this tenant have left; nothing that a living one may still be writing. */
async function sweep(store: ArchiveStore, { regime, tenant }: DumpRequest): Promise<void> {
  // Who may only add can neither look nor clear; there the bucket's lifecycle rule does it.
  if (store.writeOnly) return;
  const before = abandonedBefore();
  await store.sweep(tenantPrefix(regime, tenant), before);
  const abandoned: string[] = [];
  // What cannot be read stays as it is: it must not keep the new archive from being made.
  for await (const place of placesOf(store, regime, tenant, () => {})) {
    if (!isAbandoned(place, before)) continue;
    // Somebody may have taken the manifest of what is held.
    if (isHeld(await holdsOf({ store, regime, tenant }), place.archive)) continue;
    abandoned.push(...place.objects.map((object) => object.key));
  }
  await store.remove(abandoned);
}
