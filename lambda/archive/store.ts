import type { Readable } from 'node:stream';
import { OperationError } from '../errors.js';

/**
 * Where archives lie: a folder, an S3 bucket, another provider's bucket. Keys are relative, with `/` between parts.
 *
 * A store keeps one promise on which everything else rests: an object is there whole or not at all.
 */
export interface ArchiveStore {
  /** What a person would call this place, for messages: a folder's path, `s3://bucket/prefix`. */
  readonly location: string;

  /** The region that a bucket was said to be in. */
  readonly region?: string;

  /** The country that it was said to be in: ISO 3166, two letters. */
  readonly country?: string;

  /** Its credentials may add objects, and neither list, nor read, nor delete any. */
  readonly writeOnly?: boolean;

  /**
   * Writes the stream to the key. When the stream fails, or the process dies, nothing is readable under the key.
   * Refuses (`ObjectExistsError`) when the key is taken: archives are never overwritten.
   */
  write(key: string, body: Readable, options?: WriteOptions): Promise<Written>;

  /** Reads an object from its beginning; rejects with `ObjectMissingError`. */
  read(key: string): Promise<Readable>;

  /**
   * Every object whose key starts with the prefix, in ascending order of keys. What below it cannot be read ends the
   * list, or, where somebody wants to be told of it, is left out.
   */
  list(prefix: string, unreadable?: (place: UnreadableError) => void): AsyncIterable<StoredObject>;

  /** Names of the folders right under the prefix, which is empty or ends in `/`. */
  folders(prefix: string): Promise<string[]>;

  /** Deletes objects; one that is already gone is no error. */
  remove(keys: readonly string[]): Promise<void>;

  /** What the store tells of an object's bytes without their being read; stores that know nothing leave it out. */
  digestOf?(key: string): Promise<ObjectDigest>;

  /** What keeps an object from deletion, whoever asks; stores without such a thing leave it out. */
  lockOf?(key: string): Promise<ObjectLock | undefined>;

  /** Sets or takes off the store's own hold on objects, where the bucket has object lock. */
  setLegalHold?(keys: readonly string[], on: boolean): Promise<void>;

  /** Clears what killed writes left behind under the prefix (temporary files, open multipart uploads). */
  sweep(prefix: string, olderThan: Date): Promise<void>;
}

export interface ObjectDigest {
  /** Of the whole object, in hexadecimal, as the service took it, or as it was when a `resumable` write of it ended. */
  readonly sha256?: string;
  /** The same for two objects that were sent in the same parts and are the same; else it says nothing. */
  readonly etag?: string;
}

export interface ObjectLock {
  readonly until?: Date;
  readonly legalHold: boolean;
}

export interface Written {
  readonly bytes: number;
  /** Of these, what an earlier write that was cut off had left there and was not sent again. */
  readonly kept?: number;
}

export interface WriteOptions {
  /** Expected size in bytes, from which S3 chooses the part size. */
  readonly expectedBytes?: number;
  /** Gives the write up, with the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * What the bytes are known to come to. A store that takes parts keeps those of a write that was cut off, invisible, and
   * the next write of the same goes on behind them; others begin anew.
   */
  readonly resumable?: { readonly bytes: number; readonly sha256: string };
}

export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
  /** When it was written, by the store's clock. */
  readonly modified?: Date;
}

/** A store that did not do what it was asked. */
export class StoreError extends OperationError {}

/** One place that cannot be read: rights, a link to nowhere, a bad disk. It says nothing of the others. */
export class UnreadableError extends StoreError {
  constructor(
    /** An object, or what the keys of all that is there begin with. */
    public readonly key: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export class ObjectExistsError extends Error {
  public readonly exitCode = 3;
  constructor(key: string, location: string) {
    super(`${key} already exists in ${location}; archives are never overwritten`);
  }
}

export class ObjectMissingError extends Error {
  public readonly exitCode = 3;
  constructor(key: string, location: string) {
    super(`${key} is not in ${location}`);
  }
}
