import {
  distanceText,
  drillText,
  lossText,
  objectivesSummary,
  reachText,
  ruleText,
  worstFirst,
} from '../../lib/objective/output/table.js';
import type { ObjectivesResult, ResourceResult } from '../../lib/objective/templates/model.js';
import { span } from '../../lib/objective/worst-case.js';
import { html, type Markup } from './html.js';
import { type Row, table } from './table.js';

/** What can be lost, how far back one can go, and where the copies are, with the reasons a click away. */
export function objectivesSection(result: ObjectivesResult): Markup {
  const rows = worstFirst(result.resources);
  if (rows.length === 0) {
    return html`<p class="empty">No backup plan, snapshot policy or database is in these templates.</p>`;
  }
  return html`<p>${objectivesSummary(result)}.</p>
${table({
  label: 'Objectives',
  caption: 'Objectives of each protected resource, worst first',
  kind: 'objectives',
  columns: [
    { name: 'Resource' },
    { name: 'Worst-case loss', kind: 'number' },
    { name: 'Reach back', kind: 'number' },
    { name: 'Copies', kind: 'number' },
    { name: 'Furthest', kind: 'number' },
    { name: 'Lock', kind: 'rule' },
    { name: 'Tested' },
    { name: '3-2-1-1-0', kind: 'rule' },
  ],
  rows: rows.map(row),
})}
<p class="note">The worst case is a disaster just before the next recovery point is complete, late starts and slow runs included. Copies are vaults, accounts and regions; 3-2-1-1-0 stands for three copies, in two stores, one off-site, one immutable, none untested. What jobs and tests came to is in the account.</p>`;
}

function row(resource: ResourceResult): Row {
  const { subject, region, account, copies, checklist } = resource;
  const kept = copies.length > 0;
  return {
    cells: [
      html`${state(resource)} <b>${subject}</b> <span class="sub">${region ?? 'unknown region'}${account && html` ${account}`}</span>`,
      lossText(resource),
      reachText(resource),
      copies.length,
      kept && distanceText(resource),
      kept && resource.immutability,
      drillText(resource),
      ruleText(checklist),
    ],
    more: html`${resource.missed.map((sentence) => html`<p class="missed">${sentence}</p>`)}<dl>
${resource.undetermined.length > 0 && html`<dt>Undetermined</dt><dd>${resource.undetermined.join('; ')}</dd>`}${resource.exempt !== null && html`<dt>Exempt</dt><dd>${resource.exempt}</dd>`}${resource.layers.map(
  ({ name, loss }) => html`<dt>${name}</dt><dd>${loss.arithmetic}</dd>`,
)}${resource.lossWithoutRegion && html`<dt>Without the region</dt><dd>${span(resource.lossWithoutRegion.minutes)}: ${resource.lossWithoutRegion.arithmetic}</dd>`}${kept && html`<dt>Copies</dt><dd>${copies.map(copyText).join('; ')}</dd>`}${(
  kept ? checklist : []
).map(
  ({ item, ok, reason }) =>
    html`<dt>${item}</dt><dd><b>${ok === null ? 'unknown' : ok ? 'yes' : 'no'}</b>, ${reason}</dd>`,
)}</dl>`,
  };
}

function copyText({ kind, name, region, account, retentionDays }: ResourceResult['copies'][number]): string {
  const place = [region ?? 'unknown region', account].filter(Boolean).join(' ');
  return `${name ?? kind} in ${place} for ${retentionDays === undefined ? 'ever' : `${retentionDays} days`}`;
}

function state({ missed, layers, undetermined, exempt, objective }: ResourceResult): Markup {
  if (missed.length > 0) return html`<span class="badge violation">missed</span>`;
  if (exempt !== null) return html`<span class="badge kind">exempt</span>`;
  if (layers.length + undetermined.length === 0)
    return html`<span class="badge undetermined">no backup</span>`;
  if (undetermined.length > 0) return html`<span class="badge undetermined">undetermined</span>`;
  return objective === null
    ? html`<span class="badge kind">no objective</span>`
    : html`<span class="badge allowed">met</span>`;
}
