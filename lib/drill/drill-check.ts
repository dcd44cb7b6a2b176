import type { Duration } from 'aws-cdk-lib';
import { longestGapMinutes } from '../objective/cron';
import { isUnresolved } from '../regime/region-check';

/** What AWS Backup can restore as a test. EKS, Timestream, Redshift, SAP HANA and virtual machines are not among them. */
export const TESTABLE_TYPES = [
  'Aurora',
  'DocumentDB',
  'DynamoDB',
  'EBS',
  'EC2',
  'EFS',
  'FSx',
  'Neptune',
  'RDS',
  'S3',
];

const MOST_ARNS = 30;
const MOST_CONDITIONS = 30;
const MOST_VAULTS = 30;
export const MOST_SELECTIONS = 30;

export interface PlanDeclaration {
  readonly name: string;
  readonly schedule: string;
  readonly startWindow: Duration;
  readonly selectionWindow: Duration;
  readonly vaults?: number;
  readonly kinds?: number;
}

/** What AWS Backup would refuse of a restore testing plan. */
export function planProblems(plan: PlanDeclaration): string[] {
  const problems = nameProblems('planName', plan.name);
  if (!isUnresolved(plan.schedule) && !plan.schedule.startsWith('cron(')) {
    problems.push(
      `its schedule is ${plan.schedule}, AWS Backup takes cron schedules only: write Schedule.cron({ ... })`,
    );
  }
  if (!isUnresolved(plan.schedule)) {
    try {
      longestGapMinutes(plan.schedule);
    } catch (error) {
      problems.push(`its schedule cannot be read: ${(error as Error).message}`);
    }
  }
  if (plan.kinds === 0) {
    problems.push('kinds is empty, so nothing can be restored: name one, or leave kinds out for both');
  }
  if (plan.vaults === 0) {
    problems.push('vaults is empty, so nothing can be restored: name one, or leave vaults out for all');
  }
  if (plan.vaults !== undefined && plan.vaults > MOST_VAULTS) {
    problems.push(`names ${plan.vaults} vaults, AWS Backup takes at most ${MOST_VAULTS}: make another plan`);
  }
  problems.push(...hoursProblems('startWindow', plan.startWindow, 1));
  if (!plan.selectionWindow.isUnresolved()) {
    const days = plan.selectionWindow.toDays({ integral: false });
    if (!Number.isInteger(days) || days < 1 || days > 365) {
      problems.push(`selectionWindow is ${days} days, AWS Backup takes 1 to 365 whole days`);
    }
  }
  return problems;
}

export interface SelectionDeclaration {
  readonly name: string;
  readonly type: string;
  readonly resources: readonly string[];
  readonly tags: number;
  readonly validationWindow?: Duration;
  readonly validated: boolean;
}

/** What AWS Backup would refuse of a restore testing selection. */
export function selectionProblems(selection: SelectionDeclaration): string[] {
  const { type, resources, tags, validationWindow } = selection;
  const problems = nameProblems('selectionName', selection.name);
  if (!TESTABLE_TYPES.includes(type)) {
    problems.push(
      `resourceType is ${type}, which AWS Backup cannot restore as a test; it can ${TESTABLE_TYPES.join(', ')}. ` +
        'Leave it out, and rehearse its restore by hand',
    );
  }
  if (resources.length > MOST_ARNS) {
    problems.push(
      `names ${resources.length} resources, AWS Backup takes at most ${MOST_ARNS} per selection: ` +
        'make several selections, or choose by tags',
    );
  }
  for (const arn of resources.filter((text) => !isUnresolved(text) && text.includes('*'))) {
    problems.push(
      `resources has '${arn}': a wildcard is taken only alone, leave resources out and narrow with tags`,
    );
  }
  if (resources.length > 0 && tags > 0) {
    problems.push('has both resources and tags, AWS Backup takes one or the other: leave one out');
  }
  if (tags > MOST_CONDITIONS) {
    problems.push(`has ${tags} tags to match, AWS Backup takes at most ${MOST_CONDITIONS}`);
  }
  if (validationWindow) {
    problems.push(...hoursProblems('validationWindow', validationWindow, selection.validated ? 1 : 0));
  }
  return problems;
}

function nameProblems(what: string, name: string): string[] {
  if (isUnresolved(name) || (/^[A-Za-z0-9]\w{0,49}$/.test(name) && !name.endsWith('_'))) return [];
  return [
    `${what} is '${name}', AWS Backup takes 1 to 50 letters, digits and underscores, no underscore at either end`,
  ];
}

function hoursProblems(what: string, window: Duration, least: number): string[] {
  if (window.isUnresolved()) return [];
  const hours = window.toHours({ integral: false });
  if (Number.isInteger(hours) && hours >= least && hours <= 168) return [];
  return [`${what} is ${hours} hours, AWS Backup takes ${least} to 168 whole hours`];
}
