// A figure is two measured sides, their ratio and, where one was promised, the target.
import type { Measured, Spread } from './measure.mts';
import { spread } from './measure.mts';

export interface Figure {
  readonly name: string;
  readonly ours: Spread;
  readonly theirs: Spread;
  readonly yardstick: string;
  /** Time of ours over theirs, medians: below 1 is faster. */
  readonly ratio: number;
  readonly target?: number;
  readonly reached?: boolean;
}

export interface Variant {
  readonly name: string;
  run(): Promise<Measured>;
}

export type Runs = Readonly<Record<string, readonly Measured[]>>;

/** Every variant once in each round, in an order that turns; the first round only warms up. */
export async function byTurns(rounds: number, variants: readonly Variant[]): Promise<Runs> {
  const runs: Record<string, Measured[]> = Object.fromEntries(variants.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    const turn = round % variants.length;
    for (const { name, run } of [...variants.slice(turn), ...variants.slice(0, turn)]) {
      const measured = await run();
      if (round > 0) runs[name]!.push(measured);
    }
  }
  return runs;
}

export function secondsOf(runs: readonly Measured[]): Spread {
  return spread(runs.map(({ seconds }) => seconds));
}

export function figure(
  name: string,
  runs: Runs,
  sides: { readonly ours: string; readonly theirs: string; readonly target?: number },
): Figure {
  const ours = secondsOf(runs[sides.ours]!);
  const theirs = secondsOf(runs[sides.theirs]!);
  const ratio = ours.median / theirs.median;
  const { target } = sides;
  return {
    name,
    ours,
    theirs,
    yardstick: sides.theirs,
    ratio,
    ...(target === undefined ? {} : { target, reached: ratio <= target }),
  };
}

const cell = (value: number) => value.toFixed(2).padStart(8);

export function printRuns(title: string, runs: Runs): void {
  console.log(
    `\n${title.padEnd(52)}${'min'.padStart(8)}${'median'.padStart(8)}${'max'.padStart(8)}   peak MB`,
  );
  for (const [name, each] of Object.entries(runs)) {
    const { min, median, max } = secondsOf(each);
    const peak = Math.max(...each.map(({ peakMegabytes }) => peakMegabytes));
    console.log(
      `  ${name.padEnd(50)}${cell(min)}${cell(median)}${cell(max)} s ${peak.toFixed(0).padStart(7)}`,
    );
  }
}

export function printFigure({ name, ratio, target, reached }: Figure): void {
  const verdict =
    target === undefined ? '' : ` (target at most ${target.toFixed(2)}: ${reached ? 'reached' : 'missed'})`;
  console.log(`  ${name}: ${ratio.toFixed(2)}${verdict}`);
}
