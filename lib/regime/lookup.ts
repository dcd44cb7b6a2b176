import { REGIMES, type RegimeRecord } from './regime-table';
import { REGIONS, type RegionRecord } from './region-table';

const regionsById = new Map(REGIONS.map((region) => [region.id, region]));

/** The record of a region, or undefined when it is unknown: never guess from a prefix. */
export function findRegion(id: string): RegionRecord | undefined {
  return regionsById.get(id);
}

const regimesById = new Map(REGIMES.map((regime) => [regime.id, regime]));

export function findRegime(id: string): RegimeRecord | undefined {
  return regimesById.get(id);
}

/**
 * The widest confirmed default regime that holds the region: `eu-central-1` is in `de` and in `eu`, and gives `eu`.
 * Undefined for regions of no default regime.
 */
export function defaultRegimeOf(region: string): RegimeRecord | undefined {
  return REGIMES.find((regime) => regime.confirmed && !regime.within && regime.regions.includes(region));
}
