/** `1 edge`, `2 edges`. */
export function count(n: number, noun: string, plural = `${noun}s`): string {
  // Loading the locale takes ten milliseconds, which no small number needs.
  return `${n < 1000 ? n : n.toLocaleString('en-US')} ${n === 1 ? noun : plural}`;
}
