import { findRegion } from './lookup';

const EARTH_RADIUS_KM = 6371;
const radians = (degrees: number) => (degrees * Math.PI) / 180;

/** A distance between two regions, with how far off it may be. AWS publishes no sites, so no figure is exact. */
export interface Separation {
  readonly km: number;
  /** Both places' uncertainty added up: 80 km for a metropolitan area, 300 km where only the state is known. */
  readonly toleranceKm: number;
}

/** Great-circle distance of two regions; undefined where either place is not known. */
export function separation(a: string, b: string): Separation | undefined {
  const [from, to] = [findRegion(a), findRegion(b)];
  if (from?.latitude === undefined || from.longitude === undefined) return undefined;
  if (to?.latitude === undefined || to.longitude === undefined) return undefined;
  const dLat = radians(to.latitude - from.latitude);
  const dLon = radians(to.longitude - from.longitude);
  const h =
    Math.sin(dLat / 2) ** 2 +
    Math.cos(radians(from.latitude)) * Math.cos(radians(to.latitude)) * Math.sin(dLon / 2) ** 2;
  const km = Math.round(2 * EARTH_RADIUS_KM * Math.asin(Math.sqrt(h)));
  const tolerance = (precision?: string) => (precision === 'low' ? 300 : 80);
  return { km, toleranceKm: tolerance(from.precision) + tolerance(to.precision) };
}
