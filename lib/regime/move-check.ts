import { separation } from './distance';
import { daysLeft } from './exception-check';
import { defaultRegimeOf, findRegion } from './lookup';
import type { PrivacyRegime } from './privacy-regime';
import { isUnresolved, regionProblem } from './region-check';
import type { Cargo, TransferException } from './transfer-exception';

/** Something that is about to travel from one region to another. */
export interface Move {
  readonly what: Cargo;
  readonly from: string;
  readonly to: string;
  /** The regime that the data is under. */
  readonly regime: PrivacyRegime;
  readonly exceptions?: readonly TransferException[];
  readonly now: Date;
}

const plural: Record<`${Cargo}`, string> = {
  backup: 'backups',
  snapshot: 'snapshots',
  replica: 'replicas',
  key: 'key material',
  secret: 'secrets',
  image: 'images',
  log: 'logs',
  event: 'events',
  metadata: 'metadata',
  object: 'objects',
};

/** Why the move must not be: both regions, their regimes, and what to write instead. Undefined when it may. */
export function moveProblem(move: Move): string | undefined {
  const { from, to, regime } = move;
  const what = plural[move.what];
  const fromProblem = regionProblem(from);
  if (fromProblem) return `${what} of '${regime.id}' come from region '${shown(from)}', which ${fromProblem}`;
  const toProblem = regionProblem(to);
  if (toProblem) return `${what} of '${regime.id}' go to region '${shown(to)}', which ${toProblem}`;

  const homeProblem = homeRegionProblem(from, regime);
  if (homeProblem) return homeProblem;
  if (regime.contains(to)) return undefined;

  const [source, destination] = [findRegion(from)!, findRegion(to)!];
  if (source.partition !== destination.partition) {
    return (
      `${what} cannot go from ${placed(from)} to ${placed(to)}: impossible, ${source.partition} and ` +
      `${destination.partition} are separate partitions. ${instead(move)}`
    );
  }
  if ((move.exceptions ?? []).some((exception) => covers(exception, move))) return undefined;
  const theirs = defaultRegimeOf(to)?.id;
  return (
    `${what} would go from ${placed(from)} to ${placed(to)}, and out of their regime ${regime}. ` +
    `${instead(move)}${theirs ? `, or declare a dated TransferException from '${regime.id}' to '${theirs}'` : ''}`
  );
}

/** Why data of the regime must not be in this region at all. */
export function homeRegionProblem(region: string, regime: PrivacyRegime): string | undefined {
  const problem = regionProblem(region);
  if (problem) return `region '${shown(region)}' ${problem}`;
  if (regime.contains(region)) return undefined;
  return (
    `region ${placed(region)} does not belong to regime ${regime}: use one of ${regime.regions.join(', ')}, ` +
    `or another regime`
  );
}

/** Whether an exception lets this cargo go from this region to that one on this day. */
export function covers(exception: TransferException, move: Move): boolean {
  const left = daysLeft(exception.expires, move.now);
  return (
    exception.from.id === move.regime.id &&
    exception.to.contains(move.to) &&
    (exception.what === undefined || exception.what.includes(move.what)) &&
    left !== undefined &&
    left >= 0
  );
}

/** A second copy nearer than this shares its disasters: no error, no warning. */
const FAR_ENOUGH_KM = 200;
const TOO_NEAR_KM = 100;

/** What there is to say about how far apart two copies are. */
export function separationProblem(
  from: string,
  to: string,
): { readonly tooNear: boolean; readonly text: string } | undefined {
  if (from === to || isUnresolved(from) || isUnresolved(to)) return undefined;
  const found = separation(from, to);
  if (!found) {
    return {
      tooNear: false,
      text: `nobody publishes how far ${from} and ${to} are apart: judge it yourself`,
    };
  }
  const { km, toleranceKm } = found;
  if (km - toleranceKm >= FAR_ENOUGH_KM) return undefined;
  const text =
    `${from} and ${to} are about ${km} km apart (give or take ${toleranceKm} km, AWS publishes no sites); ` +
    `copies should be at least ${FAR_ENOUGH_KM} km apart`;
  return { tooNear: km + toleranceKm < TOO_NEAR_KM, text };
}

function instead({ from, regime }: Move): string {
  const others = regime.regions.filter((region) => region !== from);
  if (others.length > 0) return `Copy to ${others.join(', ')} instead`;
  return (
    `'${regime.id}' has no second region: keep the second copy in ${from}, in another account or in a logically ` +
    'air-gapped vault, and record the risk as soleRegion'
  );
}

function placed(region: string): string {
  const regime = defaultRegimeOf(region);
  return `${region} (${regime ? `regime ${regime.id}` : 'in no default regime'})`;
}

/** Tokens are noise to a reader. */
function shown(region: string): string {
  return isUnresolved(region) ? 'unresolved token' : region;
}
