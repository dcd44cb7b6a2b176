import type { PolicyObjectives } from '../residency/policy';
import { isObject } from '../residency/resolve/stack';
import type { Objective } from './assessment';
import { DURATION_FORM, minutesOf } from './duration';

type At = readonly (string | number)[];

const DURATIONS = ['maxDataLoss', 'retention', 'restoreTest'];
const KEYS = [...DURATIONS, 'copies', 'immutable', 'exempt'];

/** What is wrong with the section `objectives` of a policy file. */
export function objectivesProblems(value: unknown, at: At, report: (at: At, message: string) => void): void {
  if (!isObject(value)) {
    report(at, 'objectives must be an object with maxDataLoss, retention, copies, immutable or restoreTest');
    return;
  }
  for (const key of Object.keys(value)) {
    if (!KEYS.includes(key)) report([...at, key], `"${key}" means nothing here; allowed: ${KEYS.join(', ')}`);
  }
  for (const key of DURATIONS) {
    const text = value[key];
    if (text === undefined) continue;
    const minutes = typeof text === 'string' ? minutesOf(text) : undefined;
    if (minutes === undefined)
      report([...at, key], `${key} must be ${DURATION_FORM}, got ${JSON.stringify(text)}`);
    else if (key === 'retention' && minutes % 1440 !== 0) {
      report([...at, key], `retention must be whole days, as in 7d, got ${JSON.stringify(text)}`);
    }
  }
  const { copies, immutable, exempt } = value;
  if (copies !== undefined && !(Number.isInteger(copies) && Number(copies) >= 1)) {
    report([...at, 'copies'], `copies must be a whole number from 1, got ${JSON.stringify(copies)}`);
  }
  if (immutable !== undefined && typeof immutable !== 'boolean') {
    report([...at, 'immutable'], `immutable must be true or false, got ${JSON.stringify(immutable)}`);
  }
  if (exempt !== undefined) exemptionProblems(exempt, [...at, 'exempt'], report);
}

function exemptionProblems(exempt: unknown, at: At, report: (at: At, message: string) => void): void {
  if (!Array.isArray(exempt)) {
    report(at, 'exempt must be a list of objects with resource and reason');
    return;
  }
  for (const [i, each] of exempt.entries()) {
    const fields = isObject(each) ? each : {};
    for (const key of ['resource', 'reason']) {
      const text = fields[key];
      if (typeof text !== 'string' || text.trim() === '') {
        report([...at, i], `${key} is missing or no text, got ${JSON.stringify(text) ?? 'nothing'}`);
      }
    }
    for (const key of Object.keys(fields)) {
      if (key !== 'resource' && key !== 'reason')
        report([...at, i, key], `"${key}" means nothing here; allowed: resource, reason`);
    }
  }
}

/** The section as numbers; undefined where it asks for nothing. */
export function objectiveOfPolicy(section: PolicyObjectives | undefined): Objective | undefined {
  if (section === undefined) return undefined;
  const { maxDataLoss, retention, copies, immutable, restoreTest } = section;
  const minutes = (text: string | undefined) => (text === undefined ? undefined : minutesOf(text));
  const days = minutes(retention);
  const objective: Objective = {
    maxLossMinutes: minutes(maxDataLoss),
    retentionDays: days === undefined ? undefined : days / 1440,
    copies,
    immutable,
    restoreTestMinutes: minutes(restoreTest),
  };
  return Object.values(objective).some((value) => value !== undefined) ? objective : undefined;
}
