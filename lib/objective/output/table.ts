import { aligned } from '../../residency/output/columns';
import { textOf } from '../../residency/output/table';
import type { Check } from '../checklist';
import type { ObjectivesResult, ResourceResult } from '../templates/model';
import { span } from '../worst-case';

/** The result for people: each resource, what is missed in full, and the checklist with its reasons. */
export function objectivesTable(result: ObjectivesResult, width?: number): string {
  const lines: string[] = [];
  const rows = worstFirst(result.resources);
  if (rows.length > 0) {
    const head = [
      'LOSS',
      'REACH BACK',
      'COPIES',
      'REGIONS',
      'DISTANCE',
      'LOCK',
      'DRILL',
      '3-2-1-1-0',
      'RESOURCE',
    ];
    lines.push(...aligned([head, ...rows.map(cellsOf)], width), '');
  }
  for (const row of rows.filter(({ missed }) => missed.length > 0)) {
    for (const sentence of row.missed) lines.push('missed:', `    ${sentence}`);
  }
  for (const { subject, undetermined } of rows) {
    if (undetermined.length > 0) lines.push(`undetermined: ${subject}`, `    ${undetermined.join('; ')}`);
  }
  for (const { subject, exempt } of rows)
    if (exempt !== null) lines.push(`exempt: ${subject}`, `    ${exempt}`);
  if (
    rows.some(
      ({ missed, undetermined, exempt }) => missed.length + undetermined.length > 0 || exempt !== null,
    )
  ) {
    lines.push('');
  }
  lines.push(...checklists(rows), objectivesSummary(result));
  return textOf(lines, width);
}

/** Missed objectives on top, then what nothing backs up. */
export function worstFirst(rows: readonly ResourceResult[]): readonly ResourceResult[] {
  const rank = ({ missed, layers, undetermined }: ResourceResult) =>
    missed.length > 0 ? 0 : layers.length === 0 ? 1 : undetermined.length > 0 ? 2 : 3;
  return rows
    .map((row, i) => ({ row, i }))
    .sort((a, b) => rank(a.row) - rank(b.row) || a.i - b.i)
    .map(({ row }) => row);
}

export const lossText = ({ loss, undetermined }: ResourceResult) =>
  loss === null ? (undetermined.length > 0 ? 'unknown' : 'everything') : span(loss.minutes);

export const reachText = ({ reachBackDays, layers, undetermined }: ResourceResult) =>
  layers.length === 0
    ? undetermined.length > 0
      ? 'unknown'
      : 'nothing'
    : reachBackDays === null
      ? 'for ever'
      : `${reachBackDays} d`;

export const distanceText = ({ furthestKm }: ResourceResult) =>
  furthestKm === null ? 'unknown' : `${furthestKm} km`;

export const drillText = ({ drill }: ResourceResult) =>
  drill === null ? 'none' : `every ${span(drill.everyMinutes)}`;

/** `3 2 1 - 0`: a dash for what is not met, a question mark for what nobody can tell. */
export function ruleText(checklist: readonly Check[]): string {
  return checklist.map(({ item, ok }) => (ok === null ? '?' : ok ? item[0] : '-')).join(' ');
}

export function whereText({ subject, region, account }: ResourceResult): string {
  return `${subject} in ${region ?? 'an unknown region'}${account === null ? '' : ` ${account}`}`;
}

export function objectivesSummary({ summary }: ObjectivesResult): string {
  const { resources, missed, unprotected, undetermined, exempt } = summary;
  const parts = [`${resources} ${resources === 1 ? 'resource' : 'resources'}`];
  if (missed > 0) parts.push(`${missed} ${missed === 1 ? 'misses its' : 'miss their'} objective`);
  if (unprotected > 0) parts.push(`${unprotected} with no backup`);
  if (undetermined > 0) parts.push(`${undetermined} not wholly determined`);
  if (exempt > 0) parts.push(`${exempt} exempt`);
  return parts.join(', ');
}

function cellsOf(row: ResourceResult): readonly string[] {
  return [
    lossText(row),
    reachText(row),
    String(row.copies.length),
    row.regions.join(' ') || '-',
    row.copies.length === 0 ? '-' : distanceText(row),
    row.copies.length === 0 ? '-' : row.immutability,
    drillText(row),
    ruleText(row.checklist),
    whereText(row),
  ];
}

/** Each reason once, with the resources that it is about. */
function checklists(rows: readonly ResourceResult[]): string[] {
  const items = [...new Set(rows.flatMap(({ checklist }) => checklist.map(({ item }) => item)))];
  return items.flatMap((item) => {
    const byReason = new Map<string, ResourceResult[]>();
    for (const row of rows) {
      const { ok, reason } = row.checklist.find((check) => check.item === item)!;
      const key = `${ok === null ? '?  ' : ok ? 'yes' : 'no '}  ${reason}`;
      byReason.set(key, [...(byReason.get(key) ?? []), row]);
    }
    const lines = [...byReason].map(([reason, same]) => {
      const more = same.length > 1 ? ` and ${same.length - 1} more` : '';
      return `    ${reason} (${whereText(same[0]!)}${more})`;
    });
    return [item, ...lines, ''];
  });
}
