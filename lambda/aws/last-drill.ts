/** Written by the report of a drill in which every tenant of the sample was restored. */
export const LAST_DRILL = 'runs/last-drill.json';
