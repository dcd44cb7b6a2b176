import { separation } from '../../lib/regime/distance.js';
import type { AuditResult, Edge, Finding } from '../../lib/residency/model.js';
import { count } from '../count.js';
import { ANNEX, BLIND_SPOTS } from './annex.js';
import { type ReportContext, type ReportRegime, regimeOf } from './context.js';
import { html, type Markup } from './html.js';
import type { RegimeColour } from './map.js';
import { badge, findingsTable } from './tables.js';
import { compare } from './verdicts.js';

/** Findings that have a section of their own; everything else is under Findings. */
export const isKeyFinding = ({ rule }: Finding) => /(^|[-/.])(key|keys|kms)([-/.]|$)/.test(rule);
export const isNotAssessed = ({ rule }: Finding) =>
  rule.includes('not-assessed') || rule.includes('unassessed');

export function exceptions({ policy }: ReportContext, edges: readonly Edge[]): Markup {
  if (policy.exceptions.length === 0) return html`<p class="empty">None. Nothing may leave its regime.</p>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Exceptions"><table>
<caption class="unseen">Transfer exceptions</caption>
<thead><tr><th scope="col">From</th><th scope="col">To</th><th scope="col">Instrument</th><th scope="col">What</th><th scope="col">Approved by</th><th scope="col">Expires</th><th scope="col" class="number">Edges</th></tr></thead>
<tbody>${policy.exceptions.map(
    (exception) => html`<tr>
<td>${exception.from}</td><td>${exception.to}</td>
<td>${exception.instrument}${exception.conditions && html`<span class="sub">${exception.conditions}</span>`}</td>
<td>${exception.what && exception.what.length > 0 ? exception.what.join(', ') : 'everything'}</td>
<td>${exception.approvedBy}</td><td class="date">${exception.expires}</td>
<td class="number">${covered(exception, edges)}</td>
</tr>
`,
  )}</tbody></table></div>
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
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Single regions"><table>
<caption class="unseen">Accepted single regions</caption>
<thead><tr><th scope="col">Regime</th><th scope="col">Accepted by</th><th scope="col">Review on</th><th scope="col">Reason</th></tr></thead>
<tbody>${entries.map(
    ([regime, { acceptedBy, reviewOn, reason }]) =>
      html`<tr><td>${regime}</td><td>${acceptedBy}</td><td class="date">${reviewOn}</td><td>${reason ?? 'none given'}</td></tr>
`,
  )}</tbody></table></div>`;
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
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Distances"><table>
<caption class="unseen">Distances between regions</caption>
<thead><tr><th scope="col">Regions</th><th scope="col" class="number">Distance</th><th scope="col" class="number">Tolerance</th><th scope="col">Separation</th></tr></thead>
<tbody>${rows.map(([a, b]) => {
    const known = separation(a, b);
    return html`<tr><td>${a} and ${b}</td><td class="number">${known ? `${known.km.toLocaleString('en-US')} km` : 'unknown'}</td><td class="number">${known && `± ${known.toleranceKm} km`}</td><td>${known ? judgement(known.km, known.toleranceKm) : 'cannot be known'}</td></tr>
`;
  })}</tbody></table></div>
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
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Regimes"><table>
<caption class="unseen">Regimes in use</caption>
<thead><tr><th scope="col">Regime</th><th scope="col">Law</th><th scope="col">Regions</th><th scope="col">Defined by</th></tr></thead>
<tbody>${rows.map(
    ({ id, name, law, regions, fromPolicy }) =>
      html`<tr><td><span class="regime"><i class="key ${colour(id)}"></i><b>${id}</b></span><span class="sub">${name}</span></td><td>${law ?? 'as the policy says'}</td><td>${regions.join(', ') || 'none'}</td><td>${fromPolicy ? 'policy file' : 'catalogue'}</td></tr>
`,
  )}</tbody></table></div>`;
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
<div class="scroll" tabindex="0" role="region" aria-label="Evidence annex"><table class="annex">
<caption class="unseen">Evidence and the controls it supports</caption>
<thead><tr><th scope="col">Evidence</th><th scope="col">Kind</th><th scope="col">Supports</th><th scope="col">In this report</th></tr></thead>
<tbody>${ANNEX.map(
    ({ item, kind, supports, contribution }) =>
      html`<tr><th scope="row">${item}</th><td><span class="badge kind">${kind}</span></td><td><ul class="controls">${supports.map((control) => html`<li>supports ${control}</li>`)}</ul></td><td>${inCode(contribution)}</td></tr>
`,
  )}</tbody></table></div>
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
<div class="scroll" tabindex="0" role="region" aria-label="Inputs"><table>
<caption>Inputs</caption>
<thead><tr><th scope="col">File</th><th scope="col">SHA-256</th></tr></thead>
<tbody>${inputs.map(
    ({ path, sha256 }) => html`<tr><td>${path}</td><td><code class="hash">${sha256}</code></td></tr>
`,
  )}</tbody></table></div>
<p class="note">The same inputs, policy, catalogue and tool give this report again, byte for byte, when exceptions are judged as of the same day (<code>--now</code>).</p>`;
}
