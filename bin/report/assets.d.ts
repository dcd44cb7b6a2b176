declare module '*.css' {
  const text: string;
  export default text;
}
declare module '*.txt' {
  const text: string;
  export default text;
}
declare module 'world-atlas/land-110m.json' {
  const topology: import('topojson-specification').Topology<{
    land: import('topojson-specification').GeometryCollection;
  }>;
  export default topology;
}
declare module 'world-atlas/land-50m.json' {
  const topology: import('topojson-specification').Topology<{
    land: import('topojson-specification').GeometryCollection;
  }>;
  export default topology;
}
