import * as fc from 'fast-check';
import { objectiveProblems } from '../../dist/lib/objective/assessment';
import { longestGapMinutes } from '../../dist/lib/objective/cron';
import { worstCaseLoss } from '../../dist/lib/objective/worst-case';

test.each([
  ['cron(0 * ? * * *)', 60],
  ['cron(0 * * * ? *)', 60],
  ['cron(0 5 ? * * *)', 1440],
  ['cron(15,45 * * * ? *)', 30],
  ['cron(0 0/6 * * ? *)', 360],
  ['cron(0 5,17 ? * MON-FRI *)', 3600],
  ['cron(0 5 ? * SUN *)', 7 * 1440],
  ['cron(0 5 1 * ? *)', 31 * 1440],
  ['cron(0 5 L * ? *)', 31 * 1440],
  ['cron(0 5 ? * 6L *)', 35 * 1440],
  ['cron(0 5 ? * MON#1 *)', 35 * 1440],
  ['cron(0 5 15W * ? *)', 32 * 1440],
  ['cron(0 5 1 JAN ? *)', 366 * 1440],
  ['cron(0 5 29 2 ? *)', 1461 * 1440],
  ['cron(0 22-23 ? * * *)', 23 * 60],
  ['rate(12 hours)', 720],
])('%s leaves at most %i minutes between runs', (expression, minutes) => {
  expect(longestGapMinutes(expression)).toBe(minutes);
});

test.each([
  'cron(0 5 31 2 ? *)',
  'cron(0 5 * * *)',
  'cron(0 25 ? * * *)',
  'cron(0 5 ? * * 2027)',
  'cron(0 5 1 * MON *)',
  'cron(0 5 ? * ? *)',
  'cron(0 5-3 ? * * *)',
  'cron(0/0 5 ? * * *)',
  'at(2027-01-01T00:00:00)',
])('%s is refused', (expression) => {
  expect(() => longestGapMinutes(expression)).toThrow();
});

test('a daily schedule at any minutes and hours has the longest circular gap of the day', () => {
  const set = (max: number) => fc.uniqueArray(fc.integer({ min: 0, max }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(set(59), set(23), (minutes, hours) => {
      const times = hours
        .flatMap((hour) => minutes.map((minute) => hour * 60 + minute))
        .sort((a, b) => a - b);
      const gaps = times.map((time, i) => (times[i + 1] ?? times[0]! + 1440) - time);
      expect(longestGapMinutes(`cron(${minutes.join(',')} ${hours.join(',')} * * ? *)`)).toBe(
        Math.max(...gaps),
      );
    }),
    { numRuns: 50 },
  );
});

describe('worst case', () => {
  const hourly = {
    name: 'snapshots every 1 h',
    intervalMinutes: 60,
    startDelayMinutes: 60,
    startDelayReason: 'that a run may start late',
    completionMinutes: 0,
    retentionDays: 7,
  };
  test('hourly snapshots can lose two hours, not one', () => {
    expect(worstCaseLoss(hourly)).toEqual({
      minutes: 120,
      arithmetic: '1 h between runs + 1 h that a run may start late = 2 h',
    });
    expect(objectiveProblems('EC2', [hourly], { maxLossMinutes: 120, retentionDays: 7 })).toEqual([]);
    expect(objectiveProblems('EC2', [hourly], { maxLossMinutes: 119, retentionDays: 8 })).toHaveLength(2);
  });
  test('nothing backs up what has no layer', () => {
    expect(objectiveProblems('EFS', [], {})).toEqual(['EFS: nothing backs it up']);
  });
  test('another layer never makes it worse', () => {
    const layer = fc.record({
      name: fc.string(),
      intervalMinutes: fc.integer({ min: 1, max: 10_000 }),
      startDelayMinutes: fc.integer({ min: 0, max: 600 }),
      startDelayReason: fc.constant('late'),
      completionMinutes: fc.integer({ min: 0, max: 600 }),
      retentionDays: fc.option(fc.integer({ min: 1, max: 400 }), { nil: undefined }),
    });
    const objective = fc.record({ maxLossMinutes: fc.nat(12_000), retentionDays: fc.nat(400) });
    fc.assert(
      fc.property(fc.array(layer, { minLength: 1 }), layer, objective, (layers, more, wanted) => {
        const before = objectiveProblems('x', layers, wanted).length;
        expect(objectiveProblems('x', [...layers, more], wanted).length).toBeLessThanOrEqual(before);
      }),
    );
  });
});
