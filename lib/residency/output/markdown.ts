import type { AuditResult, Edge, Finding } from '../model';
import { placeText, printable, summaryLine, worstFirst } from './table';

/** The result for a merge request or a wiki. */
export function markdownOf(result: AuditResult): string {
  const { violation, impossible, undetermined } = result.summary;
  const leaving = violation + impossible;
  const headline =
    leaving > 0
      ? `${leaving} of ${result.summary.edges} edges leave their regime`
      : undetermined > 0
        ? `No edge is known to leave its regime; ${undetermined} could not be determined`
        : 'Nothing leaves its regime';
  const parts = [`## Data residency: ${headline}`, '', summaryLine(result), ''];
  if (result.edges.length > 0) parts.push(...edgeTable(worstFirst(result.edges)), '');
  if (result.findings.length > 0) parts.push('### Findings', '', ...findingTable(result.findings), '');
  const { version, sha256 } = result.catalogue;
  parts.push(`Catalogue ${version}, SHA-256 \`${sha256}\`.`, '');
  return parts.join('\n');
}

export function edgeTable(edges: readonly Edge[]): readonly string[] {
  return [
    '| Verdict | What | From | To | Resource | Why |',
    '| --- | --- | --- | --- | --- | --- |',
    ...edges.map((edge) =>
      row([
        bold(edge),
        escaped(edge.what),
        escaped(placeText(edge.from)),
        escaped(placeText(edge.to)),
        `${code(edge.constructPath ?? edge.logicalId)} in ${code(edge.template)}`,
        escaped(edge.message),
      ]),
    ),
  ];
}

export function findingTable(findings: readonly Finding[]): readonly string[] {
  return [
    '| Severity | Finding | Where | Message |',
    '| --- | --- | --- | --- |',
    ...findings.map(({ severity, rule, template, logicalId, message }) =>
      row([
        severity,
        rule,
        [template, logicalId]
          .filter((part) => part !== null)
          .map(code)
          .join(' '),
        escaped(message),
      ]),
    ),
  ];
}

const bold = ({ verdict }: Edge) =>
  verdict === 'violation' || verdict === 'impossible' ? `**${verdict}**` : verdict;

/** Of cells that carry marks of our own already. */
const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

/** Names come from templates: nothing in them may become a link, an image or HTML, nor steer a terminal. */
const escaped = (text: string) =>
  printable(text.replace(/\s+/g, ' ')).replace(/[\\`*_[\]<>|~#@!&]/g, (mark) => `&#${mark.charCodeAt(0)};`);

/** Text between backquotes; a backquote or a bar in it would end it. */
function code(text: string): string {
  return `\`${printable(text.replace(/[`|\s*]+/g, ' ')) || ' '}\``;
}
