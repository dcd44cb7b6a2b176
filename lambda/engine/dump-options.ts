/** How a dump is taken. */
export interface DumpOptions {
  /**
   * zstd's level, 1 to 19. Level 2 takes about half of level 3's time on rows of a database, for archives that are
   * about 1 % (rows, prose) to 13 % (JSON) larger: docs/performance.md.
   * @default 2
   */
  readonly level?: number;
}

export const DEFAULT_LEVEL = 2;
