import { separation } from '../../lib/regime/distance.js';
import type { AuditResult, Edge, Finding } from '../../lib/residency/model.js';
import { count } from '../count.js';
import { ANNEX, BLIND_SPOTS } from './annex.js';
import { type ReportContext, type ReportRegime, regimeOf } from './context.js';
import { html, type Markup } from './html.js';
import type { RegimeColour } from './map.js';
import { table } from './table.js';
import { badge, findingsTable } from './tables.js';
import { compare } from './verdicts.js';

/** Findings that have a section of their own; everything else is under Findings. */
export const isKeyFinding = ({ rule }: Finding) => /(^|[-/.])(key|keys|kms)([-/.]|$)/.test(rule);
export const isNotAssessed = ({ rule }: Finding) =>
  rule.includes('not-assessed') || rule.includes('unassessed');

export function exceptions({ policy }: ReportContext, edges: readonly Edge[]): Markup {
  if (policy.exceptions.length === 0) return html`<p class="empty">None. Nothing may leave its regime.</p>`;
  return html`${table({
    label: 'Exceptions',
    caption: 'Transfer exceptions',
    columns: [
      { name: 'From' },
      { name: 'To' },
      { name: 'Instrument' },
      { name: 'What' },
      { name: 'Approved by' },
      { name: 'Expires', kind: 'date' },
      { name: 'Edges', kind: 'number' },
    ],
    rows: policy.exceptions.map((exception) => ({
      cells: [
        exception.from,
        exception.to,
        html`${exception.instrument}${exception.conditions && html`<span class="sub">${exception.conditions}</span>`}`,
        exception.what && exception.what.length > 0 ? exception.what.join(', ') : 'everything',
        exception.approvedBy,
        exception.expires,
        covered(exception, edges),
      ],
    })),
  })}
<p class="note">A lawful transfer is still a transfer: an exception has a direction, an instrument, somebody who approved it and a last day. Two regimes are never merged.</p>`;
}

function covered(exception: ReportContext['policy']['exceptions'][number], edges: readonly Edge[]): number {
  return edges.filter(
    ({ verdict, from, to, what }) =>
      verdict === 'excepted' &&
      from.regime === exception.from &&
      to.regime === exception.to &&
      (!exception.what || exception.what.length === 0 || exception.what.includes(what)),
  ).length;
}

export function soleRegions({ policy }: ReportContext): Markup {
  const entries = Object.entries(policy.soleRegion).sort(([a], [b]) => compare(a, b));
  if (entries.length === 0)
    return html`<p class="empty">No acceptance of a regime with a single region is recorded.</p>`;
  return table({
    label: 'Single regions',
    caption: 'Accepted single regions',
    columns: [
      { name: 'Regime' },
      { name: 'Accepted by' },
      { name: 'Review on', kind: 'date' },
      { name: 'Reason' },
    ],
    rows: entries.map(([regime, { acceptedBy, reviewOn, reason }]) => ({
      cells: [regime, acceptedBy, reviewOn, reason ?? 'none given'],
    })),
  });
}

/** What 200 km and 100 km mean is the BSI's; within the tolerance of the coordinates no figure decides. */
function judgement(km: number, tolerance: number): string {
  if (Math.abs(km - 100) < tolerance || Math.abs(km - 200) < tolerance)
    return `inconclusive: within ${tolerance} km of a threshold`;
  if (km < 100) return 'too close, under 100 km';
  return km < 200 ? 'close, under 200 km' : 'over 200 km';
}

export function distances(edges: readonly Edge[]): Markup {
  const pairs = new Map<string, [string, string]>();
  for (const { from, to } of edges) {
    if (from.region === null || to.region === null || from.region === to.region) continue;
    const [a, b] = [from.region, to.region].sort(compare) as [string, string];
    pairs.set(`${a} ${b}`, [a, b]);
  }
  if (pairs.size === 0) return html`<p class="empty">No edge joins two regions.</p>`;
  const rows = [...pairs.values()].sort(([a, b], [c, d]) => compare(a, c) || compare(b, d));
  return html`${table({
    label: 'Distances',
    caption: 'Distances between regions',
    columns: [
      { name: 'Regions' },
      { name: 'Distance', kind: 'number' },
      { name: 'Tolerance', kind: 'number' },
      { name: 'Separation' },
    ],
    rows: rows.map(([a, b]) => {
      const known = separation(a, b);
      return {
        cells: [
          `${a} and ${b}`,
          known ? `${known.km.toLocaleString('en-US')} km` : 'unknown',
          known && `± ${known.toleranceKm} km`,
          known ? judgement(known.km, known.toleranceKm) : 'cannot be known',
        ],
      };
    }),
  })}
<p class="note">Great circles between approximate places: AWS publishes no sites. Far apart does not mean safe from the same hazard.</p>`;
}

