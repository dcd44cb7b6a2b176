import { createHash, type Hash } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DEFAULT_LEVEL } from '../engine/dump-options.js';
import type { EngineDump } from '../engine/engine.js';
import { engineFor } from '../engine/engines.js';
import { reasonOf } from '../errors.js';
import { archivePrefix, newArchiveId, PARTS, tenantPrefix } from './archive-id.js';
import { isArchive, placesOf } from './catalog.js';
import { summaryOf } from './list-archives.js';
import { encryptionContext, type Manifest, serializeManifest, TOOL } from './manifest.js';
import { encryptBytes, encryptStream } from './message.js';
import { checkTenant } from './names.js';
import type { ArchiveSummary, DumpRequest } from './requests.js';
import { databaseOf, scopeFields } from './scope.js';
import { createCompressor } from './zstd.js';

/** A dump that has run for so long without its manifest is dead, whatever store or machine it ran on. */
const ABANDONED_MS = 24 * 60 * 60 * 1000;

/**
 * Dumps one tenant into a new archive. The data object comes to be only after the engine has said that the dump is
 * whole; the manifest, without which nothing counts as an archive, is written last.
 */
export async function dumpTenant(request: DumpRequest): Promise<ArchiveSummary> {
  const { tenant, regime, store, key, server, signal } = request;
  checkTenant(tenant);
  const { database, scope } = databaseOf(request);
  const began = performance.now();
  const say = (message: string) => request.progress?.({ phase: 'dump', message });
  await sweep(request);
  const dump = await engineFor(server).dump({
    server,
    database,
    scope,
    ...(request.options ? { options: request.options } : {}),
    ...(signal ? { signal } : {}),
  });
  const place = { tenant, regime, archive: newArchiveId(dump.facts.at) };
  const prefix = archivePrefix(place);
  const written: string[] = [];
  const write = async (part: string, body: Readable, expectedBytes?: number) => {
    await store.write(prefix + part, body, expectedBytes === undefined ? {} : { expectedBytes });
    written.push(prefix + part);
  };
  try {
    say(`snapshot of ${database} taken at ${dump.facts.at.toISOString()}`);
    const layers = packing(dump, request.options?.level ?? DEFAULT_LEVEL, (bytes) =>
      request.progress?.({ phase: 'dump', bytes }),
    );
    const cipher = layers.through((chunks) => encryptStream(key, encryptionContext(place, 'data'), chunks));
    await write(PARTS.data, cipher, dump.facts.estimatedBytes);
    const { tables } = await dump.finished;
    const { facts } = dump;
    const manifest: Manifest = {
      schemaVersion: 1,
      tool: TOOL,
      ...place,
      database,
      ...scopeFields(scope),
      at: facts.at.toISOString(),
      seconds: Math.round(performance.now() - began) / 1000,
      engine: {
        name: engineFor(server).name,
        serverVersion: facts.serverVersion,
        clientVersion: facts.clientVersion,
        snapshot: facts.snapshot,
        roles: facts.roles,
        properties: facts.properties,
      },
      dump: {
        format: facts.format,
        compression: facts.innerCompression ?? 'none',
        bytes: layers.plain.bytes,
      },
      compressed: { algorithm: layers.algorithm, ...layers.packed.result() },
      data: layers.cipher.result(),
      key: {
        id: key.id,
        encryption: 'AWS Encryption SDK, AES-256-GCM-HKDF-SHA512-COMMIT_KEY',
        encryptionContext: encryptionContext(place, 'data'),
      },
      tables,
      omitted: facts.omitted,
    };
    const bytes = serializeManifest(manifest);
    const seal = await encryptBytes(key, encryptionContext(place, 'manifest'), bytes);
    await write(PARTS.seal, Readable.from([seal], { objectMode: false }));
    signal?.throwIfAborted();
    await write(PARTS.manifest, Readable.from([bytes], { objectMode: false }));
    return summaryOf(manifest);
  } catch (error) {
    await store
      .remove(written)
      .catch((cause) => say(`could not remove what was written: ${reasonOf(cause)}`));
    throw error;
  } finally {
    await dump.close();
  }
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
function packing(dump: EngineDump, level: number, progress: (bytes: number) => void) {
  const algorithm: 'zstd' | 'none' = dump.facts.innerCompression ? 'none' : 'zstd';
  const plain = new Meter(false);
  const packed = new Meter(true);
  const cipher = new Meter(true);

  async function* source(chunks: Bytes) {
    for await (const chunk of chunks) {
      plain.add(chunk);
      progress(plain.bytes);
      yield chunk;
    }
  }
  const metered = (meter: Meter) =>
    async function* (chunks: Bytes) {
      for await (const chunk of chunks) {
        meter.add(chunk);
        yield chunk;
      }
    };
  async function* gated(chunks: Bytes) {
    yield* metered(cipher)(chunks);
    // The gate: without this the stream does not end, and what does not end is not kept.
    await dump.finished;
  }

  return {
    algorithm,
    plain,
    packed,
    cipher,
    through(encrypt: (chunks: Bytes) => Bytes): Readable {
      const tail = (chunks: Bytes) => gated(encrypt(metered(packed)(chunks)));
      const out = new PassThrough({ highWaterMark: 2 * 1024 * 1024 });
      const done =
        algorithm === 'zstd'
          ? pipeline(source(dump.stream), createCompressor(level), tail, out)
          : pipeline(source(dump.stream), tail, out);
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
async function sweep({ store, regime, tenant }: DumpRequest): Promise<void> {
  const before = new Date(Date.now() - ABANDONED_MS);
  await store.sweep(tenantPrefix(regime, tenant), before);
  const abandoned: string[] = [];
  for await (const place of placesOf(store, regime, tenant)) {
    if (!isArchive(place) && place.at < before) abandoned.push(...place.objects.map((object) => object.key));
  }
  await store.remove(abandoned);
}
