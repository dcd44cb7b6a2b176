import type { AuditDiff } from '../diff';
import type { Edge, Finding } from '../model';
import { edgeTable, findingTable } from './markdown';
import { placeText, textOf, worstFirst } from './table';

export function diffTableOf(diff: AuditDiff, width?: number): string {
  const line = (sign: string, edge: Edge, verdict: string = edge.verdict) =>
    `${sign} ${verdict}: ${edge.what} ${placeText(edge.from)} -> ${placeText(edge.to)}  ${edge.template}: ${edge.constructPath ?? edge.logicalId}`;
  const finding = (sign: string, { severity, rule, template, logicalId, message }: Finding) =>
    `${sign} ${severity} [${rule}] ${[template, logicalId].filter((part) => part !== null).join(': ')}: ${message}`;
  const lines = [
    ...worstFirst(diff.added).map((edge) => line('+', edge)),
    ...diff.changed.map(({ before, edge }) => line('~', edge, `${before} -> ${edge.verdict}`)),
    ...diff.removed.map((edge) => line('-', edge)),
    ...diff.findings.added.map((one) => finding('+', one)),
    ...diff.findings.removed.map((one) => finding('-', one)),
    summaryOf(diff),
  ];
  return textOf(lines, width);
}

/** For a comment under a merge request. */
export function diffMarkdownOf(diff: AuditDiff): string {
  const { added, removed, changed, findings } = diff;
  const parts = ['## What this changes in where data goes', '', summaryOf(diff), ''];
  if (added.length > 0) parts.push('### New', '', ...edgeTable(worstFirst(added)), '');
  if (changed.length > 0) {
    const was = changed.map(({ before }) => before);
    parts.push('### Judged differently', '', ...edgeTable(changed.map(({ edge }) => edge)), '');
    parts.push(`Before, in the same order: ${was.join(', ')}.`, '');
  }
  if (removed.length > 0) parts.push('### Gone', '', ...edgeTable(worstFirst(removed)), '');
  if (findings.added.length > 0) parts.push('### New findings', '', ...findingTable(findings.added), '');
  if (findings.removed.length > 0) parts.push('### Findings gone', '', ...findingTable(findings.removed), '');
  return parts.join('\n');
}

function summaryOf({ summary }: AuditDiff): string {
  const { added, removed, changed, findingsAdded, findingsRemoved } = summary;
  if (added + removed + changed + findingsAdded + findingsRemoved === 0)
    return 'Nothing changes in where data goes.';
  return `Edges: ${added} new, ${changed} judged differently, ${removed} gone. Findings: ${findingsAdded} new, ${findingsRemoved} gone.`;
}
