import type { TransferException } from './transfer-exception';

const DAY = 24 * 3600 * 1000;

/** How long before its end an exception is announced as expiring. */
export const EXPIRY_NOTICE_DAYS = 90;

/** Midnight UTC of a `YYYY-MM-DD`; undefined when that is no date of the calendar. */
export function parseDay(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const time = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== text ? undefined : time;
}

/** Days that a `YYYY-MM-DD` still lasts: 0 on the day itself, negative afterwards. */
export function daysLeft(day: string, now: Date): number | undefined {
  const time = parseDay(day);
  return time === undefined ? undefined : Math.ceil((time + DAY - now.getTime()) / DAY) - 1;
}

export interface ExceptionReview {
  readonly errors: string[];
  readonly warnings: string[];
}

/** Everything that is wrong, or soon will be, with a declared exception. */
export function reviewException(exception: TransferException, now: Date): ExceptionReview {
  const { from, to, instrument, approvedBy, expires, what } = exception;
  const where = `transfer exception ${from.id} to ${to.id}`;
  const errors: string[] = [];
  const warnings: string[] = [];
  if (from.id === to.id) errors.push(`${where}: both ends are the same regime, so no exception is needed`);
  if (from.partition !== to.partition) {
    errors.push(
      `${where}: impossible, ${from.partition} and ${to.partition} are separate partitions between which nothing copies`,
    );
  }
  if (!instrument.trim()) errors.push(`${where}: instrument is empty, name the legal basis`);
  if (!approvedBy.trim()) errors.push(`${where}: approvedBy is empty, name who decided`);
  if (what?.length === 0)
    errors.push(`${where}: what is empty, name the cargo or leave it out for everything`);
  const left = daysLeft(expires, now);
  if (left === undefined) errors.push(`${where}: expires is '${expires}', write a day as YYYY-MM-DD`);
  else if (left < 0)
    errors.push(`${where}: expired on ${expires} (${instrument}); renew it or remove the copy`);
  else if (left <= EXPIRY_NOTICE_DAYS) {
    warnings.push(
      `${where}: expires on ${expires}, in ${left} days; renew it or plan the removal of the copy`,
    );
  }
  return { errors, warnings };
}
