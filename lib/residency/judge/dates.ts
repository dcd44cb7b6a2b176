const DAY_MS = 86_400_000;

/** The day of a moment in UTC, as YYYY-MM-DD: days written so compare as text. */
export function isoDay(moment: Date): string {
  return moment.toISOString().slice(0, 10);
}

/** Whole days from a moment's day to a day written YYYY-MM-DD; negative for one that is past. */
export function daysUntil(day: string, moment: Date): number {
  return Math.round((Date.parse(`${day}T00:00:00Z`) - Date.parse(`${isoDay(moment)}T00:00:00Z`)) / DAY_MS);
}

/** A day that exists, written YYYY-MM-DD. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().slice(0, 10) === text;
}