export function keys({ edges, findings }: AuditResult): Markup {
  const moving = edges.filter(({ what }) => what === 'key');
  const about = findings.filter(isKeyFinding);
  return html`${
    moving.length === 0
      ? html`<p class="empty">No key material moves to another region.</p>`
      : html`<ul class="plain">${moving.map(
          (edge) =>
            html`<li>${badge(edge.verdict)} ${edge.from.region ?? 'unknown place'} to ${edge.to.region ?? 'unknown place'}: ${edge.constructPath ?? edge.logicalId}<span class="sub">${edge.resourceType}, ${edge.propertyPath}</span></li>`,
        )}</ul>`
  }
${about.length > 0 && findingsTable(about, 'Findings about keys')}
<p class="note">A replica of a key opens, where it stands, every copy that was encrypted under it. That is why a key counts as data.</p>`;
}

export function regimes(result: AuditResult, context: ReportContext, colour: RegimeColour): Markup {
  const rows = regimesInUse(result, context);
  return table({
    label: 'Regimes',
    caption: 'Regimes in use',
    columns: [{ name: 'Regime' }, { name: 'Law' }, { name: 'Regions' }, { name: 'Defined by' }],
    rows: rows.map(({ id, name, law, regions, fromPolicy }) => ({
      cells: [
        html`<span class="regime"><i class="key ${colour(id)}"></i><b>${id}</b></span> <span class="sub">${name}</span>`,
        law ?? 'as the policy says',
        regions.join(', ') || 'none',
        fromPolicy ? 'policy file' : 'catalogue',
      ],
    })),
  });
}

export function regimesInUse({ edges }: AuditResult, { policy }: ReportContext): ReportRegime[] {
  const ids = new Set<string>(Object.keys(policy.regimes));
  for (const { from, to } of edges) for (const { regime } of [from, to]) if (regime !== null) ids.add(regime);
  for (const { from, to } of policy.exceptions) ids.add(from).add(to);
  return [...ids].sort(compare).map((id) => regimeOf(id, policy));
}

export function notAssessed({ findings }: AuditResult): Markup {
  const types = findings.filter(isNotAssessed);
  return html`${types.length > 0 && findingsTable(types, 'Not assessed in these inputs')}
<h3>In no template</h3>
<ul>${BLIND_SPOTS.map((line) => html`<li>${inCode(line)}</li>`)}</ul>`;
}

/** Our own sentences mark commands with backquotes. */
function inCode(line: string): Markup[] {
  return line.split('`').map((text, i) => (i % 2 === 1 ? html`<code>${text}</code>` : html`${text}`));
}

export function annex(): Markup {
  return html`<p>Each item <b>supports</b> the controls named beside it; whether a control is met is for the auditor to say. <b>Design</b> means shown by these templates, <b>operating</b> that only the account’s own records can show it, <b>inherited</b> that it is the cloud provider’s duty, <b>not assessed</b> that this report does not look at it.</p>
${table({
  label: 'Evidence annex',
  caption: 'Evidence and the controls it supports',
  kind: 'annex',
  columns: [
    { name: 'Evidence', kind: 'head' },
    { name: 'Kind' },
    { name: 'Supports' },
    { name: 'In this report' },
  ],
  rows: ANNEX.map(({ item, kind, supports, contribution }) => ({
    cells: [
      item,
      html`<span class="badge kind">${kind}</span>`,
      html`<ul class="controls">${supports.map((control) => html`<li>supports ${control}</li>`)}</ul>`,
      inCode(contribution),
    ],
  })),
})}
<p class="note">Control numbers help to find the clause. Check them against the edition you audit under. This is not legal advice.</p>`;
}

export function provenance(result: AuditResult, context: ReportContext): Markup {
  const { catalogue, inputs, summary } = result;
  return html`<dl class="facts">
<dt>Tool</dt><dd>sovereign-backup ${context.toolVersion}</dd>
<dt>Catalogue of regimes</dt><dd>version ${catalogue.version}, SHA-256 <code>${catalogue.sha256}</code></dd>
<dt>Policy</dt><dd>${context.policyFile ? html`${context.policyFile.path}, SHA-256 <code>${context.policyFile.sha256}</code>` : 'none: the catalogue alone'}</dd>
<dt>Exceptions judged as of</dt><dd>${context.asOf}</dd>
${context.generatedOn && html`<dt>Report dated</dt><dd>${context.generatedOn}</dd>`}
<dt>Read</dt><dd>${count(summary.templates, 'template')}, ${count(summary.resources, 'resource')}</dd>
</dl>
${table({
  label: 'Inputs',
  caption: 'Inputs',
  captionShown: true,
  columns: [{ name: 'File' }, { name: 'SHA-256' }],
  rows: inputs.map(({ path, sha256 }) => ({ cells: [path, html`<code class="hash">${sha256}</code>`] })),
})}
<p class="note">The same inputs, policy, catalogue and tool give this report again, byte for byte, when exceptions are judged as of the same day (<code>--now</code>).</p>`;
}
