import type { EncryptionContext } from '@aws-crypto/material-management-node';
import { version } from '../../package.json';
import { type Checksums, type Omission, type TableRows, TENANCIES, type Tenancy } from '../engine/engine.js';
import { OperationError } from '../errors.js';
import { timeOfArchiveId } from './archive-id.js';
import { DamagedError } from './damaged-error.js';
import type { RetentionPolicy } from './retention.js';
import { tenantKey } from './tenant-key.js';

/** What an archive says of itself: plain JSON without secrets, authenticated by its seal. */
export interface Manifest {
  readonly schemaVersion: 1;
  readonly tool: { readonly name: 'sovereign-backup'; readonly version: string };
  readonly archive: string;
  readonly tenant: string;
  readonly database: string;
  readonly regime: string;
  readonly tenancy: Tenancy;
  /** With tenancy `schema`: its name. */
  readonly schema?: string;
  /** With tenancy `rows`: what stands in the tenant column of its rows. */
  readonly tenantValue?: string;
  /** The time of the snapshot: nothing committed later is in the archive. */
  readonly at: string;
  readonly seconds: number;
  readonly engine: {
    readonly name: string;
    readonly serverVersion: string;
    readonly clientVersion: string;
    readonly snapshot: string;
    readonly roles: readonly string[];
    /** The dump was taken from a read replica. */
    readonly fromReplica?: true;
    readonly properties: Readonly<Record<string, unknown>>;
  };
  /** The three layers of `data`, from the inside out. */
  readonly dump: { readonly format: string; readonly compression: string; readonly bytes: number };
  readonly compressed: {
    readonly algorithm: 'zstd' | 'none';
    readonly bytes: number;
    readonly sha256: string;
  };
  readonly data: { readonly bytes: number; readonly sha256: string };
  readonly key: {
    readonly id: string;
    readonly encryption: 'AWS Encryption SDK, AES-256-GCM-HKDF-SHA512-COMMIT_KEY';
    /** Of `data`; the seal's differs in `part`, which is `manifest`. */
    readonly encryptionContext: EncryptionContext;
  };
  /** The policy that held when it was made; what is deleted is decided when it is pruned. */
  readonly retention?: RetentionPolicy;
  /** Where this copy of the archive lies, as far as its store was told. */
  readonly regions?: { readonly store: string; readonly country?: string };
  readonly tables: readonly TableRows[];
  /** How the tables' checksums were taken, where they were. */
  readonly checksums?: Checksums;
  readonly omitted: readonly Omission[];
}

export const TOOL = { name: 'sovereign-backup', version } as const;

/**
 * A table takes some 150 bytes and five values of a manifest, so these are some 400,000 tables in one database,
 * far above any real one. What somebody may have put in a manifest's place takes half a gigabyte of memory at most.
 */
export const MAX_MANIFEST = 64 * 1024 * 1024;
const MAX_VALUES = 2_000_000;

/** Binds every encrypted byte to its tenant, regime, archive and role in it. */
export function encryptionContext(
  place: { readonly tenant: string; readonly regime: string; readonly archive: string },
  part: 'data' | 'manifest',
): EncryptionContext {
  return { tenant: tenantKey(place.tenant), regime: place.regime, archive: place.archive, part };
}

/** The same manifest gives the same bytes: keys sorted, two spaces, one newline at the end. */
export function serializeManifest(manifest: Manifest): Buffer {
  const bytes = Buffer.from(`${JSON.stringify(sorted(manifest), null, 2)}\n`);
  // Better no archive than one that nobody reads again.
  if (bytes.length > MAX_MANIFEST || hasTooMany(bytes))
    throw new OperationError(
      `the manifest of ${manifest.tables.length} tables and ${manifest.omitted.length} omissions would have ${bytes.length} bytes, and no more than ${MAX_MANIFEST} are read again; divide the database`,
    );
  return bytes;
}

/** Every value but the first stands behind one of these; those in texts count, too. */
function hasTooMany(bytes: Buffer): boolean {
  let values = 0;
  for (const byte of bytes) if (byte === 0x2c || byte === 0x5b || byte === 0x7b) values += 1;
  return values > MAX_VALUES;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted((value as Record<string, unknown>)[key])]),
  );
}

/** Of a later version of this tool: nothing shows that it is damaged. */
export class NewerManifestError extends DamagedError {}

/** Reads a manifest and holds it against the place it lies in; its truth is shown by the seal alone. */
export function parseManifest(
  bytes: Buffer,
  place: { readonly tenant: string; readonly regime: string; readonly archive: string },
): Manifest {
  if (hasTooMany(bytes))
    throw new DamagedError(
      `manifest.json has more than ${MAX_VALUES} values, and none that a dump wrote has`,
    );
  let manifest: Manifest;
  try {
    manifest = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new DamagedError('manifest.json is not JSON');
  }
  const schema = (manifest as { schemaVersion?: unknown } | null)?.schemaVersion;
  if (schema !== 1) {
    const Kind = typeof schema === 'number' && schema > 1 ? NewerManifestError : DamagedError;
    throw new Kind(`manifest.json has schemaVersion ${shown(schema)}; this version of the tool reads 1`);
  }
  for (const name of ['archive', 'tenant', 'regime'] as const) {
    if (manifest[name] !== place[name])
      throw new DamagedError(
        `manifest.json is of ${name} ${shown(manifest[name])}, and lies where ${name} ${JSON.stringify(place[name])} belongs`,
      );
  }
  if (!TENANCIES.includes(manifest.tenancy))
    throw new DamagedError(
      `manifest.json has tenancy ${shown(manifest.tenancy)}; this version of the tool reads ${TENANCIES.join(', ')}`,
    );
  const numbers = [manifest.data?.bytes, manifest.compressed?.bytes, manifest.dump?.bytes, manifest.seconds];
  const texts = [
    manifest.at,
    manifest.database,
    manifest.data?.sha256,
    manifest.key?.id,
    manifest.engine?.name,
    ...(manifest.tenancy === 'schema' ? [manifest.schema] : []),
    ...(manifest.tenancy === 'rows' ? [manifest.tenantValue] : []),
  ];
  const lists = [manifest.tables, manifest.omitted, manifest.engine?.roles];
  if (
    numbers.some((number) => typeof number !== 'number') ||
    texts.some((text) => typeof text !== 'string') ||
    lists.some((list) => !Array.isArray(list))
  )
    throw new DamagedError('manifest.json lacks fields that every manifest has');
  const at = timeOfArchiveId(place.archive)?.toISOString();
  if (manifest.at !== at)
    throw new DamagedError(
      `manifest.json is of ${shown(manifest.at)}, and the archive's name says ${shown(at)}`,
    );
  return manifest;
}

/** What stands in a manifest may be anything, of any size and depth. */
function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return 'that is no single value';
  const text = JSON.stringify(value ?? null);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
