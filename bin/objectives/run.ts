import type { Objective } from '../../lib/objective/assessment.js';
import { DURATION_FORM, minutesOf } from '../../lib/objective/duration.js';
import { objectivesSummary, objectivesTable } from '../../lib/objective/output/table.js';
import { missesObjective } from '../../lib/objective/templates/objectives.js';
import { InputError } from '../../lib/residency/input.js';
import { loadPaths } from '../audit/inputs.js';
import { write } from '../audit/write.js';
import { screenWidth } from '../screen.js';
import { objectivesIn } from './judge.js';

export interface ObjectivesOptions {
  readonly policy?: string;
  readonly region?: string;
  readonly account?: string;
  readonly param: Readonly<Record<string, string>>;
  readonly maxDataLoss?: string;
  readonly retention?: string;
  readonly copies?: string;
  readonly immutable?: true;
  readonly restoreTest?: string;
  readonly strict?: true;
  readonly format: 'table' | 'json';
  readonly out?: string;
}

/** Works the objectives out, prints them, and sets the exit code. */
export function runObjectives(paths: readonly string[], options: ObjectivesOptions): void {
  const asked = askedFor(options);
  const result = objectivesIn(loadPaths(paths, options), asked);
  const json = options.format === 'json';
  write(
    json ? `${JSON.stringify(result, undefined, 2)}\n` : objectivesTable(result, screenWidth(options.out)),
    options.out,
  );
  if (options.out !== undefined) process.stderr.write(`${objectivesSummary(result)}: ${options.out}\n`);
  process.exitCode = missesObjective(result, options.strict ?? false) ? 1 : 0;
}

function askedFor(options: ObjectivesOptions): Objective | undefined {
  const loss = minutes('--max-data-loss', options.maxDataLoss);
  const retention = minutes('--retention', options.retention);
  if (retention !== undefined && retention % 1440 !== 0) {
    throw new InputError(`--retention ${options.retention}: must be whole days, as in 7d`);
  }
  const copies = options.copies === undefined ? undefined : Number(options.copies);
  if (copies !== undefined && !(Number.isInteger(copies) && copies >= 1)) {
    throw new InputError(`--copies ${options.copies}: must be a whole number from 1`);
  }
  const objective: Objective = {
    maxLossMinutes: loss,
    retentionDays: retention === undefined ? undefined : retention / 1440,
    copies,
    immutable: options.immutable,
    restoreTestMinutes: minutes('--restore-test', options.restoreTest),
  };
  return Object.values(objective).some((value) => value !== undefined) ? objective : undefined;
}

function minutes(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const found = minutesOf(text);
  if (found === undefined) throw new InputError(`${option} ${text}: must be ${DURATION_FORM}`);
  return found;
}
