/**
 * Tells the seconds that have passed since, to the millisecond. By a clock that is there: `performance` is a module, which
 * takes a millisecond to load.
 */
export function stopwatch(): () => number {
  const began = process.uptime();
  return () => Math.round((process.uptime() - began) * 1000) / 1000;
}
