import { feature } from 'topojson-client';
import land50 from 'world-atlas/land-50m.json';
import land110 from 'world-atlas/land-110m.json';
import { separation } from '../../lib/regime/distance.js';
import { findRegion } from '../../lib/regime/lookup.js';
import { count } from '../count.js';
import { html, type Markup, raw } from './html.js';
import { arc, DETAILS, draw, inside, type MapWindow, WORLD } from './map-geometry.js';
import { type Route, VERDICTS } from './verdicts.js';

type Point = readonly [number, number];

/** The class that colours a regime; the same everywhere in the report. */
export type RegimeColour = (regime: string | null) => string;

export interface MapRegion {
  readonly id: string;
  readonly regime: string | null;
  /** False: the regime would allow it, and nothing goes there. */
  readonly used: boolean;
}

function pointOf(region: string | null): Point | undefined {
  const record = region === null ? undefined : findRegion(region);
  if (record?.latitude === undefined || record.longitude === undefined) return undefined;
  return [record.longitude, record.latitude];
}

/** The world, and each part of it where an arrow would be too short to be seen, drawn without any library. */
export function maps(routes: readonly Route[], regions: readonly MapRegion[], colour: RegimeColour): Markup {
  const details = DETAILS.filter((window) => routes.some((route) => tooShortOnTheWorld(route, window)));
  const unplaced = routes.filter((route) => !pointOf(route.from) && !pointOf(route.to));
  const lost = unplaced.reduce((sum, route) => sum + route.edges.length, 0);
  return html`<div class="maps">
${figure(WORLD, routes, regions, colour, details)}
${details.length > 0 && html`<div class="details">${details.map((d) => figure(d, routes, regions, colour))}</div>`}
</div>
${
  lost > 0 &&
  html`<p class="note">${count(lost, 'edge')} cannot be drawn, because neither end has a known place on earth; they are in the tables.</p>`
}`;
}

function tooShortOnTheWorld(route: Route, window: MapWindow): boolean {
  const [from, to] = [pointOf(route.from), pointOf(route.to)];
  if (!from || !to || route.from === route.to || !inside(window, from) || !inside(window, to)) return false;
  return (separation(route.from!, route.to!)?.km ?? 0) < 3000;
}

function figure(
  window: MapWindow,
  routes: readonly Route[],
  regions: readonly MapRegion[],
  colour: RegimeColour,
  details: readonly MapWindow[] = [],
): Markup {
  const topology = window === WORLD ? land110 : land50;
  const shown = regions.filter(({ id }) => {
    const point = pointOf(id);
    return point !== undefined && (window === WORLD || inside(window, point));
  });
  const ids = new Set(shown.map(({ id }) => id));
  // A detail map shows what lies within it; what leaves it is an arrow on the map of the world.
  const arrows = routes.filter((route) =>
    window === WORLD ? true : (!route.from || ids.has(route.from)) && (!route.to || ids.has(route.to)),
  );
  const title = `map-${window.id}`;
  return html`<figure>
<div class="scroll" tabindex="0" role="region" aria-label="Map: ${window.title}">
<svg viewBox="0 0 ${window.width} ${window.height}" role="img" aria-labelledby="${title}-t ${title}-d">
<title id="${title}-t">Map: ${window.title}</title>
<desc id="${title}-d">${count(shown.length, 'region')}, ${count(arrows.length, 'route')}. The table of routes says the same in words.</desc>
<path class="land" d="${draw(window, feature(topology, topology.objects.land))}"/>
${heads(window)}
${[...arrows].reverse().map((route) => arrow(window, route))}
${dots(window, shown, colour, details)}
</svg>
</div>
<figcaption>${window.title}</figcaption>
</figure>`;
}

function heads(window: MapWindow): Markup {
  return html`<defs>${VERDICTS.map(
    (verdict) =>
      html`<marker id="head-${window.id}-${verdict}" viewBox="0 0 10 10" refX="8" refY="5" markerUnits="userSpaceOnUse" markerWidth="11" markerHeight="11" orient="auto"><path class="head ${verdict}" d="M0 0.8 L10 5 L0 9.2 L2.4 5 Z"/></marker>`,
  )}</defs>`;
}

