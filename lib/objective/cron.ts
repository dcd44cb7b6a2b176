/**
 * AWS cron expressions, `cron(minutes hours day-of-month month day-of-week year)`, as far as the longest wait between
 * two runs goes. @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 */

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** The calendar repeats itself after 28 years (2001 to 2099), so this sees every gap that there is. */
const FIRST_YEAR = 2025;
const YEARS = 28;
const DAY_MS = 24 * 3600 * 1000;

/** The same few schedules are asked for again and again, and each takes a walk through 28 years. */
const known = new Map<string, number>();

/** Longest time in minutes between two runs; an Error says what cannot be read. */
export function longestGapMinutes(expression: string): number {
  if (expression.includes('${')) throw new Error('it is known only at deployment, write it out');
  let gap = known.get(expression);
  if (gap === undefined) {
    gap = measuredGap(expression);
    if (known.size < 1000) known.set(expression, gap);
  }
  return gap;
}

function measuredGap(expression: string): number {
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression.trim());
  if (rate) return Number(rate[1]) * { minute: 1, hour: 60, day: 1440 }[rate[2] as 'minute' | 'hour' | 'day'];
  const fields = (/^cron\((.*)\)$/.exec(expression.trim())?.[1] ?? '').trim().split(/\s+/);
  if (fields.length !== 6) throw new Error(`'${expression}' is not cron() of six fields, nor rate()`);
  const [minuteField = '', hourField = '', dayField = '', monthField = '', weekdayField = '', yearField] =
    fields;
  if (yearField !== '*')
    throw new Error(`'${expression}' ends with its years, and then nothing is backed up`);
  const minutes = values(minuteField, 0, 59);
  const hours = values(hourField, 0, 23);
  const times = hours.flatMap((hour) => minutes.map((minute) => hour * 60 + minute)).sort((a, b) => a - b);
  if (times.length === 0) throw new Error(`'${expression}' never runs`);
  const months = new Set(values(monthField, 1, 12, MONTHS));
  const onDay = dayMatcher(dayField, weekdayField);

  let longest = 0;
  for (let i = 1; i < times.length; i++) longest = Math.max(longest, times[i]! - times[i - 1]!);
  let previous: number | undefined;
  const end = Date.UTC(FIRST_YEAR + YEARS, 0, 1);
  for (let day = Date.UTC(FIRST_YEAR, 0, 1); day < end; day += DAY_MS) {
    const date = new Date(day);
    if (!months.has(date.getUTCMonth() + 1) || !onDay(date)) continue;
    if (previous !== undefined) {
      const nights = (day - previous) / DAY_MS;
      longest = Math.max(longest, nights * 1440 + times[0]! - times[times.length - 1]!);
    }
    previous = day;
  }
  if (longest === 0) throw new Error(`'${expression}' never runs twice`);
  return longest;
}

/** `*`, `?`, `5`, `1-5`, `0/15`, `10-20/5`, every third from any start, and lists of them, in numbers or names. */
function values(field: string, low: number, high: number, names: readonly string[] = []): number[] {
  const read = (text: string): number => {
    const named = names.indexOf(text.toUpperCase());
    const number = named >= 0 ? named + low : /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(number >= low && number <= high)) throw new Error(`'${text}' is not between ${low} and ${high}`);
    return number;
  };
  const found = new Set<number>();
  for (const part of field.split(',')) {
    const [range = '', stepText] = part.split('/');
    const step = stepText === undefined ? 1 : Number(stepText);
    if (!Number.isInteger(step) || step < 1) throw new Error(`'${part}' has no step that can be read`);
    const open = range === '*' || range === '?';
    const [from = '', to] = range.split('-');
    const first = open ? low : read(from);
    const last = open || (to === undefined && stepText !== undefined) ? high : read(to ?? from);
    if (last < first) throw new Error(`'${part}' ends before it begins`);
    for (let value = first; value <= last; value += step) found.add(value);
  }
  return [...found].sort((a, b) => a - b);
}

function dayMatcher(dayField: string, weekdayField: string): (date: Date) => boolean {
  const anyDay = dayField === '?' || dayField === '*';
  if (weekdayField === '?' && dayField === '?')
    throw new Error('day-of-month and day-of-week cannot both be ?');
  if (weekdayField === '?' || weekdayField === '*') return anyDay ? () => true : dayOfMonth(dayField);
  if (!anyDay) throw new Error('one of day-of-month and day-of-week must be ?');
  return dayOfWeek(weekdayField);
}

const lastDayOf = (date: Date) =>
  new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();

function dayOfMonth(field: string): (date: Date) => boolean {
  if (field === 'L') return (date) => date.getUTCDate() === lastDayOf(date);
  const nearest = /^(\d{1,2})W$/.exec(field);
  if (nearest) return (date) => date.getUTCDate() === workdayNear(date, Number(nearest[1]));
  const days = new Set(values(field, 1, 31));
  return (date) => days.has(date.getUTCDate());
}

/** The workday nearest to a day, within the month: Saturday goes back, Sunday goes on. */
function workdayNear(date: Date, day: number): number {
  const last = lastDayOf(date);
  const wanted = Math.min(day, last);
  const weekday = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), wanted)).getUTCDay();
  if (weekday === 6) return wanted > 1 ? wanted - 1 : wanted + 2;
  if (weekday === 0) return wanted < last ? wanted + 1 : wanted - 2;
  return wanted;
}

function dayOfWeek(field: string): (date: Date) => boolean {
  const special = /^(\w+?)(?:#([1-5])|(L))$/.exec(field);
  if (special && field !== 'L') {
    const [weekday] = values(special[1]!, 1, 7, WEEKDAYS);
    return (date) => {
      if (date.getUTCDay() + 1 !== weekday) return false;
      if (special[3]) return date.getUTCDate() + 7 > lastDayOf(date);
      return Math.ceil(date.getUTCDate() / 7) === Number(special[2]);
    };
  }
  const days = new Set(field === 'L' ? [7] : values(field, 1, 7, WEEKDAYS));
  return (date) => days.has(date.getUTCDay() + 1);
}
