/** Checks a policy file: everything that is wrong with it at once, each with its place in the file. */
import { objectivesProblems } from '../objective/policy-section';
import { findRegime, findRegion } from '../regime/lookup';
import { REGIONS } from '../regime/region-table';
import { isDay } from './judge/dates';
import type { Cargo } from './model';
import type { AuditPolicy } from './policy';
import { has, isObject, own, type PlainObject } from './resolve/stack';

export interface PolicyProblem {
  /** Keys and indices from the top of the document, for finding the line. */
  readonly at: readonly (string | number)[];
  readonly message: string;
}

const CARGO: readonly Cargo[] = [
  'backup',
  'snapshot',
  'replica',
  'key',
  'secret',
  'image',
  'log',
  'event',
  'metadata',
  'object',
];

type At = readonly (string | number)[];
type Report = (at: At, message: string) => void;

/** The problems of a policy document; with none, the document is an {@link AuditPolicy} but for what it leaves out. */
export function policyProblems(document: unknown): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const report: Report = (at, message) => problems.push({ at, message });
  if (!isObject(document)) {
    report([], 'a policy is an object with schemaVersion: 1');
    return problems;
  }
  const { schemaVersion } = document;
  if (schemaVersion !== 1 && schemaVersion !== '1') {
    report(['schemaVersion'], `schemaVersion must be 1, got ${shown(schemaVersion)}`);
  }
  onlyKeys(document, [], ['schemaVersion', '$schema', ...Object.keys(SECTIONS)], report);
  for (const name of Object.keys(SECTIONS)) {
    const value = own(document, name);
    if (value !== undefined && value !== null) SECTIONS[name]!(value, [name], report, document);
  }
  if (problems.length === 0) conflicts(document, report);
  return problems;
}

/** A document without problems, with what it left out. */
export function policyOf(document: PlainObject): AuditPolicy {
  const part = (name: string) => (isObject(own(document, name)) ? document[name] : {}) as never;
  const places = part('places') as { buckets?: never; globalClusters?: never };
  return {
    regimes: part('regimes'),
    assign: part('assign'),
    exceptions: (own(document, 'exceptions') ?? []) as AuditPolicy['exceptions'],
    places: { buckets: places.buckets ?? {}, globalClusters: places.globalClusters ?? {} },
    soleRegion: part('soleRegion'),
    ...(isObject(own(document, 'objectives')) ? { objectives: part('objectives') } : {}),
  };
}

const SECTIONS: Readonly<
  Record<string, (value: unknown, at: At, report: Report, policy: PlainObject) => void>
> = {
  regimes: (value, at, report) => {
    eachOf(value, at, report, (id, regime, here) => {
      if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(id)) {
        report(here, `"${id}" is no regime id: letters, digits, dots and dashes`);
      }
      if (!isObject(regime)) {
        report(here, `regime ${id} must be an object with regions`);
        return;
      }
      onlyKeys(regime, here, ['name', 'law', 'regions'], report);
      for (const key of ['name', 'law']) if (own(regime, key) !== undefined) text(regime, key, here, report);
      regionList(own(regime, 'regions'), [...here, 'regions'], report);
    });
  },
  assign: (value, at, report, policy) => {
    eachOf(value, at, report, (environment, regime, here) => {
      const match = /^(?:(\d{12}|\*)\/)?([^/]+)$/.exec(environment);
      if (match === null) {
        report(
          here,
          `"${environment}" names no environment: write "account/region", as in "111111111111/eu-central-1"`,
        );
      } else {
        region(match[2], here, report);
        if (
          typeof regime === 'string' &&
          isRegime(regime, policy) &&
          !regionsOf(regime, policy).includes(match[2]!)
        ) {
          report(
            here,
            `${regime} does not hold ${match[2]} (it holds ${regionsOf(regime, policy).join(', ')})`,
          );
        }
      }
      regimeId(regime, here, report, policy);
    });
  },
  exceptions: (value, at, report, policy) => {
    if (!Array.isArray(value)) {
      report(at, 'exceptions must be a list');
      return;
    }
    for (const [i, exception] of value.entries()) exceptionProblems(exception, [...at, i], report, policy);
  },
  places: (value, at, report) => {
    if (!isObject(value)) {
      report(at, 'places must be an object with buckets and globalClusters');
      return;
    }
    onlyKeys(value, at, ['buckets', 'globalClusters'], report);
    const { buckets, globalClusters } = value;
    if (buckets !== undefined) {
      eachOf(buckets, [...at, 'buckets'], report, (_name, place, here) => region(place, here, report));
    }
    if (globalClusters !== undefined) {
      eachOf(globalClusters, [...at, 'globalClusters'], report, (_id, regions, here) =>
        regionList(regions, here, report),
      );
    }
  },
  soleRegion: (value, at, report, policy) => {
    eachOf(value, at, report, (regime, acceptance, here) => {
      regimeId(regime, here, report, policy);
      if (!isObject(acceptance)) {
        report(here, `the acceptance for ${regime} must be an object with acceptedBy and reviewOn`);
        return;
      }
      onlyKeys(acceptance, here, ['acceptedBy', 'reviewOn', 'reason'], report);
      text(acceptance, 'acceptedBy', here, report);
      day(acceptance, 'reviewOn', here, report);
      if (own(acceptance, 'reason') !== undefined) text(acceptance, 'reason', here, report);
    });
  },
  objectives: (value, at, report) => objectivesProblems(value, at, report),
};

