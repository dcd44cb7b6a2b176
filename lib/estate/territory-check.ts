import { daysLeft } from '../regime/exception-check';
import { homeRegionProblem } from '../regime/move-check';
import { isUnresolved, regionProblem } from '../regime/region-check';
import type { Territory } from './territory';

/** Announced so many days before the decision has to be looked at again. */
const NOTICE_DAYS = 90;

export interface TerritoryReview {
  readonly errors: string[];
  readonly warnings: string[];
}

/** What is wrong with a territory before anything is made of it. */
export function reviewTerritory(territory: Territory, now: Date): TerritoryReview {
  const { regime, home, copies = [], soleRegion } = territory;
  const where = `territory '${regime.id}' at ${isUnresolved(home) ? 'an unresolved region' : home}`;
  const errors: string[] = [];
  const warnings: string[] = [];
  for (const region of [home, ...copies]) {
    if (isUnresolved(region)) errors.push(`${where}: a region ${regionProblem(region)}`);
  }
  const homeProblem = isUnresolved(home) ? undefined : homeRegionProblem(home, regime);
  if (homeProblem) errors.push(`${where}: ${homeProblem}`);
  if (copies.includes(home)) errors.push(`${where}: copies names the home region itself`);
  if (new Set(copies).size < copies.length) errors.push(`${where}: copies names a region twice`);
  if (soleRegion && copies.length > 0) {
    errors.push(`${where}: has copies in other regions and soleRegion as well, leave one of them out`);
  }
  if (!soleRegion && copies.length === 0) {
    const others = regime.regions.filter((region) => region !== home);
    errors.push(
      others.length > 0
        ? `${where}: has no second region. Name copies, of ${others.join(', ')}; or record the decision to do without ` +
            "as soleRegion: { acceptedBy: 'CISO', reviewOn: 'YYYY-MM-DD' }"
        : `${where}: '${regime.id}' has one region only, so the loss of the region is the loss of data and backups. ` +
            "Record who accepts that as soleRegion: { acceptedBy: 'CISO', reviewOn: 'YYYY-MM-DD' }, and name a " +
            'bunkerAccount for a second copy in the same region; or choose a wider regime',
    );
  }
  if (soleRegion) {
    if (!soleRegion.acceptedBy.trim())
      errors.push(`${where}: soleRegion.acceptedBy is empty, name who decided`);
    const left = daysLeft(soleRegion.reviewOn, now);
    if (left === undefined) {
      errors.push(`${where}: soleRegion.reviewOn is '${soleRegion.reviewOn}', write a day as YYYY-MM-DD`);
    } else if (left < 0) {
      errors.push(
        `${where}: the decision to do with one region was to be reviewed on ${soleRegion.reviewOn} ` +
          `(${soleRegion.acceptedBy}); review it and set the next day`,
      );
    } else if (left <= NOTICE_DAYS) {
      warnings.push(
        `${where}: review of the decision to do with one region is due on ${soleRegion.reviewOn}`,
      );
    }
    if (soleRegion.bunkerAccount !== undefined && !/^\d{12}$/.test(soleRegion.bunkerAccount)) {
      errors.push(`${where}: soleRegion.bunkerAccount is '${soleRegion.bunkerAccount}', write 12 digits`);
    }
  }
  return { errors, warnings };
}
