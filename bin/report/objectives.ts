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

/** What can be lost, how far back one can go, and where the copies are, with the reasons a click away. */
export function objectivesSection(result: ObjectivesResult): Markup {
  const rows = worstFirst(result.resources);
  if (rows.length === 0) {
    return html`<p class="empty">No backup plan, snapshot policy or database is in these templates.</p>`;
  }
  return html`<p>${objectivesSummary(result)}.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Objectives"><table class="objectives">
<caption class="unseen">Objectives of each protected resource, worst first</caption>
<thead><tr><th scope="col">Resource</th><th scope="col" class="number">Worst-case loss</th><th scope="col" class="number">Reach back</th><th scope="col" class="number">Copies</th><th scope="col" class="number">Furthest</th><th scope="col">Lock</th><th scope="col">Tested</th><th scope="col">3-2-1-1-0</th></tr></thead>
<tbody>${rows.map(row)}</tbody></table></div>
<p class="note">The worst case is a disaster just before the next recovery point is complete, late starts and slow runs included. Copies are vaults, accounts and regions; 3-2-1-1-0 stands for three copies, in two stores, one off-site, one immutable, none untested. What jobs and tests came to is in the account.</p>`;
}

function row(resource: ResourceResult): Markup {
  const { subject, region, account, copies, checklist } = resource;
  const kept = copies.length > 0;
  return html`<tr class="figures">
<td>${state(resource)} <b>${subject}</b> <span class="sub">${region ?? 'unknown region'}${account && html` ${account}`}</span></td>
<td class="number">${lossText(resource)}</td>
<td class="number">${reachText(resource)}</td>
<td class="number">${copies.length}</td>
<td class="number">${kept && distanceText(resource)}</td>
<td class="rule">${kept && resource.immutability}</td>
<td>${drillText(resource)}</td>
<td class="rule">${ruleText(checklist)}</td>
</tr>
<tr class="why"><td colspan="8">${resource.missed.map((sentence) => html`<p class="missed">${sentence}</p>`)}<dl>
${resource.undetermined.length > 0 && html`<dt>Undetermined</dt><dd>${resource.undetermined.join('; ')}</dd>`}${resource.exempt !== null && html`<dt>Exempt</dt><dd>${resource.exempt}</dd>`}${resource.layers.map(
  ({ name, loss }) => html`<dt>${name}</dt><dd>${loss.arithmetic}</dd>`,
)}${resource.lossWithoutRegion && html`<dt>Without the region</dt><dd>${span(resource.lossWithoutRegion.minutes)}: ${resource.lossWithoutRegion.arithmetic}</dd>`}${kept && html`<dt>Copies</dt><dd>${copies.map(copyText).join('; ')}</dd>`}${(
  kept ? checklist : []
).map(
  ({ item, ok, reason }) =>
    html`<dt>${item}</dt><dd><b>${ok === null ? 'unknown' : ok ? 'yes' : 'no'}</b>, ${reason}</dd>`,
)}</dl></td></tr>
`;
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
