import type { Readable } from 'node:stream';
import { InputError } from '../errors.js';
import type { CatalogTable } from '../tenancy/catalog.js';
import type { TenancyDescription } from '../tenancy/description.js';
import type { EngineHabits } from '../tenancy/planned-table.js';
import type { DumpOptions } from './dump-options.js';
import type { ServerAddress } from './server.js';

/**
 * What part of a database is the tenant: all of it, one schema, or the rows that have its value in the tenant column.
 * Of a restore and an undo the description may be absent: then the one in the archive or the kept copy holds.
 */
export type TenantScope =
  | { readonly tenancy: 'database' }
  | {
      readonly tenancy: 'schema';
      readonly schema: string;
      /** Objects of other schemas that this one needs: refuse the dump, or note them and require them of the restore. */
      readonly outside?: 'refuse' | 'require';
    }
  | { readonly tenancy: 'rows'; readonly value: string; readonly description?: TenancyDescription };

export type RowsScope = Extract<TenantScope, { tenancy: 'rows' }>;
export type Tenancy = TenantScope['tenancy'];
export const TENANCIES: readonly Tenancy[] = ['database', 'schema', 'rows'];
export const WHOLE_DATABASE: TenantScope = { tenancy: 'database' };

/** What is refused where it cannot be done, instead of being passed over. */
export type SpecialOption = Extract<keyof DumpOptions, 'jobs' | 'statementTimeout'>;
const SPECIAL: Readonly<Record<SpecialOption, string>> = {
  jobs: 'several sessions at once (--jobs)',
  statementTimeout: 'a limit on the time of statements (--statement-timeout)',
};

/** Refuses options that the engine does not know for dumps of that tenancy, before anything is done. */
export function requireOptions(engine: Engine, tenancy: Tenancy, options: DumpOptions): void {
  const known = engine.dumpOptions?.(tenancy) ?? [];
  for (const option of Object.keys(SPECIAL) as SpecialOption[]) {
    const asked = option === 'jobs' ? (options.jobs ?? 1) > 1 : options[option] !== undefined;
    if (asked && !known.includes(option))
      throw new InputError(
        `a dump of ${engine.name} with tenancy ${JSON.stringify(tenancy)} cannot have ${SPECIAL[option]}; leave it out`,
      );
  }
}

/** The same of a restore. */
export function requireLimit(engine: Engine, tenancy: Tenancy, statementTimeout: number | undefined): void {
  if (statementTimeout !== undefined && !engine.limitsRestore?.(tenancy))
    throw new InputError(
      `a restore of ${engine.name} with tenancy ${JSON.stringify(tenancy)} cannot have ${SPECIAL.statementTimeout}; leave it out`,
    );
}

/** For an engine that does not have every tenancy: refuses the others before anything is done. */
export function requireTenancy(engine: string, scope: TenantScope, known: readonly Tenancy[]): void {
  if (!known.includes(scope.tenancy))
    throw new InputError(
      `${engine} has no tenancy ${JSON.stringify(scope.tenancy)} here; it has ${known.map((name) => JSON.stringify(name)).join(', ')}`,
    );
}

/**
 * What a database engine can do for one tenant. Adding an engine is one file that implements this and one line in
 * `engines.ts`; nothing that calls it knows which engine it has.
 */
export interface Engine {
  /** As written into manifests: `postgresql`. */
  readonly name: string;

  /** Names of the databases like the SQL pattern, in ascending order, without the server's own and without side and undo copies. */
  databases(server: ServerAddress, pattern: string, signal?: AbortSignal): Promise<string[]>;

  /** How its foreign keys work, where that differs from checks at the end of a statement. */
  readonly habits?: EngineHabits;

  /** The tables of a database, for whoever says whose their rows are. Absent where there is no tenancy `rows`. */
  catalog?(server: ServerAddress, database: string): Promise<LiveCatalog>;

  /** Names of the tenants that share a database, in ascending order. Absent where they never do. */
  tenants?(request: TenantsRequest): Promise<string[]>;

  /** Those of a dump's options that not every engine has, of its dumps of that tenancy. @default - none */
  dumpOptions?(tenancy: Tenancy): readonly SpecialOption[];

  /** Whether a restore of that tenancy can have `statementTimeout`. @default - none can */
  limitsRestore?(tenancy: Tenancy): boolean;

