import fc from 'fast-check';
import { assess, objectiveProblems } from '../../dist/lib/objective/assessment';
import { minutesOf } from '../../dist/lib/objective/duration';
import type { Store } from '../../dist/lib/objective/store';
import type { Layer } from '../../dist/lib/objective/worst-case';

const home = { region: 'eu-central-1', account: '111111111111' };
const vault = (more: Partial<Store> = {}): Store => ({
  kind: 'vault',
  name: 'v',
  lock: 'governance',
  retentionDays: 7,
  ...home,
  ...more,
});
const layer = (...stores: Store[]): Layer => ({
  name: 'hourly',
  intervalMinutes: 60,
  startDelayMinutes: 60,
  startDelayReason: 'start window',
  completionMinutes: 180,
  retentionDays: 7,
  stores,
});
const checks = (layers: Layer[], drill: Parameters<typeof assess>[2] = null) =>
  Object.fromEntries(assess(home, layers, drill).checklist.map(({ item, ok }) => [item, ok]));

test('one vault at home is one copy, and meets nothing of the rule', () => {
  const found = assess(home, [layer(vault()), layer(vault({ retentionDays: 30 }))]);
  expect(found.copies).toEqual([{ ...vault({ retentionDays: 30 }), km: 0 }]);
  expect(found).toMatchObject({ reachBackDays: 30, furthestKm: 0, immutability: 'governance' });
  expect(found.loss).toMatchObject({ minutes: 300, layer: 'hourly' });
  expect(found.lossWithoutRegion).toBeNull();
  expect(Object.values(checks([layer(vault())]))).toEqual([false, false, false, false, false]);
});

test('a far copy in an air-gapped vault, and a restore that is tested, meet all of it', () => {
  const away = vault({ region: 'eu-west-1', lock: 'air-gapped' });
  const drill = { name: 'weekly', everyMinutes: 10_080, judged: true };
  const found = assess(home, [layer(vault(), away)], drill);
  expect(found.checklist.map(({ ok }) => ok)).toEqual([true, true, true, true, true]);
  expect(found.furthestKm).toBeGreaterThan(1000);
  expect(found.lossWithoutRegion?.arithmetic).toContain('the time that the copy takes');
});

test.each<[string, Store, Record<string, boolean | null>]>([
  ['another account', vault({ account: '222222222222' }), { '2 stores': true, '1 off-site': false }],
  ['a service of its own', vault({ kind: 'automated', name: null }), { '2 stores': true }],
  ['a lock nobody removes', vault({ name: 'w', lock: 'compliance' }), { '1 immutable': true }],
  ['a vault nobody knows', vault({ name: 'w', lock: 'unknown' }), { '2 stores': null }],
  ['a place nobody knows', vault({ region: null, account: null }), { '1 off-site': null, '2 stores': null }],
])('a second copy in %s', (_name, second, expected) => {
  expect(checks([layer(vault(), second)])).toMatchObject(expected);
});

test('a copy of continuous backups comes at the pace of the rule', () => {
  const continuous = { ...layer(vault(), vault({ region: 'eu-west-1' })), lagMinutes: 5 };
  const found = assess(home, [continuous]);
  expect(found.loss?.minutes).toBe(5);
  expect(found.lossWithoutRegion?.minutes).toBe(300);
});

test('each part of an objective is missed with its figures and a way out', () => {
  const problems = objectiveProblems(
    'db',
    [layer(vault())],
    { maxLossMinutes: 60, retentionDays: 35, copies: 2, immutable: true, restoreTestMinutes: 10_080 },
    home,
  );
  expect(problems).toHaveLength(5);
  expect(problems.join('\n')).toMatch(
    /1 h between runs \+ 1 h start window \+ 3 h until it must be complete = 5 h/,
  );
  expect(problems.join('\n')).toMatch(/reaches back 35 days.*hourly: 7 days/);
  expect(problems.join('\n')).toMatch(/asks for 2 copies, and there is 1 \(v in eu-central-1\)/);
  expect(problems.join('\n')).toMatch(/governance mode.*AirGappedVault/);
  expect(problems.join('\n')).toMatch(/tested restore every 7 d, and none is/);
  expect(objectiveProblems('db', [], { copies: 1 }, home)).toEqual(['db: nothing backs it up']);
});

test('a drill that is too rare misses, one that is as frequent as asked does not', () => {
  const drill = { name: 'monthly', everyMinutes: 44_640, judged: false };
  const miss = (restoreTestMinutes: number) =>
    objectiveProblems('db', [layer(vault())], { restoreTestMinutes }, home, drill);
  expect(miss(10_080)).toEqual([expect.stringContaining('monthly tests one every 31 d')]);
  expect(miss(44_640)).toEqual([]);
});

test('more layers never lose more, reach back less, or have fewer copies', () => {
  const store = fc.record({
    kind: fc.constantFrom<Store['kind']>('vault', 'snapshots', 'automated', 'archive'),
    name: fc.constantFrom('a', 'b', null),
    region: fc.constantFrom('eu-central-1', 'eu-west-1', null),
    account: fc.constantFrom('111111111111', '222222222222', null),
    lock: fc.constantFrom<Store['lock']>('none', 'governance', 'compliance'),
    retentionDays: fc.option(fc.integer({ min: 1, max: 400 }), { nil: undefined }),
  });
  const layers = fc.array(
    fc.tuple(fc.integer({ min: 1, max: 9000 }), fc.array(store, { minLength: 1, maxLength: 4 })),
    { minLength: 2, maxLength: 5 },
  );
  const days = (found: ReturnType<typeof assess>) => found.reachBackDays ?? Number.POSITIVE_INFINITY;
  fc.assert(
    fc.property(layers, (given) => {
      const all = given.map(([intervalMinutes, stores]) => ({ ...layer(...stores), intervalMinutes }));
      const [some, more] = [assess(home, all.slice(1)), assess(home, all)];
      expect(more.loss!.minutes).toBeLessThanOrEqual(some.loss!.minutes);
      expect(days(more)).toBeGreaterThanOrEqual(days(some));
      expect(more.copies.length).toBeGreaterThanOrEqual(some.copies.length);
      some.checklist.forEach(({ ok }, i) => {
        if (ok && some.checklist[i]!.item !== '2 stores') expect(more.checklist[i]!.ok).toBe(true);
      });
    }),
  );
});

test.each([
  ['90m', 90],
  ['2h', 120],
  ['7d', 10_080],
  ['4w', 40_320],
  ['0h', undefined],
  ['2', undefined],
  ['-1h', undefined],
  ['1.5h', undefined],
  ['2 hours', undefined],
])('a duration of %s is %s minutes', (text, minutes) => expect(minutesOf(text)).toBe(minutes));
