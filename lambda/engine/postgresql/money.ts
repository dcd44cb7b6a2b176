/** Whether the database has values of the type `money`, as SQL. */
export const USES_MONEY = `(exists (select from pg_attribute where atttypid in ('money'::regtype, 'money[]'::regtype) and attrelid >= 16384)
  or exists (select from pg_type where typbasetype in ('money'::regtype, 'money[]'::regtype)))`;

/**
 * Such values are written as the session's `lc_monetary` has them, which no dump names: under another one they would be
 * refused, or be other sums. For the tools' sessions that write and read them.
 */
export const PLAIN_MONEY = '-c lc_monetary=C';

/** What an archive's tools have to be given for the sake of its sums; archives of earlier versions do not say. */
export function moneySettings({ plainMoney }: Readonly<Record<string, unknown>>): string {
  return plainMoney === true ? ` ${PLAIN_MONEY}` : '';
}
