import fc from 'fast-check';
import { planRetention } from '../../lambda/archive/retention';

const DAY = 86_400_000;
const now = new Date('2026-11-25T12:00:00Z');
const ago = (days: number) => new Date(now.getTime() - days * DAY);
const archives = (times: readonly Date[]) =>
  times.map((at, index) => ({ archive: `a${index}`, at, good: true }));
const kept = (plan: ReturnType<typeof planRetention>) =>
  plan.filter(({ keep }) => keep).map(({ archive }) => archive);

const aged = fc.record({
  at: fc.integer({ min: -DAY, max: 800 * DAY }).map((age) => new Date(now.getTime() - age)),
  good: fc.boolean(),
  held: fc.boolean(),
  locked: fc.boolean(),
});
const sets = fc.array(aged, { maxLength: 60 }).map((list) =>
  list.map(({ locked, ...each }, index) => ({
    ...each,
    archive: `a${index}`,
    ...(locked ? { lockedUntil: new Date(now.getTime() + DAY) } : {}),
  })),
);
const count = fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined });
const policies = fc.record({ keepDays: count, keepDaily: count, keepWeekly: count, keepMonthly: count });

describe('whatever the archives and the policy,', () => {
  test('the newest good one, and all that is held or locked, is kept', () => {
    fc.assert(
      fc.property(sets, policies, (list, policy) => {
        const keep = new Set(kept(planRetention(list, policy, now)));
        const times = list.filter(({ good, at }) => good && at <= now).map(({ at }) => at.getTime());
        const newest = Math.max(...times);
        if (times.length > 0)
          expect(
            list.some(({ archive, good, at }) => good && at.getTime() === newest && keep.has(archive)),
          ).toBe(true);
        for (const each of list) if (each.held || each.lockedUntil) expect(keep).toContain(each.archive);
      }),
    );
  });

  test('what is of the future stays, and takes no place', () => {
    fc.assert(
      fc.property(sets, policies, (list, policy) => {
        const past = list.filter(({ at }) => at <= now);
        const future = list.filter(({ at }) => at > now).map(({ archive }) => archive);
        const keep = kept(planRetention(list, policy, now));
        expect(keep.slice(0, future.length).sort()).toEqual(future.sort());
        expect(keep.slice(future.length)).toEqual(kept(planRetention(past, policy, now)));
      }),
    );
  });

  test('nothing goes but for what counts: were no other one good, it would all be the same', () => {
    fc.assert(
      fc.property(sets, policies, (list, policy) => {
        const plan = planRetention(list, policy, now);
        const counting = new Set(plan.filter(({ counts }) => counts).map(({ archive }) => archive));
        const only = list.map((each) => ({ ...each, good: counting.has(each.archive) }));
        expect(kept(planRetention(only, policy, now))).toEqual(kept(plan));
      }),
    );
  });

  test('each is decided once, with a reason, newest first', () => {
    fc.assert(
      fc.property(sets, policies, (list, policy) => {
        const plan = planRetention(list, policy, now);
        expect(plan.map(({ archive }) => archive).sort()).toEqual(list.map(({ archive }) => archive).sort());
        for (const { reasons } of plan) expect(reasons.length).toBeGreaterThan(0);
        const times = plan.map(({ at }) => at.getTime());
        expect(times).toEqual([...times].sort((a, b) => b - a));
      }),
    );
  });

  test('a wider policy never keeps less, and pruning twice is pruning once', () => {
    fc.assert(
      fc.property(sets, policies, (list, policy) => {
        const keep = kept(planRetention(list, policy, now));
        const wider = Object.fromEntries(
          Object.entries(policy).map(([name, value]) => [name, value === undefined ? value : value + 1]),
        );
        expect(kept(planRetention(list, wider, now))).toEqual(expect.arrayContaining(keep));
        const left = list.filter(({ archive }) => keep.includes(archive));
        expect(kept(planRetention(left, policy, now))).toEqual(keep);
      }),
    );
  });

  test('no rule of periods keeps more than it was given, nor two of one period', () => {
    fc.assert(
      fc.property(sets, fc.integer({ min: 0, max: 10 }), (list, keepDaily) => {
        const past = list.filter(({ at }) => at <= now);
        const free = past.map(({ archive, at, good }) => ({ archive, at, good }));
        const keep = planRetention(free, { keepDaily }, now).filter(({ keep }) => keep);
        expect(keep.length).toBeLessThanOrEqual(Math.max(1, keepDaily));
        const days = keep.map(({ at }) => at.toISOString().slice(0, 10));
        expect(new Set(days).size).toBe(days.length);
      }),
    );
  });
});

test('rolling: everything younger, to the millisecond', () => {
  const list = archives([ago(0), ago(6), ago(7), new Date(ago(7).getTime() - 1), ago(30)]);
  expect(kept(planRetention(list, { keepDays: 7 }, now))).toEqual(['a0', 'a1', 'a2']);
});

test('grandfather, father, son: the newest of each day, week and month that has any', () => {
  // Three a day for 100 days.
  const list = archives(
    Array.from({ length: 300 }, (_, index) => new Date(now.getTime() - index * (DAY / 3))),
  );
  const plan = planRetention(list, { keepDaily: 3, keepWeekly: 3, keepMonthly: 3 }, now);
  expect(plan.filter(({ keep }) => keep).map(({ at }) => at.toISOString())).toEqual([
    '2026-11-25T12:00:00.000Z', // today, this week, this month
    '2026-11-24T20:00:00.000Z',
    '2026-11-23T20:00:00.000Z',
    '2026-11-22T20:00:00.000Z', // Sunday: the newest of last week
    '2026-11-15T20:00:00.000Z',
    '2026-10-31T20:00:00.000Z',
    '2026-09-30T20:00:00.000Z',
  ]);
});

test('dumps that stopped long ago keep their places: periods without archives do not count', () => {
  const list = archives([ago(400), ago(401), ago(402), ago(403)]);
  expect(kept(planRetention(list, { keepDaily: 3 }, now))).toEqual(['a0', 'a1', 'a2']);
  expect(kept(planRetention(list, { keepDays: 7 }, now))).toEqual(['a0']);
});

test('an archive of the future is not all that is kept', () => {
  const list = archives([ago(-400), ago(-1), ago(30), ago(31)]);
  expect(kept(planRetention(list, { keepDaily: 1 }, now))).toEqual(['a0', 'a1', 'a2']);
});

test('what is damaged takes no place, and is kept no longer than its age allows', () => {
  const list = [
    { archive: 'bad', at: ago(8), good: false },
    { archive: 'good', at: ago(9), good: true },
    { archive: 'older', at: ago(10), good: true },
  ];
  expect(kept(planRetention(list, { keepDays: 7 }, now))).toEqual(['good']);
  expect(kept(planRetention(list, { keepDaily: 2 }, now))).toEqual(['good', 'older']);
});