  /**
   * About how many bytes each of them takes on the server's disk, by name. What the user may not see, or is gone, is left
   * out. Absent where the engine cannot tell.
   */
  sizes?(request: SizesRequest): Promise<ReadonlyMap<string, number>>;

  /** Takes a snapshot of one database and begins to stream it. */
  dump(request: EngineDumpRequest): Promise<EngineDump>;

  /** Loads an archive beside the live database and checks it; the live one is not touched until `swap`. */
  prepareRestore(request: EngineRestoreRequest): Promise<PreparedRestore>;

  /** Puts the newest kept copy back in place; what was live becomes a kept copy in its turn. */
  undo(request: EngineUndoRequest): Promise<UndoOutcome>;
}

export interface LiveCatalog {
  readonly tables: readonly CatalogTable[];
  /** Of tables for which a description names no schema. */
  readonly defaultSchema: string;
}

export interface TenantsRequest {
  readonly server: ServerAddress;
  readonly database: string;
  /** Schemas like the SQL pattern, or what stands in the tenant column. */
  readonly of:
    | { readonly tenancy: 'schema'; readonly pattern: string }
    | { readonly tenancy: 'rows'; readonly description: TenancyDescription };
}

/** Databases of a server, or schemas of one of its databases. */
export interface SizesRequest {
  readonly server: ServerAddress;
  readonly of:
    | { readonly databases: readonly string[] }
    | { readonly database: string; readonly schemas: readonly string[] };
}

export interface EngineDumpRequest {
  readonly server: ServerAddress;
  readonly database: string;
  readonly scope: TenantScope;
  /** Id of the key that the archive gets, for servers that can encrypt their own dumps under it. */
  readonly archiveKey?: string;
  readonly options?: DumpOptions;
  readonly signal?: AbortSignal;
}

/** A dump under way. The stream says nothing about success: only `finished` does. */
export interface EngineDump {
  readonly facts: DumpFacts;
  /**
   * The tool's own format, to be read once. It must not be taken for whole before `finished` has resolved. It comes in
   * blocks that are used again as soon as the next one is asked for.
   */
  readonly stream: AsyncIterable<Buffer>;
  /** Resolves when the tool ended well, the stream was read back and found whole, and the rows are counted. */
  readonly finished: Promise<DumpOutcome>;
  /** Ends everything that still runs and closes connections; safe to call at any time and more than once. */
  close(): Promise<void>;
}

/** What is known when the snapshot has been taken. */
export interface DumpFacts {
  /** Taken right after the snapshot: the dump holds nothing that was committed later. */
  readonly at: Date;
  readonly serverVersion: string;
  readonly clientVersion: string;
  /** `pg_dump custom`, ... */
  readonly format: string;
  /** Compression that the tool itself applied: the stream is then not compressed again. */
  readonly innerCompression?: string;
  readonly snapshot: string;
  /** The database's size on disk, from which stores choose part sizes. */
  readonly estimatedBytes: number;
  /** Roles that the dump refers to and does not hold. */
  readonly roles: readonly string[];
  /** What a dump of one database cannot hold, and why. */
  readonly omitted: readonly Omission[];
  /** What the engine needs to make the database anew: owner, locale, settings, extensions. Plain JSON, no secrets. */
  readonly properties: Readonly<Record<string, unknown>>;
}

export interface Omission {
  readonly what: string;
  readonly why: string;
}

export interface DumpOutcome {
  readonly tables: readonly TableRows[];
  /** Absent where rows were only counted. */
  readonly checksums?: Checksums;
  /** What is missing besides, which showed only while the rows were read. */
  readonly omitted?: readonly Omission[];
}

/** How the tables' checksums were taken. */
export interface Checksums {
  readonly method: string;
  /** What the method made of fixed values; where it makes something else of them, checksums cannot be compared. */
  readonly probe: string;
}

export interface TableRows {
  readonly schema: string;
  readonly name: string;
  readonly rows: number;
  /** Of the rows' content, in the way that `Checksums` tells. */
  readonly checksum?: string;
}

