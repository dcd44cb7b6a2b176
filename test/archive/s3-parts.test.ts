import fc from 'fast-check';
import { partSizes } from '../../lambda/archive/s3-parts';

const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;

function room(sizeOf: (part: number) => number, parts: number): number {
  let sum = 0;
  for (let part = 1; part <= parts; part += 1) sum += sizeOf(part);
  return sum;
}

test('an upload of the expected size and a tenth more always fits into the allowed parts', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2048 }),
      fc.constantFrom(1000, 10_000),
      fc.boolean(),
      (expectedGibibytes, parts, equal) => {
        const expected = expectedGibibytes * gibibyte;
        const sizeOf = partSizes(expected, { parts, equal });
        expect(room(sizeOf, parts)).toBeGreaterThanOrEqual(expected * 1.1);
        for (let part = 1; part <= parts; part += 97) {
          expect(sizeOf(part)).toBeGreaterThanOrEqual(5 * mebibyte);
          expect(sizeOf(part)).toBeLessThanOrEqual(5 * gibibyte);
          expect(Number.isInteger(sizeOf(part))).toBe(true);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('an unknown size starts with 8 MiB and has room for 400 GiB', () => {
  const sizeOf = partSizes(undefined, { parts: 10_000, equal: false });
  expect(sizeOf(1)).toBe(8 * mebibyte);
  expect(room(sizeOf, 10_000)).toBeGreaterThan(400 * gibibyte);
});

test('equal parts are equal', () => {
  const sizeOf = partSizes(100 * gibibyte, { parts: 1000, equal: true });
  expect(new Set([1, 2, 500, 999, 1000].map(sizeOf)).size).toBe(1);
});
