import type { AuditResult, Edge, Finding, Place, Verdict } from '../model';
import { aligned, folded } from './columns';

/** Worst first: what has to be done stands on top. */
export const VERDICT_ORDER: readonly Verdict[] = [
  'impossible',
  'violation',
  'undetermined',
  'excepted',
  'allowed',
];

/** The result for people: for a terminal of a width, or with a line for each edge. */
export function tableOf(result: AuditResult, width?: number): string {
  const lines: string[] = [];
  const edges = worstFirst(result.edges);
  if (edges.length > 0) {
    const usual = width === undefined ? null : usualAccount(edges);
    if (usual !== null) lines.push(`account ${usual} where none is named`, '');
    const place = (of: Place) => placeText(of.account === usual ? { ...of, account: null } : of);
    const header = ['VERDICT', 'WHAT', 'FROM', 'TO', 'TEMPLATE', 'RESOURCE'];
    const rows = edges.map((edge) => [
      edge.verdict,
      edge.what,
      place(edge.from),
      place(edge.to),
      edge.template,
      edge.constructPath ?? edge.logicalId,
    ]);
    lines.push(...aligned([header, ...rows], width, 2), '');
  }
  const serious = edges.filter(({ verdict }) => verdict !== 'allowed');
  for (const edge of serious)
    lines.push(...paragraph(edge.verdict, `${edge.template}: ${edge.propertyPath}`, edge.message));
  for (const finding of result.findings) lines.push(...findingLines(finding));
  if (serious.length + result.findings.length > 0) lines.push('');
  lines.push(summaryLine(result));
  return textOf(lines, width);
}

/** Lines as a text that fits a terminal, if it is for one. */
export function textOf(lines: readonly string[], width = Number.POSITIVE_INFINITY): string {
  return `${lines.flatMap((line) => folded(printable(line), width)).join('\n')}\n`;
}

/** The account of most places, which need not be repeated where every place has one. */
function usualAccount(edges: readonly Edge[]): string | null {
  const counts = new Map<string, number>();
  for (const { account } of edges.flatMap(({ from, to }) => [from, to])) {
    if (account === null) return null;
    counts.set(account, (counts.get(account) ?? 0) + 1);
  }
  return [...counts].reduce((most, each) => (each[1] > most[1] ? each : most))[0];
}

export function worstFirst(edges: readonly Edge[]): readonly Edge[] {
  return VERDICT_ORDER.flatMap((verdict) => edges.filter((edge) => edge.verdict === verdict));
}

export function placeText({ region, account, regime, country }: Place): string {
  const name = country === undefined ? (region ?? 'unknown') : `${country}, outside AWS`;
  const where = account === null ? name : `${name} ${account}`;
  return regime === null ? where : `${where} (${regime})`;
}

export function summaryLine({ summary }: AuditResult): string {
  const counts = VERDICT_ORDER.filter((verdict) => summary[verdict] > 0).map(
    (verdict) => `${summary[verdict]} ${verdict}`,
  );
  const found = `${summary.edges} ${summary.edges === 1 ? 'edge' : 'edges'}`;
  const read = `${summary.templates} ${summary.templates === 1 ? 'template' : 'templates'}, ${summary.resources} resources`;
  return `${read}: ${found}${counts.length > 0 ? ` (${counts.join(', ')})` : ''}`;
}

function findingLines({ severity, rule, template, logicalId, message }: Finding): readonly string[] {
  const where = [template, logicalId].filter((part) => part !== null).join(': ');
  return paragraph(severity, where === '' ? rule : `${where} [${rule}]`, message);
}

const paragraph = (kind: string, where: string, message: string) => [`${kind}: ${where}`, `    ${message}`];

/** Names come from templates: nothing in them may steer the terminal. */
export function printable(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return line.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, '\uFFFD');
}
