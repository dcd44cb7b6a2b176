import { createHash } from 'node:crypto';
import type { AuditResult, Verdict } from '../../lib/residency/model.js';
import { count } from '../count.js';
import type { ReportContext } from './context.js';
import { html, type Markup, raw } from './html.js';
import { type MapRegion, maps, type RegimeColour } from './map.js';
import { objectivesSection } from './objectives.js';
import css from './report.css';
import script from './report.script.txt';
import * as section from './sections.js';
import { edgesTable, findingsTable, legend, routesTable } from './tables.js';
import { routesOf, VERDICTS } from './verdicts.js';

export type { ReportContext } from './context.js';

/**
 * The audit as one HTML file that needs nothing else: no network, no library, no fonts. The page's own policy forbids
 * every request, so that a name in a template cannot make the reader's browser fetch anything.
 */
export function htmlReport(result: AuditResult, context: ReportContext): string {
  const routes = routesOf(result.edges);
  const regimes = section.regimesInUse(result, context);
  const colours = new Map(regimes.map(({ id }, i) => [id, `c${i % 10}`]));
  const colour: RegimeColour = (regime) => (regime === null ? 'c-none' : (colours.get(regime) ?? 'c-none'));
  const regions = regionsOf(result, regimes);
  const others = result.findings.filter((f) => !section.isKeyFinding(f) && !section.isNotAssessed(f));

  const sections: [id: string, title: string, content: Markup][] = [
    [
      'map',
      'Map',
      html`${maps(routes, regions, colour)}${legend(result.edges)}${regimeLegend(regimes, colour)}`,
    ],
    ['routes', 'Routes', routesTable(routes, colour)],
    ['edges', 'Edges', edgesTable(result.edges, colour)],
    [
      'findings',
      'Findings',
      others.length > 0
        ? findingsTable(others, 'Findings')
        : html`<p class="empty">None beyond those under Edges, Keys and Not assessed.</p>`,
    ],
    ...(context.objectives
      ? [['objectives', 'Objectives', objectivesSection(context.objectives)] as [string, string, Markup]]
      : []),
    ['exceptions', 'Exceptions', section.exceptions(context, result.edges)],
    ['single-regions', 'Single regions', section.soleRegions(context)],
    ['distances', 'Distances', section.distances(result.edges)],
    ['keys', 'Keys', section.keys(result)],
    ['regimes', 'Regimes', section.regimes(result, context, colour)],
    ['not-assessed', 'Not assessed', section.notAssessed(result)],
    ['annex', 'Evidence annex', section.annex()],
    ['provenance', 'Provenance', section.provenance(result, context)],
  ];
  return page(result, sections).text;
}

function page(result: AuditResult, sections: readonly [string, string, Markup][]): Markup {
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const csp = `default-src 'none'; style-src ${hash(css)}; script-src ${hash(script)}; base-uri 'none'; form-action 'none'`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${raw(csp)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>Data residency report</title>
<style>${raw(css)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the report</a>
<header>
<p class="kind-of-page">Data residency report</p>
${headline(result)}
<nav aria-label="Sections"><ol>${sections.map(([id, title]) => html`<li><a href="#${id}">${title}</a></li>`)}</ol></nav>
</header>
<main id="main">
${sections.map(
  ([id, title, content]) => html`<section id="${id}" aria-labelledby="${id}-h">
<h2 id="${id}-h">${title}</h2>
${content}
</section>
`,
)}</main>
<script>${raw(script)}</script>
</body>
</html>
`;
}

function headline({ summary, edges }: AuditResult): Markup {
  const leaving = summary.violation + summary.impossible;
  const level = leaving > 0 ? 'violation' : summary.undetermined > 0 ? 'undetermined' : 'allowed';
  const sentence =
    leaving > 0
      ? `${count(leaving, 'edge')} of ${edges.length.toLocaleString('en-US')} ${leaving === 1 ? 'leaves its regime' : 'leave their regime'}`
      : summary.undetermined > 0
        ? `No edge is known to leave its regime, but ${count(summary.undetermined, 'place')} could not be resolved`
        : summary.edges === 0
          ? 'Nothing was found that moves'
          : summary.excepted > 0
            ? 'Nothing leaves its regime except by a recorded exception'
            : 'Nothing leaves its regime';
  return html`<h1 class="${level}">${sentence}</h1>
<ul class="tiles">${VERDICTS.map(
    (verdict: Verdict) => html`<li><b>${summary[verdict].toLocaleString('en-US')}</b> ${verdict}</li>`,
  )}</ul>
<p class="caveat">Read from ${count(summary.templates, 'template')} with ${count(summary.resources, 'resource')}. An <i>edge</i> is one way by which data, or a key that opens data, gets from one place to another. Templates are evidence of <b>design</b>; that it also <b>operates</b> so is shown by the account’s own records. See <a href="#not-assessed">what was not assessed</a>.</p>`;
}

function regionsOf(
  result: AuditResult,
  regimes: readonly { id: string; regions: readonly string[] }[],
): MapRegion[] {
  const regions = new Map<string, MapRegion>();
  const usedRegimes = new Set<string>();
  for (const { from, to } of result.edges) {
    for (const { region, regime } of [from, to]) {
      if (regime !== null) usedRegimes.add(regime);
      if (region !== null) regions.set(region, { id: region, regime, used: true });
    }
  }
  for (const { id, regions: members } of regimes) {
    if (!usedRegimes.has(id)) continue;
    for (const member of members) {
      if (!regions.has(member)) regions.set(member, { id: member, regime: id, used: false });
    }
  }
  return [...regions.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function regimeLegend(regimes: readonly { id: string; name: string | null }[], colour: RegimeColour): Markup {
  return html`<ul class="legend">${regimes.map(
    ({ id, name }) => html`<li><i class="key ${colour(id)}"></i> <b>${id}</b>${name && html` ${name}`}</li>`,
  )}${regimes.length > 0 && html`<li><i class="key hollow"></i> allowed by the regime, not used</li>`}</ul>`;
}