function exceptionProblems(exception: unknown, at: At, report: Report, policy: PlainObject): void {
  if (!isObject(exception)) {
    report(at, 'an exception must be an object with from, to, instrument, approvedBy and expires');
    return;
  }
  onlyKeys(
    exception,
    at,
    ['from', 'to', 'instrument', 'what', 'approvedBy', 'expires', 'conditions'],
    report,
  );
  for (const side of ['from', 'to']) regimeId(own(exception, side), [...at, side], report, policy);
  if (exception.from !== undefined && exception.from === exception.to) {
    report(at, `an exception from ${shown(exception.from)} to itself allows nothing`);
  }
  for (const key of ['instrument', 'approvedBy']) text(exception, key, at, report);
  day(exception, 'expires', at, report);
  if (own(exception, 'conditions') !== undefined) text(exception, 'conditions', at, report);
  const what = own(exception, 'what');
  if (what === undefined) return;
  if (!Array.isArray(what) || what.length === 0) {
    report([...at, 'what'], `what must be a list of ${CARGO.join(', ')}, or be left out for everything`);
    return;
  }
  for (const [i, cargo] of what.entries()) {
    if (!CARGO.includes(cargo)) report([...at, 'what', i], `${shown(cargo)} is none of ${CARGO.join(', ')}`);
  }
}

/** Two of the policy's own regimes over one region need an `assign` for it, or nobody can tell which one counts. */
function conflicts(policy: PlainObject, report: Report): void {
  const regimes = (own(policy, 'regimes') ?? {}) as Record<string, { regions: readonly string[] }>;
  const assigned = new Set(
    Object.keys((own(policy, 'assign') ?? {}) as object).map((key) => key.replace(/^.*\//, '')),
  );
  const holder = new Map<string, string>();
  for (const id of Object.keys(regimes)) {
    for (const [i, name] of regimes[id]!.regions.entries()) {
      const other = holder.get(name);
      if (other === undefined) holder.set(name, id);
      else if (other !== id && !assigned.has(name)) {
        report(
          ['regimes', id, 'regions', i],
          `both ${other} and ${id} claim ${name}, and nothing says which one counts; add "assign": { "<account>/${name}": ${id} } or take ${name} out of one of them`,
        );
      }
    }
  }
}

function regimeId(value: unknown, at: At, report: Report, policy: PlainObject): void {
  if (typeof value !== 'string' || value === '') report(at, `a regime's id is missing, got ${shown(value)}`);
  else if (!isRegime(value, policy)) {
    report(at, `"${value}" is no regime of the catalogue or of this policy`);
  }
}

function isRegime(id: string, policy: PlainObject): boolean {
  return findRegime(id) !== undefined || has((own(policy, 'regimes') as object) ?? {}, id);
}

function regionsOf(id: string, policy: PlainObject): readonly string[] {
  const redefined = own((own(policy, 'regimes') ?? {}) as PlainObject, id);
  const regions = isObject(redefined) ? own(redefined, 'regions') : findRegime(id)?.regions;
  return Array.isArray(regions) ? regions : [];
}

function regionList(value: unknown, at: At, report: Report): void {
  if (!Array.isArray(value) || value.length === 0) {
    report(at, `a list of regions is wanted, got ${shown(value)}`);
    return;
  }
  for (const [i, name] of value.entries()) {
    region(name, [...at, i], report);
    if (value.indexOf(name) < i) report([...at, i], `${shown(name)} is listed twice`);
  }
}

function region(value: unknown, at: At, report: Report): void {
  if (typeof value === 'string' && findRegion(value) !== undefined) return;
  const near =
    typeof value === 'string'
      ? REGIONS.find(({ id }) => id.replace(/-/g, '') === value.replace(/-/g, ''))
      : undefined;
  report(
    at,
    `${shown(value)} is no region of the catalogue${near === undefined ? '' : ` (is ${near.id} meant?)`}`,
  );
}

function text(object: PlainObject, key: string, at: At, report: Report): void {
  const value = own(object, key);
  if (typeof value === 'string' && value.trim() !== '') return;
  report(value === undefined ? at : [...at, key], `${key} is missing or no text, got ${shown(value)}`);
}

function day(object: PlainObject, key: string, at: At, report: Report): void {
  const value = own(object, key);
  if (typeof value === 'string' && isDay(value)) return;
  report(
    value === undefined ? at : [...at, key],
    `${key} must be a day written YYYY-MM-DD, got ${shown(value)}`,
  );
}

function eachOf(
  value: unknown,
  at: At,
  report: Report,
  work: (key: string, value: unknown, at: At) => void,
): void {
  if (!isObject(value)) {
    report(at, `${at.join('.')} must be an object, got ${shown(value)}`);
    return;
  }
  for (const key of Object.keys(value)) work(key, value[key], [...at, key]);
}

function onlyKeys(object: PlainObject, at: At, allowed: readonly string[], report: Report): void {
  for (const key of Object.keys(object)) {
    if (allowed.includes(key)) continue;
    report(
      [...at, key],
      `"${key}" means nothing here; allowed: ${allowed.filter((name) => name !== '$schema').join(', ')}`,
    );
  }
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 60 ? `${json.slice(0, 57)}...` : json;
}
