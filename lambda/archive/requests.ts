import type { DumpOptions } from '../engine/dump-options.js';
import type { TableComparison, TableRows, Tenancy, TenantScope } from '../engine/engine.js';
import type { ServerAddress } from '../engine/server.js';
import { OperationError } from '../errors.js';
import type { ArchiveKey } from './key.js';
import type { RetentionPolicy } from './retention.js';
import type { ArchiveStore } from './store.js';

/** What every operation on a tenant's archives needs. */
export interface ArchiveRequest {
  readonly tenant: string;
  /** The regime whose archives these are: first part of every path; `local` in local mode. */
  readonly regime: string;
  readonly store: ArchiveStore;
  readonly key: ArchiveKey;
  readonly progress?: (event: ProgressEvent) => void;
  readonly signal?: AbortSignal;
}

export interface DumpRequest extends ArchiveRequest {
  readonly server: ServerAddress;
  /** A read replica of the server, from which the dump is taken rather. @default - the server itself */
  readonly replica?: ServerAddress;
  readonly options?: DumpOptions;
  /** @default - the tenant's name, where the tenant has a database of its own */
  readonly database?: string;
  /** @default - the whole database */
  readonly scope?: TenantScope;
  /** Noted in the manifest; `prune` applies what it is given then. @default - nothing is noted */
  readonly retention?: RetentionPolicy;
  /** Further stores that the same read of the database goes to, each under its own key. @default - none */
  readonly copies?: readonly { readonly store: ArchiveStore; readonly key: ArchiveKey }[];
  /** How long one store may hold up the others in all before it is given up, in milliseconds. @default 300000 */
  readonly patience?: number;
}

export interface VerifyRequest extends ArchiveRequest {
  /** The newest archive at or before this time. @default - the newest */
  readonly at?: Date;
}

/** What loading an archive beside the live database needs. */
export interface LoadRequest extends VerifyRequest {
  readonly server: ServerAddress;
  /** @default - the database that the archive was taken from */
  readonly database?: string;
  /** @default - what the archive says it is of */
  readonly scope?: TenantScope;
  /** Restore without owners and grants. @default false */
  readonly noOwner?: boolean;
  /** Compare the rows' number alone, or also the checksums of their content that the archive has. @default 'content' */
  readonly checksums?: 'rows' | 'content';
  /** Sessions that load at once. @default - as many as the machine has processors, four at most */
  readonly jobs?: number;
  /** Seconds that a statement may take before it is cancelled, and the restore with it. @default - no limit */
  readonly statementTimeout?: number;
  /** The database that is to be made of it; refused at once when there is one of that name. */
  readonly keepAs?: string;
}

export interface KeepRequest extends LoadRequest {
  readonly keepAs: string;
}

export interface DumpFileRequest extends VerifyRequest {
  /** The file to write; it must not exist, and its folder must. */
  readonly file: string;
}

export interface CompareRequest extends LoadRequest {
  /** How many keys of added, removed and changed rows to name for each table. @default 5 */
  readonly sample?: number;
}

export interface RestoreRequest extends LoadRequest {
  /** Compare with the live database before asking, so that who is asked sees what would be undone. @default false */
  readonly showChanges?: boolean;
  readonly sample?: number;
  /**
   * Asked when the archive has been loaded beside the live database and found good, right before the swap.
   * Anything but the tenant's exact name drops what was loaded and leaves the live database as it was.
   */
  readonly confirm: (prepared: RestorePreview) => Promise<string>;
}

export interface UndoRequest {
  readonly tenant: string;
  readonly server: ServerAddress;
  /** @default - the tenant's name, where the tenant has a database of its own */
  readonly database?: string;
  /** @default - the whole database */
  readonly scope?: TenantScope;
  /** The tenant's name, typed or passed by a person; or who asks for it when it is known what would be put back. */
  readonly confirm: string | ((preview: UndoPreview) => Promise<string>);
  readonly progress?: (event: ProgressEvent) => void;
  readonly signal?: AbortSignal;
}

/** The copy that an undo would put back. */
export interface UndoPreview {
  readonly tenant: string;
  readonly database: string;
  /** Its name. */
  readonly copy: string;
  /** When it was put aside. */
  readonly keptSince: string;
  /** About how much it takes on the server's disk; absent where the engine cannot tell. */
  readonly bytes?: number;
}

