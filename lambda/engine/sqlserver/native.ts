import type { Progress } from './tasks.js';

/** Facts about one backup that the server states, for the manifest; plain JSON. */
export type BackupFacts = Readonly<Record<string, unknown>>;

export interface NativeRequest {
  readonly database: string;
  /** Key of the object in the staging bucket. */
  readonly key: string;
  /** In KMS, under which RDS encrypts or has encrypted the backup. */
  readonly kmsKey?: string;
  readonly signal?: AbortSignal;
  readonly progress?: Progress;
}

/** What is done by procedures on Amazon RDS and by statements elsewhere. */
export interface Native {
  /** Ends what dead runs have started and the server still does for this database; the caller holds the lock. */
  endLeftovers(database: string, folder: string): Promise<void>;
  /** Lets the server write one full backup, and returns when it has. */
  backup(request: NativeRequest): Promise<BackupFacts>;
  /** Lets the server restore the object as a new database, and returns when that is open. */
  restore(request: NativeRequest & { readonly archive: string }): Promise<void>;
  /** Reads the restored database page by page. Returns what could not be checked. */
  check(database: string, signal?: AbortSignal): Promise<string[]>;
  /** The statement that renames. */
  renameSql(from: string, to: string): string;
  drop(database: string): Promise<void>;
  /** From where the server says that this database was restored last: a URL or an ARN. */
  restoredFrom(database: string): Promise<string | undefined>;
  /** Our name of an object as the server writes it down. */
  nameOf(key: string): string;
}
