import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { OperationError, reasonOf } from '../errors.js';
import { archivePrefix, PARTS } from './archive-id.js';
import { Branch, feed, type Runner, watchLateness } from './fan-out.js';
import type { ArchiveKey } from './key.js';
import { encryptionContext, type Manifest, serializeManifest } from './manifest.js';
import { encryptBytes, encryptStream } from './message.js';
import type { ArchiveStore } from './store.js';

/** One place that a dump goes to, and the key it has there. */
export interface Target {
  readonly store: ArchiveStore;
  readonly key: ArchiveKey;
}

export interface CopyOutcome extends Target {
  /** The archive, when it is whole there. */
  readonly manifest?: Manifest;
  /** Why it is not there. */
  readonly error?: unknown;
}

export interface CopiesRequest {
  readonly targets: readonly Target[];
  readonly place: { readonly tenant: string; readonly regime: string; readonly archive: string };
  /** The dump, compressed; read once. */
  readonly packed: Readable;
  /** Resolves when the dump is known to be whole: until then no object may come to be. */
  readonly whole: Promise<unknown>;
  readonly expectedBytes: number;
  /** What the manifest in this store says, once all of `data` has passed. */
  readonly manifestOf: (target: Target, data: Manifest['data']) => Promise<Manifest>;
  /** How long one store may hold up the others in all, in milliseconds. */
  readonly patience: number;
  readonly say: (message: string) => void;
  readonly signal?: AbortSignal;
}

type Place = CopiesRequest['place'];
type Digest = () => Manifest['data'];

/**
 * Writes one dump to several stores: read and compressed once, encrypted once for each key. Each store has its archive
 * whole, manifest last, or none; one that fails or is slow loses only its own.
 */
export async function writeCopies(request: CopiesRequest): Promise<CopyOutcome[]> {
  const { targets, place, packed } = request;
  const [only] = targets;
  if (targets.length === 1) {
    const { cipher, digest } = sealed(only!.key, place, packed);
    return [await writeCopy(request, only!, cipher, digest, new AbortController())];
  }
  const runs: { target: Target; branch: Branch; digest: Digest; stop: AbortController; done: boolean }[] = [];
  const groups: Branch[] = [];
  for (const same of groupByKey(targets)) {
    const group = new Branch();
    groups.push(group);
    const { cipher, digest } = sealed(same[0]!.key, place, group);
    const branches = same.map((target) => {
      const branch = new Branch();
      runs.push({ target, branch, digest, stop: new AbortController(), done: false });
      return branch;
    });
    // Who fails before it begins to read must not keep the others waiting.
    void feed(cipher, branches).then(() => group.leave());
  }
  void feed(packed, groups);
  const unwatch = watchLateness(runs, request.patience, (late) => {
    const { stop, target } = late as (typeof runs)[number];
    stop.abort(
      new OperationError(
        `${target.store.location} held up the other stores for more than ${request.patience / 1000} s, and was given up`,
      ),
    );
  });
  try {
    const outcomes = await Promise.all(
      runs.map(async (run) => {
        const outcome = await writeCopy(request, run.target, run.branch, run.digest, run.stop);
        run.branch.leave();
        (run as Runner).done = true;
        return outcome;
      }),
    );
    return targets.map((target) => outcomes.find((outcome) => outcome.store === target.store)!);
  } finally {
    unwatch();
  }
}

function groupByKey(targets: readonly Target[]): Target[][] {
  const groups = new Map<string, Target[]>();
  for (const target of targets) groups.set(target.key.id, [...(groups.get(target.key.id) ?? []), target]);
  return [...groups.values()];
}

/** The encrypted stream, and what it came to when it is over. */
function sealed(key: ArchiveKey, place: Place, packed: AsyncIterable<Buffer>) {
  const hash = createHash('sha256');
  let bytes = 0;
  async function* cipher() {
    for await (const chunk of encryptStream(key, encryptionContext(place, 'data'), packed)) {
      bytes += chunk.length;
      hash.update(chunk);
      yield chunk;
    }
  }
  let sha256: string | undefined;
  return {
    cipher: cipher(),
    digest: () => {
      sha256 ??= hash.digest('hex');
      return { bytes, sha256 };
    },
  };
}

async function writeCopy(
  request: CopiesRequest,
  target: Target,
  cipher: AsyncIterable<Buffer>,
  digest: Digest,
  stop: AbortController,
): Promise<CopyOutcome> {
  const { store, key } = target;
  const { place, signal } = request;
  const prefix = archivePrefix(place);
  const written: string[] = [];
  const gaveUp = new Promise<never>((_, reject) => {
    stop.signal.addEventListener('abort', () => reject(stop.signal.reason), { once: true });
  });
  gaveUp.catch(() => {});
  const write = async (part: string, body: Readable, expectedBytes?: number) => {
    stop.signal.throwIfAborted();
    signal?.throwIfAborted();
    const onStop = () => body.destroy(stop.signal.reason);
    stop.signal.addEventListener('abort', onStop, { once: true });
    const writing = store.write(prefix + part, body, {
      signal: stop.signal,
      ...(expectedBytes === undefined ? {} : { expectedBytes }),
    });
    // A store that does not even notice that it was given up is not waited for.
    writing.catch(() => {});
    await Promise.race([writing, gaveUp]);
    written.push(prefix + part);
  };
  async function* gated() {
    yield* cipher;
    // The gate: without this the stream does not end, and what does not end is not kept.
    await request.whole;
  }
  try {
    await write(
      PARTS.data,
      // Of chunks of at most a quarter megabyte: a stream of bytes would join those that wait, which copies them all.
      Readable.from(gated(), { highWaterMark: 8 }),
      request.expectedBytes,
    );
    await request.whole;
    await key.stillThere?.();
    const manifest = await request.manifestOf(target, digest());
    const bytes = serializeManifest(manifest);
    const seal = await encryptBytes(key, encryptionContext(place, 'manifest'), bytes);
    await write(PARTS.seal, Readable.from([seal], { objectMode: false }));
    await write(PARTS.manifest, Readable.from([bytes], { objectMode: false }));
    return { ...target, manifest };
  } catch (error) {
    const removing = store
      .remove(written)
      .catch((cause) => request.say(`could not remove what was written: ${reasonOf(cause)}`));
    await Promise.race([removing, gaveUp]).catch(() => {});
    return { ...target, error };
  }
}
