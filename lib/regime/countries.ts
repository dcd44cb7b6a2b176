import { findRegion } from './lookup';

/** Where the law of the EU regime holds: the member states, and Iceland, Liechtenstein and Norway (EEA). */
const EEA = 'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK'.split(
  ' ',
);

/** Countries of these regions. */
export function countriesOfRegions(regions: readonly string[]): string[] {
  return [...new Set(regions.flatMap((region) => findRegion(region)?.country ?? []))].sort();
}

/** Countries that a regime reaches, for places that are no AWS region; by default those of its regions. */
export function countriesOf({ id, regions }: { id: string; regions: readonly string[] }): string[] {
  return id === 'eu' ? EEA : countriesOfRegions(regions);
}