export interface ListRequest {
  readonly regime: string;
  readonly store: ArchiveStore;
  /** @default - every tenant */
  readonly tenant?: string;
}

/** A phase begins (`message`), or bytes have moved (`bytes` in all, of this phase, before compression). */
export interface ProgressEvent {
  readonly phase: string;
  readonly message?: string;
  readonly bytes?: number;
  /** What `bytes` is expected to come to, where that is known. */
  readonly of?: number;
}

/** What `dump`, `list` and `restore` print with --json. */
export interface ArchiveSummary {
  readonly tenant: string;
  /** The archive's id, the last part of its path: its time and eight random hexadecimal digits. */
  readonly archive: string;
  /** The time of the snapshot, ISO 8601 in UTC. */
  readonly at: string;
  /** Size of the encrypted dump. */
  readonly bytes: number;
  /** Size of the dump as the database's tool wrote it. */
  readonly plainBytes: number;
  /** How long the dump took; of a restore, how long the restore took, without the time in which the name was waited for. */
  readonly seconds: number;
  readonly tables: readonly TableRows[];
  readonly database: string;
  readonly regime: string;
  /** Present where the tenant is not a whole database. */
  readonly tenancy?: Exclude<Tenancy, 'database'>;
}

/** What `compare` prints with --json. */
export interface ComparisonResult {
  readonly schemaVersion: 1;
  readonly tenant: string;
  readonly archive: string;
  readonly at: string;
  readonly database: string;
  readonly same: boolean;
  readonly tables: readonly TableComparison[];
  readonly seconds: number;
}

/** What became of a dump in each of several stores. */
export interface CopiedArchive extends ArchiveSummary {
  readonly stores: readonly { readonly store: string; readonly ok: boolean; readonly problem?: string }[];
}

/** Some stores have the archive, whole, and others have none of it. */
export class CopyMissingError extends OperationError {
  constructor(public readonly result: CopiedArchive) {
    const without = result.stores.filter(({ ok }) => !ok);
    super(
      `there is no archive ${result.archive} in ${without.map(({ store, problem }) => `${store} (${problem})`).join(', nor in ')}; ` +
        `it is whole in ${result.stores
          .filter(({ ok }) => ok)
          .map(({ store }) => store)
          .join(', ')}`,
    );
  }
}

export interface RestorePreview extends ArchiveSummary {
  /** What a swap would undo; asked for with `showChanges`. */
  readonly changes?: readonly TableComparison[];
  readonly liveExists: boolean;
  /** The swap ends the sessions on the live database. */
  readonly endsSessions: boolean;
  /** The name of the database that waits to be swapped in. */
  readonly side: string;
  readonly warnings: readonly string[];
}

export interface RestoreResult extends ArchiveSummary {
  /** Where the database that was live before is kept; absent when there was none. */
  readonly undo?: string;
  readonly warnings: readonly string[];
}

/** What `restore --to` prints with --json: `database` is the one that was made, or in which `schema` was. */
export interface KeepResult extends ArchiveSummary {
  readonly schema?: string;
  readonly warnings: readonly string[];
}

/** What `restore --to-file` prints with --json. */
export interface DumpFileResult extends ArchiveSummary {
  readonly file: string;
  /** The tool's own format, by which one knows what reads it: `pg_dump custom`. */
  readonly format: string;
}

/** What `restore --verify-only` prints with --json. */
export interface RehearsalResult extends Partial<ArchiveSummary> {
  readonly tenant: string;
  readonly ok: boolean;
  readonly problems: readonly string[];
  readonly warnings?: readonly string[];
  readonly seconds: number;
}

export interface UndoResult {
  readonly tenant: string;
  readonly database: string;
  /** When the database that is live again had been put aside. */
  readonly keptSince: string;
  /** Where the database that was live until now is kept. */
  readonly undo?: string;
  readonly seconds: number;
}

export interface VerifyResult {
  readonly ok: boolean;
  /** Null when there is no archive to name. */
  readonly archive: string | null;
  readonly problems: readonly string[];
}