export interface EngineRestoreRequest {
  readonly server: ServerAddress;
  readonly tenant: string;
  readonly database: string;
  readonly scope: TenantScope;
  /** The archive's id, noted on the side database. */
  readonly archive: string;
  readonly at: Date;
  /** What the manifest says of the dump. */
  readonly facts: Pick<DumpFacts, 'clientVersion' | 'serverVersion' | 'format' | 'roles' | 'properties'>;
  readonly tables: readonly TableRows[];
  /** Absent where there are none, or they are not to be compared. */
  readonly checksums?: Checksums;
  /** Sessions that load at once. @default - as many as the machine has processors, four at most */
  readonly jobs?: number;
  /** Seconds that a statement may take before it is cancelled, and the restore with it. @default - no limit */
  readonly statementTimeout?: number;
  /** Size of the dump as the tool wrote it. @default - unknown */
  readonly bytes?: number;
  /** Restore without owners and grants, all owned by the user who restores. */
  readonly noOwner: boolean;
  /** The name that `keepAs` will be asked for: refused before anything is loaded when it is taken. */
  readonly keepAs?: string;
  /** `swap` will be asked for: what would keep it from being done is refused before anything is loaded. @default false */
  readonly swaps?: boolean;
  /** Opens the dump; the stream ends only after every byte was authenticated, and fails otherwise. */
  open(): Promise<Readable>;
  readonly phase?: (message: string) => void;
  readonly signal?: AbortSignal;
}

/** A restored and checked database that nobody uses yet. Exactly one of its methods ends it. */
export interface PreparedRestore {
  /** Its name for the time being. */
  readonly side: string;
  /** False when the tenant's database is gone from the server: then the swap has nothing to keep. */
  readonly liveExists: boolean;
  /** The swap ends the sessions on the live database; without it they go on, and it waits for those that are in its way. */
  readonly endsSessions?: boolean;
  readonly tables: readonly TableRows[];
  readonly warnings: readonly string[];
  /**
   * What the live database has become since the archive, table by table, each read in one snapshot; may be asked before
   * any of the others. Engines that cannot tell leave it out.
   */
  compare?(options: CompareOptions): Promise<readonly TableComparison[]>;
  /** Puts it in the live one's place; killed at any moment, the live name has the old or the new one, whole. */
  swap(): Promise<SwapOutcome>;
  /** Keeps it under another name instead; refuses a name that is taken. */
  keepAs(database: string): Promise<void>;
  /** Drops it. */
  discard(): Promise<void>;
}

export interface CompareOptions {
  /** How many keys of added, removed and changed rows to name for each table. */
  readonly sample: number;
  readonly signal?: AbortSignal;
}

/** One table, seen from the archive: what was added to it since, removed from it, changed in it. */
export interface TableComparison {
  readonly schema: string;
  readonly name: string;
  /** `added`: only the live database has it. `removed`: only the archive has it. */
  readonly state: 'same' | 'changed' | 'added' | 'removed';
  /** Null where there is no such table. */
  readonly archiveRows: number | null;
  readonly liveRows: number | null;
  /** Without a key that both have, a changed row is one removed and one added. */
  readonly rows: { readonly added: number; readonly removed: number; readonly changed: number };
  readonly columns: readonly ColumnChange[];
  /** The columns by which rows were told apart; null: by their whole content. */
  readonly key: readonly string[] | null;
  /** Some of the rows' keys, every value as text; never other content. */
  readonly sample: Readonly<Record<'added' | 'removed' | 'changed', readonly RowKey[]>>;
}

export type RowKey = Readonly<Record<string, string | null>>;

export interface ColumnChange {
  readonly name: string;
  readonly archive: string | null;
  readonly live: string | null;
}

export interface SwapOutcome {
  /** The name under which the old live database is kept for undo. */
  readonly undo?: string;
}

export interface EngineUndoRequest {
  readonly server: ServerAddress;
  readonly tenant: string;
  readonly database: string;
  readonly scope: TenantScope;
  /** Has to be asked when it is known what would be put back, and before anything is changed; fails where it is not to be. */
  confirm(copy: KeptCopy): Promise<void>;
  readonly phase?: (message: string) => void;
  readonly signal?: AbortSignal;
}

export interface KeptCopy {
  readonly name: string;
  /** When it was put aside. */
  readonly at: Date;
  /** What has that name. */
  readonly holder: 'database' | 'schema';
}

export interface UndoOutcome {
  /** The copy that is live now: its former name, and when it had been put aside. */
  readonly from: string;
  readonly keptSince: Date;
  /** Where what was live until now is kept. */
  readonly undo?: string;
}
