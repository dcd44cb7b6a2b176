import { createHash, type Hash } from 'node:crypto';
import { OperationError } from '../errors.js';
import type { ContainerTable } from './container.js';
import { nameOf } from './description.js';

/**
 * How the checksums of an archive of rows are taken: SHA-256 of a table's lines as they stand in its files, one after the
 * other. No server is asked for them, so there is nothing in which two could differ.
 */
export const OF_LINES = { method: 'sha256 of lines', probe: '' } as const;

/** What takes those of an archive's manifest once more; undefined where it has none, or they are not to be compared. */
export function digestsLike(checksums: { readonly method: string } | undefined): LineDigests | undefined {
  return checksums?.method === OF_LINES.method ? new LineDigests() : undefined;
}

/** Takes them of lines that pass. */
export class LineDigests {
  private readonly hashes = new Map<string, Hash>();

  public add({ folder }: ContainerTable, bytes: Buffer): void {
    let hash = this.hashes.get(folder);
    if (!hash) {
      hash = createHash('sha256');
      this.hashes.set(folder, hash);
    }
    hash.update(bytes);
  }

  /** That of nothing for a table that had no line. */
  public of({ folder }: ContainerTable): string {
    return (this.hashes.get(folder)?.copy() ?? createHash('sha256')).digest('hex');
  }

  /** Holds them against the manifest's. */
  public check(
    tables: readonly ContainerTable[],
    expected: (table: ContainerTable) => string | undefined,
  ): void {
    for (const table of tables)
      if (this.of(table) !== expected(table))
        throw new OperationError(
          `${nameOf(table)} has other rows in the archive than its manifest says; nothing was changed`,
        );
  }
}
