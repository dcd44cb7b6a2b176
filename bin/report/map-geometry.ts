import {
  type GeoPermissibleObjects,
  type GeoProjection,
  geoAzimuthalEqualArea,
  geoNaturalEarth1,
  geoPath,
} from 'd3-geo';

type Point = readonly [longitude: number, latitude: number];
type Vector = readonly [number, number, number];

/** One drawing: the world, or the part of it in which regions lie too close together to be told apart. */
export interface MapWindow {
  readonly id: string;
  readonly title: string;
  readonly width: number;
  readonly height: number;
  readonly box: {
    readonly west: number;
    readonly east: number;
    readonly south: number;
    readonly north: number;
  };
  readonly projection: GeoProjection;
}

export const WORLD: MapWindow = view('world', 'World', 1100, 520, [-180, 180, -54, 76]);

export const DETAILS: readonly MapWindow[] = [
  view('europe', 'Europe', 540, 420, [-13, 31, 36, 63]),
  view('north-america', 'North America', 540, 420, [-128, -66, 26, 56]),
  view('middle-east', 'Middle East and India', 540, 420, [32, 84, 8, 36]),
  view('east-asia', 'East Asia', 540, 420, [98, 146, -9, 43]),
  view('oceania', 'Oceania', 540, 420, [112, 180, -47, -9]),
];

function view(
  id: string,
  title: string,
  width: number,
  height: number,
  [west, east, south, north]: [number, number, number, number],
): MapWindow {
  const world = id === 'world';
  // Turned by 11 degrees the world is cut through the Bering Strait and no land is split.
  const projection = world
    ? geoNaturalEarth1().rotate([-11, 0])
    : geoAzimuthalEqualArea().rotate([-(west + east) / 2, -(south + north) / 2]);
  const frame: GeoPermissibleObjects = {
    type: 'MultiPoint',
    coordinates: world
      ? [
          [-168.9, 0],
          [190.9, 0],
          [0, south],
          [0, north],
        ]
      : [
          [west, south],
          [east, south],
          [west, north],
          [east, north],
        ],
  };
  projection.fitExtent(
    [
      [4, 4],
      [width - 4, height - 4],
    ],
    frame,
  );
  projection.clipExtent([
    [0, 0],
    [width, height],
  ]);
  return { id, title, width, height, box: { west, east, south, north }, projection };
}

/** The path of a shape, with one decimal: more cannot be seen and only makes the file longer. */
export function draw(window: MapWindow, shape: GeoPermissibleObjects): string {
  return geoPath(window.projection).digits(1)(shape) ?? '';
}

export function inside({ box }: MapWindow, [longitude, latitude]: Point): boolean {
  return longitude > box.west && longitude < box.east && latitude > box.south && latitude < box.north;
}

/**
 * An arc between two places that swings a little to the right of the great circle, so that the way there and the way
 * back are two lines. It ends short of both places, which leaves room for the dot and the arrow's head.
 */
export function arc(window: MapWindow, from: Point, to: Point): GeoPermissibleObjects {
  const [a, b] = [vector(from), vector(to)];
  const angle = Math.acos(Math.min(1, Math.max(-1, dot(a, b))));
  const side = scaled(cross(a, b), 1 / (Math.sin(angle) || 1));
  // Half an edge's length is the most that is ever cut off, so that even neighbours keep an arrow between them.
  const gap = Math.min(0.3, 9 / (angle * window.projection.scale()));
  const steps = Math.max(12, Math.ceil(angle * 24));
  const line: [number, number][] = [];
  for (let step = 0; step <= steps; step++) {
    const t = gap + ((1 - 2 * gap) * step) / steps;
    const along = sum(
      scaled(a, Math.sin((1 - t) * angle) / Math.sin(angle)),
      scaled(b, Math.sin(t * angle) / Math.sin(angle)),
    );
    line.push(place(sum(along, scaled(side, -0.16 * Math.min(angle, 1.2) * Math.sin(Math.PI * t)))));
  }
  return { type: 'LineString', coordinates: line };
}

const radians = Math.PI / 180;

function vector([longitude, latitude]: Point): Vector {
  const level = Math.cos(latitude * radians);
  return [
    level * Math.cos(longitude * radians),
    level * Math.sin(longitude * radians),
    Math.sin(latitude * radians),
  ];
}

function place([x, y, z]: Vector): [number, number] {
  return [Math.atan2(y, x) / radians, Math.atan2(z, Math.hypot(x, y)) / radians];
}

const dot = (a: Vector, b: Vector) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const scaled = (a: Vector, k: number): Vector => [a[0] * k, a[1] * k, a[2] * k];
const sum = (a: Vector, b: Vector): Vector => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
