import { separation } from '../../lib/regime/distance.js';
import type { Edge, Finding, Place, Severity, Verdict } from '../../lib/residency/model.js';
import { count } from '../count.js';
import { html, type Markup } from './html.js';
import type { RegimeColour } from './map.js';
import { table } from './table.js';
import { compare, MEANING, type Route, VERDICTS } from './verdicts.js';

export function badge(verdict: Verdict): Markup {
  return html`<span class="badge ${verdict}">${verdict}</span>`;
}

function place({ region, account, regime, partition, country }: Place, colour: RegimeColour): Markup {
  // The partition is worth its space only where it is not the one that everybody means.
  const elsewhere = partition !== null && partition !== 'aws' ? partition : null;
  const beyond = country === undefined ? elsewhere : 'outside AWS';
  return html`<span class="region">${country ?? region ?? 'unknown place'}</span> <span class="regime"><i class="key ${colour(regime)}"></i>${regime ?? 'no regime'}</span>${beyond && html` <span class="sub">${beyond}</span>`}${account && html` <span class="sub">${account}</span>`}`;
}

function kilometres(from: string | null, to: string | null): number | undefined {
  return from !== null && to !== null && from !== to ? separation(from, to)?.km : undefined;
}

function distanceText(from: string | null, to: string | null): string {
  if (from !== null && from === to) return 'same region';
  const km = kilometres(from, to);
  return km === undefined ? 'unknown' : `${km.toLocaleString('en-US')} km`;
}

export function routesTable(routes: readonly Route[], colour: RegimeColour): Markup {
  if (routes.length === 0) return html`<p class="empty">No edge was found: nothing in the inputs moves.</p>`;
  return table({
    label: 'Routes',
    caption: 'Every way from one place to another, worst first',
    captionShown: true,
    columns: [
      { name: 'Verdict' },
      { name: 'From' },
      { name: 'To' },
      { name: 'What' },
      { name: 'Distance', kind: 'number' },
      { name: 'Edges', kind: 'number' },
    ],
    rows: routes.map((route) => ({
      cells: [
        badge(route.verdict),
        place({ region: route.from, account: null, partition: null, regime: route.fromRegime }, colour),
        place({ ...route.edges[0]!.to, account: null, partition: null }, colour),
        [...new Set(route.edges.map(({ what }) => what))].sort(compare).join(', '),
        distanceText(route.from, route.to),
        route.edges.length.toLocaleString('en-US'),
      ],
    })),
  });
}

const COLUMNS: readonly { readonly name: string; readonly kind: 'text' | 'number' }[] = [
  { name: 'Verdict', kind: 'number' },
  { name: 'What', kind: 'text' },
  { name: 'From', kind: 'text' },
  { name: 'To', kind: 'text' },
  { name: 'Distance', kind: 'number' },
  { name: 'Where it is declared, and why the verdict', kind: 'text' },
];

export function edgesTable(edges: readonly Edge[], colour: RegimeColour): Markup {
  if (edges.length === 0) return html`<p class="empty">No edge was found.</p>`;
  const sorted = edges
    .map((edge, index) => ({ edge, index }))
    .sort((a, b) => VERDICTS.indexOf(a.edge.verdict) - VERDICTS.indexOf(b.edge.verdict) || a.index - b.index);
  return html`${filters(edges)}
<div class="scroll" tabindex="0" role="region" aria-label="Edges"><table class="edges" id="edges-table">
<caption class="unseen">Edges; the buttons in the head sort</caption>
<thead><tr>${COLUMNS.map(
    ({ name, kind }, i) =>
      html`<th scope="col"${i === 0 && html` aria-sort="ascending"`}><button type="button" data-sort="${kind}">${name}</button></th>`,
  )}</tr></thead>
<tbody>
${sorted.map(({ edge }) => edgeRow(edge, colour))}</tbody></table></div>
<p class="empty" id="no-match" hidden>No edge matches the filter.</p>`;
}

function edgeRow(edge: Edge, colour: RegimeColour): Markup {
  const km = kilometres(edge.from.region, edge.to.region);
  return html`<tr data-verdict="${edge.verdict}" data-what="${edge.what}">
<td data-value="${VERDICTS.indexOf(edge.verdict)}">${badge(edge.verdict)}</td>
<td class="what">${edge.what}</td>
<td>${place(edge.from, colour)}</td>
<td>${place(edge.to, colour)}</td>
<td data-value="${km ?? -1}" class="number">${distanceText(edge.from.region, edge.to.region)}</td>
<td class="where"><p>${edge.message}</p>${locus(edge)}</td>
</tr>
`;
}

function locus(edge: Edge): Markup {
  return html`<dl><dt>Resource</dt><dd>${edge.constructPath ?? edge.logicalId} <span class="sub">${edge.resourceType}</span></dd><dt>Property</dt><dd><code>${edge.propertyPath}</code></dd><dt>Template</dt><dd>${edge.template}${edge.stack && html` <span class="sub">stack ${edge.stack}</span>`} <span class="sub">${edge.logicalId}</span></dd><dt>Rule</dt><dd><code>${edge.rule}</code></dd></dl>`;
}

/** Worked by the script only; without it the whole table is shown and the controls are not. */
function filters(edges: readonly Edge[]): Markup {
  const verdicts = VERDICTS.filter((verdict) => edges.some((edge) => edge.verdict === verdict));
  const cargo = [...new Set(edges.map(({ what }) => what))].sort(compare);
  return html`<form id="filter" class="filters" hidden>
<label class="grow">Search <input type="search" id="filter-text" placeholder="region, account, construct, property, rule" autocomplete="off" spellcheck="false"></label>
<label>What <select id="filter-what"><option value="">everything</option>${cargo.map((what) => html`<option>${what}</option>`)}</select></label>
<fieldset><legend>Verdicts</legend>${verdicts.map(
    (verdict) =>
      html`<label class="check"><input type="checkbox" name="verdict" value="${verdict}" checked> ${verdict}</label>`,
  )}</fieldset>
<output id="filter-count" for="filter-text filter-what" aria-live="polite">${count(edges.length, 'edge')}</output>
</form>`;
}

export function legend(edges: readonly Edge[]): Markup {
  return html`<ul class="legend">${VERDICTS.filter((verdict) =>
    edges.some((edge) => edge.verdict === verdict),
  ).map(
    (verdict) =>
      html`<li><svg viewBox="0 0 34 10" width="34" height="10" aria-hidden="true"><path class="arrow ${verdict}" stroke-width="2.4" d="M1 5 H33"/></svg> <b>${verdict}</b>, ${MEANING[verdict]}</li>`,
  )}</ul>`;
}

const SEVERITIES: readonly Severity[] = ['error', 'warning', 'note'];

export function findingsTable(findings: readonly Finding[], caption: string): Markup {
  const sorted = SEVERITIES.flatMap((severity) => findings.filter((f) => f.severity === severity));
  return table({
    label: caption,
    caption,
    kind: 'findings',
    columns: [{ name: 'Severity' }, { name: 'Finding' }, { name: 'Where' }],
    rows: sorted.map(({ severity, message, rule, logicalId, template }) => ({
      cells: [
        html`<span class="badge ${severity}">${severity}</span>`,
        html`${message}<span class="sub"><code>${rule}</code></span>`,
        html`${logicalId ?? (template ? '' : 'the whole audit')}${template && html`<span class="sub">${template}</span>`}`,
      ],
    })),
  });
}
