import { Cargo, PrivacyRegime, type TransferException } from 'cdk-sovereign-backup';
import * as fc from 'fast-check';
import { daysLeft, parseDay, reviewException } from '../../dist/lib/regime/exception-check';

const good: TransferException = {
  from: PrivacyRegime.UK,
  to: PrivacyRegime.EU,
  instrument: 'UK adequacy regulations, DPA 2018 Sch. 21',
  approvedBy: 'DPO',
  expires: '2027-06-30',
  what: [Cargo.BACKUP],
};
const on = (day: string) => new Date(`${day}T12:00:00Z`);

test('a good one passes', () => {
  expect(reviewException(good, on('2026-11-24'))).toEqual({ errors: [], warnings: [] });
});

test.each([
  ['2027-03-31', 0, 0],
  ['2027-04-01', 0, 1],
  ['2027-06-30', 0, 1],
  ['2027-07-01', 1, 0],
])('on %s there are %i errors and %i warnings', (day, errors, warnings) => {
  const review = reviewException(good, on(day));
  expect([review.errors.length, review.warnings.length]).toEqual([errors, warnings]);
});

test('the last second of the last day still counts', () => {
  expect(daysLeft('2027-06-30', new Date('2027-06-30T23:59:59.999Z'))).toBe(0);
  expect(daysLeft('2027-06-30', new Date('2027-07-01T00:00:00Z'))).toBe(-1);
});

test('several mistakes are told together', () => {
  const { errors } = reviewException(
    {
      from: PrivacyRegime.EU,
      to: PrivacyRegime.CN,
      instrument: ' ',
      approvedBy: '',
      expires: '30.06.2027',
      what: [],
    },
    on('2026-11-24'),
  );
  expect(errors).toHaveLength(5);
  expect(errors.join('\n')).toMatch(/impossible, aws and aws-cn/);
});

test('days of the calendar are read back, anything else is no day', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date('1970-01-01'), max: new Date('2200-01-01'), noInvalidDate: true }),
      (date) => {
        const day = date.toISOString().slice(0, 10);
        expect(new Date(parseDay(day)!).toISOString().slice(0, 10)).toBe(day);
      },
    ),
  );
  for (const text of ['2027-02-29', '2027-13-01', '2027-6-1', '', 'soon'])
    expect(parseDay(text)).toBeUndefined();
});
