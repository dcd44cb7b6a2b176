/** How a dump is taken. */
export interface DumpOptions {
  /**
   * zstd's level, 1 to 19. Level 2 takes about half of level 3's time on rows of a database, for archives that are
   * about 1 % (rows, prose) to 13 % (JSON) larger: docs/performance.md.
   * @default 2
   */
  readonly level?: number;
  /** What the manifest says of each table: its rows' number alone, or also a checksum of them. @default 'content' */
  readonly checksums?: 'rows' | 'content';
  /** At most so many bytes per second are taken of the dump, compressed. @default - no limit */
  readonly bytesPerSecond?: number;
  /**
   * Sessions that read at once, all in one snapshot. More than one write the dump to a temporary folder first, where it
   * lies unencrypted meanwhile. Engines and tenancies that cannot refuse it.
   * @default 1
   */
  readonly jobs?: number;
  /** Seconds that a statement of the dump may take before it is cancelled, and the dump with it. @default - no limit */
  readonly statementTimeout?: number;
}

export const DEFAULT_LEVEL = 2;
