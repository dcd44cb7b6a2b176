const UNITS: Readonly<Record<string, number>> = { m: 1, min: 1, h: 60, d: 1440, w: 10_080 };

/** What `minutesOf` takes, for messages. */
export const DURATION_FORM = 'a number and m, h, d or w, as in 90m, 2h or 7d';

/** Minutes of `90m`, `2h`, `7d`, `4w`; undefined for anything else. */
export function minutesOf(text: string): number | undefined {
  const match = /^(\d{1,6})\s?(m|min|h|d|w)$/.exec(text.trim());
  if (match === null || Number(match[1]) === 0) return undefined;
  return Number(match[1]) * UNITS[match[2]!]!;
}
