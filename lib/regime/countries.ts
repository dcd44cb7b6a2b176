import { findRegion } from './lookup';
import type { PrivacyRegime } from './privacy-regime';

/** Where the law of the EU regime holds: the member states, and Iceland, Liechtenstein and Norway (EEA). */
const EEA = 'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK'.split(
  ' ',
);

/** Countries that a regime reaches, for places that are no AWS region; by default those of its regions. */
export function countriesOf(regime: PrivacyRegime): string[] {
  if (regime.id === 'eu') return EEA;
  return [...new Set(regime.regions.flatMap((region) => findRegion(region)?.country ?? []))].sort();
}