function arrow(window: MapWindow, route: Route): Markup {
  const path = pathOf(window, route);
  if (!path) return html``;
  const width = (1.4 + Math.min(3, Math.log10(route.edges.length))).toFixed(1);
  const says = `${route.from ?? 'unknown place'} to ${route.to ?? route.edges[0]!.to.country ?? 'unknown place'}: ${count(route.edges.length, 'edge')}, ${route.verdict}`;
  return html`<path class="arrow ${route.verdict}" stroke-width="${width}" marker-end="url(#head-${window.id}-${route.verdict})" d="${path}"><title>${says}</title></path>${(!route.from || !route.to) && unknownEnd(window, route)}`;
}

function pathOf(window: MapWindow, route: Route): string | undefined {
  const [from, to] = [pointOf(route.from), pointOf(route.to)];
  if (from && to && route.from !== route.to) return draw(window, arc(window, from, to));
  const [x, y] = window.projection([...(from ?? to ?? [0, 0])] as [number, number]) ?? [0, 0];
  const at = (dx: number, dy: number) => `${(x + dx).toFixed(1)} ${(y + dy).toFixed(1)}`;
  // Within one region: to another account, or to the same vault.
  if (from && to) return `M${at(-4, -8)} C${at(-20, -32)} ${at(20, -32)} ${at(5, -9)}`;
  if (from) return `M${at(5, -8)} L${at(20, -32)}`;
  if (to) return `M${at(-20, -32)} L${at(-5, -8)}`;
  return undefined;
}

function unknownEnd(window: MapWindow, route: Route): Markup {
  const known = pointOf(route.from) ?? pointOf(route.to);
  if (!known) return html``;
  const [x, y] = window.projection([...known] as [number, number]) ?? [0, 0];
  const dx = route.from ? 25 : -25;
  return html`<text class="unknown" x="${(x + dx).toFixed(1)}" y="${(y - 37).toFixed(1)}">?</text>`;
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function dots(
  window: MapWindow,
  regions: readonly MapRegion[],
  colour: RegimeColour,
  details: readonly MapWindow[],
): Markup {
  const places = regions.map((region) => {
    const [x, y] = window.projection([...pointOf(region.id)!] as [number, number]) ?? [0, 0];
    return { ...region, x, y };
  });
  const taken: Box[] = places.map(({ x, y }) => ({ x: x - 6, y: y - 6, width: 12, height: 12 }));
  // Names of places in use are set first; one that would cover another is left out (the dot still has its title).
  // Places not in use are named where there is room: on the detail map, if there is one.
  const inOrder = places
    .filter(({ id, used }) => used || !details.some((detail) => inside(detail, pointOf(id)!)))
    .sort((a, b) => Number(b.used) - Number(a.used));
  const labels = inOrder.map((place) => label(window, place.id, place.x, place.y, place.used, taken));
  return html`${places.map(
    ({ id, regime, used, x, y }) =>
      html`<circle class="dot ${colour(regime)}${used ? '' : ' idle'}" cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${used ? 5 : 3.5}"><title>${id}: ${regime ?? 'no regime'}${used ? '' : ' (not used)'}</title></circle>`,
  )}${labels}`;
}

function label(window: MapWindow, id: string, x: number, y: number, used: boolean, taken: Box[]): Markup {
  const width = id.length * 6.6;
  for (const [dx, dy, anchor] of [
    [9, 4, 'start'],
    [-9, 4, 'end'],
    [0, -11, 'middle'],
    [0, 20, 'middle'],
  ] as const) {
    const left = x + dx - (anchor === 'end' ? width : anchor === 'middle' ? width / 2 : 0);
    const box = { x: left, y: y + dy - 11, width, height: 14 };
    if (left < 0 || left + width > window.width || box.y < 0 || taken.some((other) => overlap(box, other)))
      continue;
    taken.push(box);
    return html`<text class="place${used ? '' : ' idle'}" x="${(x + dx).toFixed(1)}" y="${(y + dy).toFixed(1)}" text-anchor="${anchor}">${id}</text>`;
  }
  return raw('');
}

function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
