/** Regions to which a valid exception lets something go out of a regime. */
export interface Transfer {
  readonly regions: readonly string[];
  /** What may go; everything where absent. */
  readonly what?: readonly string[];
}

/** The regions in which one of these cargoes may arrive: the regime's own, and those of the exceptions that cover it. */
export function reachableRegions(
  regions: readonly string[],
  transfers: readonly Transfer[],
  ...cargo: string[]
): string[] {
  const extra = transfers
    .filter(({ what }) => what === undefined || what.some((one) => cargo.includes(one)))
    .flatMap((transfer) => transfer.regions);
  return [...new Set([...regions, ...extra])].sort();
}
